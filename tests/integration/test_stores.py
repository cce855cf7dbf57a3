"""The judge of stores: every damage to a copy is planted, and named."""

import ctypes
import hashlib
import struct

import msgpack
import pytest

from chaos import journal, stores, streams

PARTITION, MARK = 7, 99
SECOND = 10 ** 9
#: When the node was told to end, in ns.
ENDED = 1000 * SECOND
OLD, NEW = ENDED - 60 * SECOND, ENDED - SECOND


def text(data):
    return struct.pack(">I", len(data)) + data


def key(name):
    return struct.pack(">IB", PARTITION, 2) + name.encode()


def packed(records):
    """Records as one body; a value of None removes the key."""
    out = struct.pack(">I", len(records))
    for name, value in records.items():
        out += text(key(name)) + (b"\0" if value is None
                                  else b"\1" + text(value.encode()))
    return out


def entry(kind, body=b"", epoch=1, op=1, group=0, part=0, parts=1,
          generation=1, mark=MARK):
    out = journal.MAGIC + bytes([journal.FORMAT]) + journal.HEAD.pack(
        kind, generation, mark,
        0 if kind == journal.CLAIM else generation * journal.UNIT + epoch,
        op, group, part, parts) + body
    return out + hashlib.sha256(out).digest()[:journal.SUM]


class Told:
    """A partition's stream in the making."""

    def __init__(self, generation=1):
        self.generation, self.messages = generation, {}
        self.last = 0

    def say(self, subject, message, time=OLD):
        self.last += 1
        self.messages[subject] = (self.last, time, message)
        return self

    def claim(self):
        return self.say("e", entry(journal.CLAIM,
                                   generation=self.generation))

    def one(self, name, value, time=OLD, **more):
        more.setdefault("generation", self.generation)
        return self.say(f"s.{name}", entry(
            journal.RECORDS, packed({name: value}), **more), time)

    def group(self, records, parts=1, until=None, **more):
        body = packed(records)
        cuts = [body[len(body) * n // parts:len(body) * (n + 1) // parts]
                for n in range(parts)]
        for n, piece in enumerate(cuts[:until]):
            self.say(f"g.1.{n}", entry(journal.RECORDS, piece, op=1 + n,
                                       group=1, part=n, parts=parts, **more))
        return self

    def records(self):
        return [streams.Record(sequence, time, b"", b"", message)
                for sequence, time, message in self.messages.values()]

    def fold(self):
        return journal.fold(self.generation, self.records())

    def write(self, folder):
        """As the only block of a stream of a server that has ended."""
        block = b""
        for subject, (sequence, time, message) in self.messages.items():
            headers = b"NATS/1.0\r\nA: b\r\n\r\n"
            body = struct.pack("<I", len(headers)) + headers + message
            length = (streams.HEAD.size + len(subject) + len(body)
                      + streams.CHECKSUM)
            block += streams.HEAD.pack(length | 1 << 31, sequence, time,
                                       len(subject))
            block += subject.encode() + body + b"c" * streams.CHECKSUM
        to = (folder / "data/jetstream/$G/streams"
              / f"RC_x_{PARTITION:03}_{self.generation}/msgs")
        to.mkdir(parents=True)
        (to / "1.blk").write_bytes(block)


def usual():
    return (Told().claim().one("a", "1").one("b", "1").one("a", "2")
            .group({"c": "1", "d": "1"}, parts=3).one("b", None))


def has(**values):
    return {key(name): value.encode() for name, value in values.items()}


GOOD = has(a="2", c="1", d="1")


def judge(told, content, position=None, generation=1, mark=MARK, claim=1):
    at = stores.Checkpoint(generation,
                           told.last if position is None else position,
                           generation * journal.UNIT + claim, mark)
    return stores.compare("n", PARTITION, content, at, told.fold(), ENDED)


# -- copies -------------------------------------------------------------------


def test_a_copy_that_is_equal():
    assert usual().fold().wrong == []
    assert judge(usual(), GOOD) == []


@pytest.mark.parametrize("content", [
    has(a="2", c="1"), has(a="1", c="1", d="1"),
    has(a="2", b="1", c="1", d="1"), has(a="2", c="1", d="1", e="1"), {}])
def test_a_copy_that_differs(content):
    assert len(judge(usual(), content)) == 1


@pytest.mark.parametrize("place", [
    {"position": 99}, {"generation": 2}, {"mark": 1}, {"claim": 5}])
def test_a_checkpoint_that_the_journal_knows_nothing_of(place):
    assert judge(usual(), GOOD, **place) != []


def test_a_copy_may_lack_what_came_when_its_node_ended():
    told = usual().one("a", "3", NEW).one("e", "1", NEW)
    assert judge(told, GOOD, position=8) == []
    assert judge(told, GOOD | has(a="3"), position=9) == []


@pytest.mark.parametrize("content, position", [
    (GOOD, 9), (has(c="1", d="1"), 9), (has(a="3", c="0", d="1"), 9)])
def test_a_copy_must_have_what_it_says(content, position):
    assert len(judge(usual().one("a", "3", NEW), content, position)) == 1


def test_a_copy_that_is_left_behind():
    assert len(judge(usual().one("a", "3", OLD), GOOD, position=8)) == 1


def test_a_node_that_never_had_a_copy():
    assert stores.compare("n", PARTITION, {}, stores.Checkpoint(),
                          usual().fold(), ENDED) != []


# -- journals -----------------------------------------------------------------


@pytest.mark.parametrize("told", [
    usual().group({"c": "9"}, parts=3, until=2),
    usual().claim().group({"c": "9"}, parts=2, until=1, epoch=7)])
def test_a_group_without_its_end_never_was(told):
    values = told.fold().values
    assert values.get(key("c")) in (None, values.get(key("d")))


def test_a_message_of_a_claim_that_was_lost():
    told = usual().claim().one("e", "9", epoch=1)
    assert len(told.fold().wrong) == 1
    assert "is of a claim that was lost" in told.fold().wrong[0]


@pytest.mark.parametrize("message", [
    b"", b"RJ", entry(journal.RECORDS, packed({"a": "1"}))[:-1] + b"x",
    entry(journal.RECORDS, packed({"a": "1"}), mark=1),
    entry(journal.RECORDS, packed({"a": "1"}), generation=2)])
def test_a_message_that_should_not_be_there(message):
    assert usual().say("s.z", message).fold().wrong != []


# -- files --------------------------------------------------------------------


class Made:
    """A server or a node that ended, with what it left behind."""

    def __init__(self, folder, name):
        self.name, self.folder = name, folder / name
        self.data = self.folder / "data"
        self.data.mkdir(parents=True)


def write_store(folder, pairs):
    """A RocksDB with these pairs, of which nothing is in a table file yet."""
    lib = stores.library()
    lib.rocksdb_open.restype = ctypes.c_void_p
    lib.rocksdb_writeoptions_create.restype = ctypes.c_void_p
    options = ctypes.c_void_p(lib.rocksdb_options_create())
    lib.rocksdb_options_set_create_if_missing(options, ctypes.c_ubyte(1))
    database = ctypes.c_void_p(stores.checked(
        lib.rocksdb_open, options, str(folder).encode()))
    writing = ctypes.c_void_p(lib.rocksdb_writeoptions_create())
    for name, value in pairs.items():
        stores.checked(lib.rocksdb_put, database, writing, name,
                       ctypes.c_size_t(len(name)), value,
                       ctypes.c_size_t(len(value)))
    lib.rocksdb_close(database)


def checkpoint(*fields):
    return {struct.pack(">IB", PARTITION, stores.CHECKPOINT):
            msgpack.packb([1, stores.CHECKPOINT, *fields])}


def wide():
    return {struct.pack(">IB", stores.STORE_WIDE, 0xF1): b"\1"}


@pytest.fixture
def told(tmp_path):
    server = Made(tmp_path, "nats0")
    usual().write(server.folder)
    return server


def test_stores_and_streams_as_files(tmp_path, told):
    nodes = [Made(tmp_path, f"node{n}") for n in range(3)]
    good = checkpoint(1, 7, journal.UNIT + 1, MARK) | wide()
    write_store(nodes[0].data / "store", GOOD | good)
    write_store(nodes[1].data / "store", GOOD | has(a="1") | good)
    write_store(nodes[2].data / "store", GOOD | good)
    lines, copies, keys = stores.differences(nodes, told, [ENDED] * 3)
    assert len(lines) == 1 and "node1" in lines[0]
    assert (copies, keys) == (3, 12)


def test_a_store_that_cannot_be_read(tmp_path, told):
    node = Made(tmp_path, "node0")
    write_store(node.data / "store",
                GOOD | checkpoint(1, 7, journal.UNIT + 1, MARK))
    (node.data / "store/CURRENT").write_text("damaged")
    lines, copies, _ = stores.differences([node], told, [ENDED])
    assert len(lines) == 1 and copies == 0


def test_the_journal_in_force_is_the_last_that_was_completed(tmp_path):
    server = Made(tmp_path, "nats0")
    usual().write(server.folder)
    second = Told(2).one("a", "2", epoch=0, generation=2)
    second.say("i", entry(journal.SEEDED, generation=2, op=2, epoch=0))
    second.write(server.folder)
    Told(3).one("a", "2", epoch=0, generation=3).write(server.folder)
    found = journal.journals(server)
    assert found[PARTITION].generation == 2
    assert {*found[PARTITION].values} == {key("a")}
