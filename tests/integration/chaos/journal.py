"""The journal of a partition, folded to what a store has to hold.

Written from the headers of `cluster/` alone: entries as in
`journal_format.hpp`, streams as in `subjects.hpp`, the order of it all as in
decision 0008. Pure, of the records of one stream.
"""

import collections
import hashlib
import re
import struct

from chaos import streams

MAGIC, FORMAT = b"RJ", 1
#: kind, generation, incarnation, epoch, op, group, part, parts
HEAD = struct.Struct(">BQQQQQII")
SUM = 4
CLAIM, RECORDS, SEEDED, SEALED = 1, 2, 3, 4
#: `epoch_generation_unit`
UNIT = 1 << 40
NAME = re.compile(r"RC_.+_(\d{3})_(\d+)")

Entry = collections.namedtuple(
    "Entry", "kind generation incarnation epoch op group part parts body")
#: The last value of a key, None for one that was removed.
Value = collections.namedtuple("Value", "sequence time value")


class Journal:
    """What a stream comes to. `wrong` says what should not be in one."""

    def __init__(self, generation):
        self.generation = generation
        self.incarnation = None
        #: the last message, the last claim
        self.last = self.claim = 0
        #: a copy that was never completed does not count
        self.complete = generation == 1
        self.values = {}
        self.wrong = []


def decode(message):
    """An entry, or None for what is none."""
    body, checksum = message[:-SUM], message[-SUM:]
    front = len(MAGIC) + 1
    if message[:front] != MAGIC + bytes([FORMAT]) \
            or hashlib.sha256(body).digest()[:SUM] != checksum \
            or len(body) < front + HEAD.size:
        return None
    return Entry(*HEAD.unpack_from(body, front), body[front + HEAD.size:])


def decode_records(body):
    """[(key, value or None)]"""
    at, found = 4, []

    def text():
        nonlocal at
        length, = struct.unpack_from(">I", body, at)
        at += 4 + length
        return body[at - length:at]

    for _ in range(*struct.unpack_from(">I", body)):
        key = text()
        has_value, at = body[at], at + 1
        found.append((key, text() if has_value else None))
    return found


def fold(generation, records):
    """The journal that `records` of one stream are, in any order."""
    journal = Journal(generation)
    entries = []
    for one in sorted(records):
        entry = decode(one.message)
        if entry is None:
            journal.wrong.append(f"message {one.sequence} is no entry")
            continue
        entries.append((one, entry))
        journal.last = one.sequence
        if entry.kind == CLAIM:
            journal.claim = one.sequence
        journal.complete |= entry.kind == SEEDED
    marks = {(e.generation, e.incarnation) for _, e in entries}
    if len(marks) > 1 or any(mark[0] != generation for mark in marks):
        journal.wrong.append(f"entries of generation {generation} say "
                             f"{sorted(marks)}")
    for _, journal.incarnation in marks:
        pass
    take_appends(journal, entries)
    return journal


def take_appends(journal, entries):
    """As a reader does: whole groups only, nothing of lost claims."""
    in_force = journal.generation * UNIT + journal.claim
    highest, pieces, last = 0, [], None
    for one, entry in entries:
        if entry.kind != RECORDS:
            if entry.kind == CLAIM:
                place = journal.generation * UNIT + one.sequence
                if entry.epoch not in (0, place):
                    journal.wrong.append(f"claim {one.sequence} belongs to "
                                         f"{entry.epoch % UNIT}")
                highest = max(highest, journal.generation * UNIT
                              + one.sequence)
            pieces = []
            continue
        if entry.epoch < highest or (one.sequence > journal.claim
                                     and entry.epoch < in_force):
            journal.wrong.append(f"message {one.sequence} is of a claim that "
                                 "was lost")
            continue
        highest = entry.epoch
        if entry.part == 0:
            pieces = [entry]
        elif pieces and follows(entry, pieces[-1]) \
                and one.sequence == last + 1:
            pieces.append(entry)
        else:
            pieces = []
        last = one.sequence
        if pieces and entry.part + 1 == entry.parts:
            for key, value in decode_records(b"".join(e.body for e in
                                                      pieces)):
                journal.values[key] = Value(one.sequence, one.time, value)
            pieces = []


def follows(entry, before):
    return (entry.epoch, entry.op, entry.part, entry.parts, entry.group) == \
        (before.epoch, before.op + 1, before.part + 1, before.parts,
         before.group)


def journals(server):
    """{partition: the journal in force} of a server that has ended."""
    found = {}
    for name, folder in streams.streams(server).items():
        named = NAME.fullmatch(name)
        if not named:
            continue
        partition, generation = map(int, named.groups())
        one = fold(generation, streams.kept(folder).values())
        if one.complete and (partition not in found or
                             found[partition].generation < generation):
            found[partition] = one
    return found
