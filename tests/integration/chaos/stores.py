"""Each node's store against the journals: is it what was applied, and all?

Reads RocksDB through the C interface of the library that the node itself
runs with, and the journals with `journal.py`. For once all have ended.
"""

import collections
import ctypes
import functools
import re
import struct
import subprocess

import msgpack

from chaos import journal
from node import BINARY

#: What was appended so long before a node was told to end has to be in its
#: store: 3 s by the design, and what a busy machine adds.
LAG_SECONDS = 3 + 4
#: Key tags of `persistence/key_schema.hpp`.
CHECKPOINT, STORE_WIDE = 0xF0, 0xFFFFFFFF
#: How many wrong keys of a partition are named.
NAMED = 3

Checkpoint = collections.namedtuple(
    "Checkpoint", "generation position epoch incarnation", defaults=(0,) * 4)


# -- reading RocksDB ----------------------------------------------------------


@functools.cache
def library():
    """RocksDB, as the program under test finds it."""
    told = subprocess.run(["ldd", BINARY], capture_output=True, text=True,
                          check=True).stdout
    lib = ctypes.CDLL(re.search(r"librocksdb\S* => (\S+)", told)[1])
    for name in ("options_create", "readoptions_create",
                 "open_for_read_only", "create_iterator", "iter_key",
                 "iter_value"):
        getattr(lib, f"rocksdb_{name}").restype = ctypes.c_void_p
    lib.rocksdb_iter_valid.restype = ctypes.c_ubyte
    return lib


class Failed(Exception):
    """RocksDB does not read it."""


def checked(call, *arguments):
    """The result of a call that may leave an error text behind."""
    error = ctypes.c_char_p()
    got = call(*arguments, ctypes.byref(error))
    if error.value:
        raise Failed(error.value.decode(errors="replace"))
    return got


def read(folder):
    """{key: value}, all of it, without changing the store."""
    lib = library()
    options = ctypes.c_void_p(lib.rocksdb_options_create())
    reading = ctypes.c_void_p(lib.rocksdb_readoptions_create())
    database = ctypes.c_void_p(checked(
        lib.rocksdb_open_for_read_only, options, str(folder).encode(),
        ctypes.c_ubyte(0)))
    each = ctypes.c_void_p(lib.rocksdb_create_iterator(database, reading))
    size, found = ctypes.c_size_t(), {}

    def text(part):
        at = part(each, ctypes.byref(size))
        return ctypes.string_at(at, size.value)

    try:
        lib.rocksdb_iter_seek_to_first(each)
        while lib.rocksdb_iter_valid(each):
            found[text(lib.rocksdb_iter_key)] = text(lib.rocksdb_iter_value)
            lib.rocksdb_iter_next(each)
        checked(lib.rocksdb_iter_get_error, each)
    finally:
        lib.rocksdb_iter_destroy(each)
        lib.rocksdb_close(database)
        lib.rocksdb_readoptions_destroy(reading)
        lib.rocksdb_options_destroy(options)
    return found


def partitions(pairs):
    """{partition: ({key: value}, checkpoint)} of a store's content."""
    found = collections.defaultdict(lambda: [{}, Checkpoint()])
    for key, value in pairs.items():
        partition, = struct.unpack_from(">I", key)
        if partition == STORE_WIDE:
            continue
        if key[4:] == bytes([CHECKPOINT]):
            # [version, kind, fields...]
            found[partition][1] = Checkpoint(*msgpack.unpackb(value)[2:])
        else:
            found[partition][0][key] = value
    return found


# -- judging ------------------------------------------------------------------


def compare(name, partition, has, at, told, ended):
    """Lines about one copy: `has` is its content, `at` its checkpoint, `told`
    the journal, `ended` when its node was told to end, in ns."""
    where = f"partition {partition} at {name}"
    lines = []
    if (at.generation, at.incarnation) != (told.generation,
                                           told.incarnation):
        lines.append(f"{where} is a copy of {at.generation}, "
                     f"{at.incarnation}; the journal is {told.generation}, "
                     f"{told.incarnation}")
    if at.position > told.last:
        lines.append(f"{where} is at {at.position}, the journal ends at "
                     f"{told.last}")
    if at.epoch > told.generation * journal.UNIT + told.claim:
        lines.append(f"{where} is of epoch {at.epoch}, the last claim is "
                     f"{told.claim}")
    wrong = []
    for key in sorted({*has, *told.values}):
        last = told.values.get(key)
        if last is None:
            wrong.append((key, "not in the journal"))
        elif has.get(key) != last.value:
            # What came later than it knows may have replaced what it has.
            if last.sequence <= at.position:
                wrong.append((key, f"not as in message {last.sequence}"))
            elif last.time < ended - LAG_SECONDS * 10 ** 9:
                wrong.append((key, f"without message {last.sequence}, "
                              f"{(ended - last.time) / 1e9:.1f} s old"))
    if wrong:
        text = "; ".join(f"{key[4:].hex()} {what}"
                         for key, what in wrong[:NAMED])
        lines.append(f"{where}, position {at.position} of {told.last}: "
                     f"{len(wrong)} of {len(told.values)} keys differ: {text}")
    return lines


def differences(nodes, server, ended):
    """(lines, copies, keys): what is wrong, and how much was compared.
    `ended` has for each node when it was told to end, in ns of Unix time."""
    journals = journal.journals(server)
    lines = [f"journal of partition {partition}: {what}"
             for partition, one in sorted(journals.items())
             for what in one.wrong]
    copies = keys = 0
    for node, when in zip(nodes, ended):
        try:
            content = partitions(read(node.data / "store"))
        except Failed as why:
            lines.append(f"the store of {node.name} cannot be read: {why}")
            continue
        lines += [f"partition {one} at {node.name} has no journal"
                  for one in sorted({*content} - {*journals})]
        for partition, told in sorted(journals.items()):
            has, at = content[partition]
            lines += compare(node.name, partition, has, at, told, when)
            copies += 1
            keys += len(told.values)
    return lines, copies, keys
