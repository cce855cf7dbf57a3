"""The checker catches what it is for: every violation is planted."""

import random
import types

import pytest

from chaos import faults, streams
from chaos.checker import (AFTER_FAULT, CLASSES, DROPPED, EXCUSE, SLACK,
                           Checker)
from chaos.world import World
from node import BINARY

EPOCH = 1 << 40


def at(rev, claim=1):
    return [EPOCH + claim, rev]


def one(user, state="online"):
    return {"participant_id": f"id-{user}", "user": user, "state": state}


def snapshot(users, rev, claim=1, **more):
    return {"push": "snapshot", "session": "s", "view": "roster",
            "at": at(rev, claim), "why": "attached", "present": len(users),
            "total": len(users), "host": None,
            "participants": [one(user) for user in users], **more}


def changes(begin, end, *items, present=2, total=2, claim=1):
    return {"push": "changes", "session": "s", "view": "roster",
            "from": at(begin, claim), "to": at(end, claim),
            "present": present, "total": total, "changes": list(items)}


def left(user, rev, present, reason="network"):
    return {"type": "left", "rev": rev, "participant_id": f"id-{user}",
            "reason": reason, "present": present, "total": present}


def joined(user, rev, present):
    return {"type": "joined", "rev": rev, "participant": one(user),
            "present": present, "total": present}


def member(user, rev, role):
    return {"type": "member", "rev": rev, "participant_id": f"id-{user}",
            "role": role, "total": 2}


class Story:
    """Ann and Bob in a session; ann at node1 looks on."""

    def __init__(self):
        self.checker = Checker()
        for user, node, rev in (("ann", "node1", 1), ("bob", "node2", 2)):
            self.checker.joined(0, user, "s", f"id-{user}", node, at(rev))
        self.see(0, snapshot(["ann", "bob"], 2))

    def see(self, t, push, user="ann"):
        self.checker.push(t, user, push)

    def kinds(self, t=1000):
        self.checker.tick(t)
        return [v.kind for v in self.checker.violations]


@pytest.fixture
def story():
    return Story()


def test_a_well_told_story_has_nothing_wrong(story):
    check = story.checker
    story.see(1, changes(2, 3, {"type": "live", "rev": 3,
                                "participant_id": "id-bob",
                                "live": {"a": 1}}))
    check.asked(2, 1, "ann", "s", "set_member", "m", "r1", "o1")
    check.answered(2.1, 1, at(4), "committed")
    story.see(2.2, changes(3, 4, member("m", 4, "r1")))
    check.ended(3, "bob", "s", "id-bob", "leave")
    story.see(3.1, changes(4, 5, left("bob", 5, 1, "left"), present=1,
                           total=1))
    check.read(4, "s", "m", "r1", "node2")
    check.compare(5, "s", {"ann": "x"}, ["ann"])
    assert story.kinds() == []
    assert set(check.totals().values()) == {0}


# -- versions, counts, rosters ------------------------------------------------


@pytest.mark.parametrize("push", [snapshot(["ann", "bob"], 1),
                                  snapshot(["ann", "bob"], 9, claim=0),
                                  changes(1, 1, claim=0)])
def test_a_version_that_goes_back(story, push):
    story.see(1, push)
    assert "went_back" in story.kinds()


def test_a_version_that_goes_back_over_a_reconnection(story):
    story.checker.disconnected(1, "ann", "node1", 1006, True)
    story.see(2, snapshot(["ann", "bob"], 1))
    assert story.kinds() == ["went_back"]


def test_who_has_forgotten_everything_may_see_an_older_version(story):
    story.checker.forgot(1, "ann")
    story.see(2, snapshot(["ann", "bob"], 1))
    assert story.kinds() == []


def test_an_answer_older_than_what_its_asker_had_seen(story):
    story.checker.asked(1, 1, "ann", "s", "set_live")
    story.checker.answered(1, 1, at(1), "accepted")
    assert story.kinds() == ["went_back"]


def test_a_late_answer_to_a_repetition_may_be_old(story):
    story.checker.asked(1, 1, "ann", "s", "set_member", "m", "r", "o", True)
    story.checker.answered(1, 1, at(1), "committed")
    assert story.kinds() == []


@pytest.mark.parametrize("push", [
    snapshot(["ann", "bob"], 3, present=3, total=3),
    snapshot(["ann", "bob"], 3, total=1),
    changes(2, 3, present=1),
    changes(2, 3, joined("eve", 3, 2), present=3, total=3)])
def test_counts_that_are_not_the_roster(story, push):
    story.see(1, push)
    assert "counts" in story.kinds()


@pytest.mark.parametrize("push", [
    snapshot(["ann", "bob", "bob"], 3),
    changes(2, 3, joined("bob", 3, 2))])
def test_someone_who_is_there_twice(story, push):
    story.see(1, push)
    assert "duplicate" in story.kinds()


def test_a_gap(story):
    story.see(1, changes(3, 4))
    assert story.kinds() == ["protocol"]


# -- leaves -------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["network", "timeout", "edge_lost",
                                    "left", "kicked"])
def test_a_leave_that_nobody_wanted(story, reason):
    story.see(1, changes(2, 3, left("bob", 3, 1, reason), present=1, total=1))
    assert story.kinds() == ["false_leave"]


def test_a_leave_and_a_return_in_one_breath(story):
    story.see(1, changes(2, 3, left("bob", 3, 1), joined("bob", 3, 2)))
    assert story.kinds() == ["flap"]


def test_a_leave_and_a_return_in_one_batch_of_many_ticks(story):
    story.see(1, changes(2, 4, left("bob", 3, 1), joined("bob", 4, 2)))
    assert story.kinds() == ["false_leave"]


def test_a_leave_that_only_a_snapshot_shows(story):
    story.see(1, snapshot(["ann"], 5))
    assert story.kinds() == ["false_leave"]


def test_a_leave_while_another_node_is_down(story):
    story.checker.fault(1, 1, ["node3"])
    story.see(2, changes(2, 3, left("bob", 3, 1), present=1, total=1))
    assert story.kinds() == ["false_leave"]


def test_a_leave_while_nats_is_down(story):
    story.checker.fault(1, 1, [])
    story.see(2, changes(2, 3, left("bob", 3, 1), present=1, total=1))
    assert story.kinds() == ["false_leave"]


def test_a_leave_while_its_own_node_is_down_is_excused(story):
    story.checker.fault(1, 1, ["node2"])
    story.see(2, changes(2, 3, left("bob", 3, 1), present=1, total=1))
    assert story.kinds() == []


def test_a_leave_long_after_its_own_node_was_down(story):
    story.checker.fault(1, 1, ["node2"])
    story.checker.healed(2, 1)
    story.see(3 + EXCUSE, changes(2, 3, left("bob", 3, 1), present=1,
                                  total=1))
    assert story.kinds() == ["false_leave"]


@pytest.mark.parametrize("after, kinds", [(1, []), (9, ["false_leave"])])
def test_an_old_fault_does_not_excuse_a_new_stay(story, after, kinds):
    check = story.checker
    check.fault(1, 1, ["node2"])
    check.ended(1, "bob", "s", "id-bob", "lost")
    check.healed(2, 1)
    check.joined(2 + after, "bob", "s", "id-bob", "node2", at(4))
    story.see(13, changes(2, 4, left("bob", 3, 1), joined("bob", 4, 2)))
    story.see(14, changes(4, 5, left("bob", 5, 1), present=1, total=1))
    assert story.kinds() == kinds


def test_a_leave_after_a_drop_is_no_surprise(story):
    story.checker.ended(1, "bob", "s", "id-bob", "drop")
    story.see(3, changes(2, 3, left("bob", 3, 1), present=1, total=1))
    assert story.kinds() == []


def test_a_leave_although_the_drop_was_resumed_in_time(story):
    check = story.checker
    check.ended(1, "bob", "s", "id-bob", "drop")
    check.joined(1.3, "bob", "s", "id-bob", "node2", at(4))
    story.see(2, changes(2, 5, left("bob", 3, 1), present=1, total=1))
    assert story.kinds() == ["false_leave"]


def test_an_old_leave_that_comes_after_the_return(story):
    check = story.checker
    check.ended(1, "bob", "s", "id-bob", "drop")
    check.joined(5, "bob", "s", "id-bob", "node2", at(4))
    story.see(6, changes(2, 4, left("bob", 3, 1), joined("bob", 4, 2)))
    assert story.kinds() == []


def test_a_kick_explains_a_leave(story):
    story.checker.kick_asked(0.5, "s", "id-bob")
    story.see(1, changes(2, 3, left("bob", 3, 1, "kicked"), present=1,
                         total=1))
    assert story.kinds() == []


def test_a_connection_that_is_torn(story):
    story.checker.fault(1, 1, ["node3"])
    story.checker.disconnected(2, "bob", "node2", 1006, own=False)
    assert story.kinds() == ["torn"]


# -- ghosts -------------------------------------------------------------------


@pytest.mark.parametrize("how", ["leave", "close", "drop", "silence"])
def test_a_ghost(story, how):
    story.checker.ended(1, "bob", "s", "id-bob", how)
    assert story.kinds() == ["ghost"]


def test_a_ghost_of_a_join_that_was_refused(story):
    check = story.checker
    check.ended(1, "bob", "s", "id-bob", "leave")
    check.asked(2, 1, "bob", "s", "join")
    assert story.kinds(30) == []
    check.refused(31, 1, "unavailable")
    assert story.kinds() == ["ghost"]


def test_changes_behind_the_end_of_a_subscription_attach_nobody(story):
    check = story.checker
    check.detached(1, "ann", "s")
    story.see(1.1, changes(2, 3, state("live", "bob", 3, live={"a": 1})))
    check.ended(2, "bob", "s", "id-bob", "leave")
    assert story.kinds() == []


def test_a_ghost_who_was_kicked(story):
    story.checker.kick_asked(1, "s", "id-bob")
    story.checker.kicked(1.1, "s", "id-bob", at(3))
    assert story.kinds() == ["ghost"]


def test_a_ghost_is_judged_at_its_bound_and_not_before(story):
    story.checker.ended(1, "bob", "s", "id-bob", "drop")
    assert story.kinds(1 + DROPPED + SLACK - 0.1) == []
    assert story.kinds(1 + DROPPED + SLACK + 0.1) == ["ghost"]


def test_a_fault_puts_the_bound_of_a_ghost_off(story):
    check = story.checker
    check.ended(1, "bob", "s", "id-bob", "drop")
    check.fault(2, 1, [])
    assert story.kinds(500) == []
    check.healed(500, 1)
    assert story.kinds(500 + AFTER_FAULT + SLACK - 0.1) == []
    assert story.kinds(500 + AFTER_FAULT + SLACK + 0.1) == ["ghost"]


def test_a_return_is_no_ghost(story):
    story.checker.ended(1, "bob", "s", "id-bob", "drop")
    story.checker.joined(2, "bob", "s", "id-bob", "node2", at(3))
    assert story.kinds() == []


# -- what was committed -------------------------------------------------------


def commit(check, t, number, value, answer=None):
    check.asked(t, number, "ann", "s", "set_member", "m", value,
                f"o-{value}")
    if answer:
        check.answered(t + 0.1, number, answer, "committed")


@pytest.mark.parametrize("value", [None, "r1", "r9"])
def test_a_committed_value_that_is_lost(story, value):
    commit(story.checker, 1, 1, "r1", at(3))
    commit(story.checker, 2, 2, "r2", at(4))
    story.checker.read(3, "s", "m", value, "node2")
    assert story.kinds() == ["lost"]


@pytest.mark.parametrize("value", ["r1", "r2"])
def test_an_unanswered_value_may_be_there_or_not(story, value):
    commit(story.checker, 1, 1, "r1", at(3))
    commit(story.checker, 2, 2, "r2")
    story.checker.unanswered(3, 2, "node1", open_still=False)
    story.checker.read(4, "s", "m", value, "node2")
    assert story.kinds() == []


def test_a_refused_value_must_not_be_there(story):
    commit(story.checker, 1, 1, "r1", at(3))
    commit(story.checker, 2, 2, "r2")
    story.checker.refused(3, 2, "conflict")
    story.checker.read(4, "s", "m", "r2", "node2")
    assert story.kinds() == ["lost"]


def test_an_effect_that_comes_twice(story):
    story.see(1, changes(2, 3, member("m", 3, "r1")))
    story.see(2, changes(3, 4, member("m", 4, "r2")))
    story.see(3, changes(4, 5, member("m", 5, "r1")))
    assert story.kinds() == ["doubled"]


@pytest.mark.parametrize("again", [at(2), at(4), at(3, 2)])
def test_a_repetition_with_another_answer(story, again):
    commit(story.checker, 1, 1, "r1", at(3))
    story.checker.asked(2, 2, "ann", "s", "set_member", "m", "r1", "o-r1",
                        again=True)
    story.checker.answered(2.1, 2, again, "committed")
    assert story.kinds() == ["doubled"]


@pytest.mark.parametrize("again, kinds", [(at(2), []), (at(4), ["doubled"])])
@pytest.mark.parametrize("begin, end", [(1.5, None), (0.2, 0.5)])
def test_a_repetition_to_another_owner(story, again, kinds, begin, end):
    commit(story.checker, 1, 1, "r1", at(3))
    story.checker.fault(begin, 1, ["node1"])
    if end:
        story.checker.healed(end, 1)
    story.checker.asked(2, 2, "ann", "s", "set_member", "m", "r1", "o-r1",
                        again=True)
    story.checker.answered(2.1, 2, again, "committed")
    assert story.kinds() == kinds


# -- the rest -----------------------------------------------------------------


def test_no_answer_although_all_is_well(story):
    story.checker.asked(1, 1, "ann", "s", "set_live")
    story.checker.unanswered(8, 1, "node1", open_still=True)
    assert story.kinds() == ["unanswered"]


def test_observers_that_differ_when_it_is_quiet(story):
    story.checker.compare(1, "s", {"ann": "x", "bob": "y"}, ["ann", "bob"])
    assert story.kinds() == ["diverged"]


def state(kind, user, rev, **more):
    return {"type": kind, "rev": rev, "participant_id": f"id-{user}", **more}


@pytest.mark.parametrize("change", [
    state("suspected", "ann", 3), state("live", "ann", 3, live={"a": 2}),
    state("connection", "ann", 3, connections=2),
    {"type": "host", "rev": 3, "host": "id-bob"}])
def test_two_pictures_of_one_version(story, change):
    story.see(0.5, snapshot(["ann", "bob"], 2), "bob")
    story.see(1, changes(2, 3, change))
    story.see(1, changes(2, 3), "bob")
    assert story.kinds() == ["diverged"]


def test_one_picture_of_a_version_however_it_came_about(story):
    story.see(1, changes(2, 3, state("suspected", "bob", 3)))
    story.see(2, changes(3, 4, state("resumed", "bob", 4)))
    story.see(2, snapshot(["ann", "bob"], 2), "bob")
    story.see(3, changes(2, 4), "bob")
    story.see(4, snapshot(["ann", "bob"], 4), "eve")
    assert story.kinds() == []


def test_a_roster_that_is_not_the_truth(story):
    story.checker.ended(1, "bob", "s", "id-bob", "leave")
    story.checker.compare(2, "s", {"ann": "x"}, story.checker.there("s"))
    assert story.kinds(2.5) == ["diverged"]


@pytest.mark.parametrize("kind", ["crashed", "stuck", "replicas",
                                  "stores"])
def test_what_the_run_itself_finds(story, kind):
    getattr(story.checker, kind)(1, "node1")
    assert story.kinds() == [kind]


def test_a_client_that_stood_still_blames_nobody(story):
    story.checker.lag(10, 4.0)
    story.see(11, changes(2, 3, left("bob", 3, 1, "timeout"), present=1,
                          total=1))
    assert story.kinds() == []


# -- copies of streams -------------------------------------------------------


def record(sequence, subject, body, flags=0):
    subject, body = subject.encode(), body.encode()
    length = streams.HEAD.size + len(subject) + len(body) + streams.CHECKSUM
    return (streams.HEAD.pack(length, sequence | flags, 0, len(subject))
            + subject + body + b"c" * streams.CHECKSUM)


class Copy:
    """A server that ended and left one stream behind."""

    def __init__(self, folder, name, *blocks):
        self.folder, self.name = folder / name, name
        messages = (self.folder
                    / "data/jetstream/$G/streams/RC_x_000/msgs")
        messages.mkdir(parents=True)
        for n, block in enumerate(blocks):
            (messages / f"{n}.blk").write_bytes(block)


FIRST = record(1, "a", "old") + record(2, "b", "x")
SECOND = record(3, "a", "new")


def test_copies_that_are_equal(tmp_path):
    # However they are cut into blocks, and what was overwritten or erased.
    copies = [Copy(tmp_path, "n0", FIRST, SECOND),
              Copy(tmp_path, "n1", FIRST + SECOND),
              Copy(tmp_path, "n2", record(2, "b", "x") + SECOND + record(
                  4, "c", "gone", streams.ERASED) + b"torn")]
    assert streams.differences(copies) == []
    assert streams.count(copies[0]) == (1, 2)


@pytest.mark.parametrize("blocks", [
    [FIRST], [FIRST, record(3, "a", "other")], [SECOND],
    [FIRST, record(4, "a", "new")], [FIRST, SECOND, record(4, "c", "x")]])
def test_copies_that_differ(tmp_path, blocks):
    copies = [Copy(tmp_path, "n0", FIRST, SECOND),
              Copy(tmp_path, "n1", *blocks)]
    assert len(streams.differences(copies)) == 1


def test_every_class_is_planted_above():
    planted = {"lost", "ghost", "false_leave", "flap", "duplicate",
               "went_back", "counts", "doubled", "diverged", "unanswered",
               "torn", "protocol", "crashed", "stuck", "replicas",
               "stores"}
    assert planted == set(CLASSES)


# -- the plan of a run --------------------------------------------------------


def test_a_seed_is_a_plan_with_every_kind_and_no_target_struck_twice():
    kinds = [kind for kind in faults.WEIGHTS if kind != "nats_leader"]
    for seed in range(50):
        one, other = (faults.plan(random.Random(seed), 60, kinds, kinds)
                      for _ in range(2))
        assert one == other and len(one) == 60
        assert {fault.kind for fault in one} == set(kinds)
        for fault in one:
            if fault.kind == "pair":
                assert not faults.same_target(*fault.parts)
                assert not faults.ALONE & {part[0] for part in fault.parts}


def test_an_upgrade_takes_one_node_or_more():
    world = types.SimpleNamespace(nodes=["a", "b", "c"])
    taken = [faults.targets_of(world, "upgrade", n) for n in range(6)]
    assert [len(one) for one in taken] == [1, 1, 2, 2, 3, 3]
    assert {one[0] for one in taken} == {*world.nodes}
    assert all(len({*one}) == len(one) for one in taken)


def test_an_exchange_is_there_and_back():
    world = World.__new__(World)
    world.other = "other"
    node = types.SimpleNamespace(version="own", binary=BINARY)
    for version, binary in (("other", "other"), ("own", BINARY)):
        world.exchange(node)
        assert (node.version, node.binary) == (version, binary)
    world.exchange(node, "own")
    assert node.binary == BINARY
