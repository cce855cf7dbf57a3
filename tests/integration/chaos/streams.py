"""What NATS kept, read from its files once it has ended: are copies equal?

nats-server 2.9 writes blocks of records, little-endian:
`u32 length (top bit: has headers), u64 sequence (top bit: erased), i64 time,
u16 subject length, subject, (u32 length of headers, headers,) message,
8 bytes of checksum`. Our streams keep one message per subject, so the last
record of each is what there is.
"""

import collections
import hashlib
import pathlib
import struct

HEAD = struct.Struct("<IQqH")
HEADERS = struct.Struct("<I")
CHECKSUM = 8
ERASED = 1 << 63
LENGTH = (1 << 31) - 1

#: `time` in ns of Unix time; `body` with its headers, `message` without.
Record = collections.namedtuple("Record", "sequence time subject body message")


def records(block):
    """Each whole record."""
    at = 0
    while at + HEAD.size <= len(block):
        length, sequence, time, subject_length = HEAD.unpack_from(block, at)
        has_headers, length = length > LENGTH, length & LENGTH
        end = at + length
        if length < HEAD.size + subject_length + CHECKSUM or end > len(block):
            return
        begin = at + HEAD.size
        if sequence and not sequence & ERASED:
            subject = bytes(block[begin:begin + subject_length])
            body = bytes(block[begin + subject_length:end - CHECKSUM])
            skip = HEADERS.size + HEADERS.unpack_from(body)[0] \
                if has_headers and len(body) >= HEADERS.size else 0
            yield Record(sequence, time, subject, body, body[skip:])
        at = end


def kept(folder):
    """{subject: its last record} of a stream's folder."""
    found = {}
    for path in pathlib.Path(folder).glob("msgs/*.blk"):
        for one in records(path.read_bytes()):
            if one.subject not in found \
                    or one.sequence > found[one.subject].sequence:
                found[one.subject] = one
    return found


def content(folder):
    """{subject: (sequence, hash)} of a stream's folder."""
    return {subject: (one.sequence, hashlib.sha256(one.body).hexdigest())
            for subject, one in kept(folder).items()}


def streams(server):
    """{name: folder} of what a server keeps."""
    root = pathlib.Path(server.folder) / "data"
    return {path.name: path
            for path in root.glob("jetstream/*/streams/*")}


def differences(servers):
    """One line for each stream whose copies are not equal."""
    kept = {one.name: streams(one) for one in servers}
    lines = []
    for stream in sorted(set().union(*kept.values())):
        copies = {name: content(folders[stream])
                  for name, folders in kept.items() if stream in folders}
        names = sorted(copies)
        if len(names) != len(servers):
            lines.append(f"{stream} is kept by {names} only")
        for name in names[1:]:
            one, other = copies[names[0]], copies[name]
            wrong = sorted(s for s in {*one, *other}
                           if one.get(s) != other.get(s))
            if wrong:
                lines.append(
                    f"{stream}: {names[0]} and {name} differ in {len(wrong)} "
                    f"of {len({*one, *other})} subjects, first "
                    f"{wrong[0].decode()}: {one.get(wrong[0])} and "
                    f"{other.get(wrong[0])}")
    return lines


def count(server):
    """How many streams and subjects a server keeps."""
    found = streams(server)
    return len(found), sum(len(content(one)) for one in found.values())
