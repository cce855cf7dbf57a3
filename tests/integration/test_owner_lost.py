"""What a session has when its owner is killed: its past, its answers, and
what is due. One kill, seen from the two nodes that stay."""

import asyncio
import csv
import io
import signal
import time

import pytest

from client import Client, Refused
from rest import Rest, ask, there, until
from test_cluster import FAULTS, SPANS

PATIENCE = 30
CHOICE = {"colour": {"type": "choice", "values": ["red", "blue"]}}


class Story:
    """Twelve sessions with a past and a future, before and after one of three
    owners is killed. Nobody is connected to that node."""

    SESSIONS = [f"story{n:02}" for n in range(12)]

    def __init__(self, cluster):
        self.cluster = cluster
        self.whos = [Rest(node, "ann") for node in cluster.nodes[:2]]

    def read(self, who):
        """All that there is to know of each session."""
        out = {}
        for session in self.SESSIONS:
            out[session] = {
                what: ask(who, "GET", *there(session, *what.split("/")))
                for what in ("history", "audit", "rounds/vote", "members",
                             "course", "participants")}
            out[session]["csv"] = ask(who, "GET", *there(session, "history"),
                                      query="?format=csv")
        return out

    async def prepare(self, n, session):
        soon = 2_000 + 500 * n
        await self.ann.ask("create_session", session=session, kind="stage",
                           settings=SPANS)
        for one in (self.ann, self.bob):
            await one.join(session)
        for way in ("join", "leave"):
            ask(Rest(self.cluster.nodes[0], "cid"), "POST",
                *there(session, way))
        await self.ann.ask("open_round", session=session, round="vote",
                           schema=CHOICE, results="live")
        await self.bob.ask("submit", session=session, round="vote",
                           answer={"colour": "red"}, op_id="once")
        await self.ann.ask("configure_session", session=session,
                           starts_at=int(time.time() * 1000) + soon + 1_000)
        await self.bob.ask("set_reminder", session=session, enabled=True,
                           lead_ms=1_000)
        await self.ann.ask("set_phase", session=session, phase="voting",
                           status="open", duration_ms=soon, next="results")
        await self.ann.ask("start_barrier", session=session, barrier="go",
                           timeout_ms=soon)

    async def tell(self):
        nodes = self.cluster.nodes
        self.ann = await Client.open(nodes[0].url, nodes[0].token("ann"))
        self.bob = await Client.open(nodes[1].url, nodes[1].token("bob"),
                                     dialect="msgpack")
        # Those that are due last come first: all are due after the kill.
        for n, session in reversed(list(enumerate(self.SESSIONS))):
            await self.prepare(n, session)
        self.before = await asyncio.to_thread(self.settled)
        killed = time.time() * 1000
        nodes[2].end(signal.SIGKILL)
        self.repeated = [await self.again(session)
                         for session in self.SESSIONS]
        for session in self.SESSIONS:
            for one in (self.ann, self.bob):
                await one.until(lambda: one[session].phase == {
                    "phase": "results", "status": "open"}, PATIENCE)
                await one.until(
                    lambda: "opened_at" in one[session].barrier, PATIENCE)
        await self.bob.until(lambda: {each["session"] for each in
                                      self.bob.directs} == {*self.SESSIONS},
                             PATIENCE)
        self.after = [await asyncio.to_thread(self.read, who)
                      for who in self.whos]
        self.late = [session for session in self.SESSIONS if self.ann[
            session].barrier["opened_at"] >= killed]
        # Before one of them sees the other go.
        self.seen = [(one[session].who(), [
            each for each in one.changes(session, "left")
            if each["reason"] in FAULTS])
            for one in (self.ann, self.bob) for session in self.SESSIONS]
        for one in (self.ann, self.bob):
            one.check()
            await one.close()
        nodes[2].start().await_ready()
        return self

    def settled(self):
        """As soon as the log has every leave."""
        def whole():
            seen = self.read(self.whos[0])
            return seen if all(
                [e["action"] for e in one["audit"]["entries"]].count("leave")
                for one in seen.values()) else None
        return until(whole)

    async def again(self, session):
        """The same submission; only once with an effect."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return await self.bob.ask(
                    "submit", session=session, round="vote", op_id="once",
                    answer={"colour": "red"})
            except Refused as why:
                assert why.code == "unavailable", why.error
                assert time.monotonic() < end
                await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def story(trio):
    return asyncio.run(Story(trio).tell())


def test_some_sessions_did_change_their_owner(story):
    """What the others stand on: epochs are of owners."""
    changed = [session for session in Story.SESSIONS
               if story.after[0][session]["course"]["at"][0]
               != story.before[session]["course"]["at"][0]]
    assert 0 < len(changed) < len(Story.SESSIONS), changed
    assert story.late == Story.SESSIONS, "timers were due after the kill"


def test_the_past_is_the_same_at_every_node(story):
    for after in story.after:
        for session, was in story.before.items():
            now = after[session]
            for what, key in (("history", "stays"), ("audit", "entries")):
                assert now[what][key][:len(was[what][key])] \
                    == was[what][key], (session, what)
            rows = list(csv.DictReader(io.StringIO(now["csv"].body.decode())))
            assert [(row["user"], row["reason"]) for row in rows] == [
                ("ann", ""), ("bob", ""), ("cid", "left")]
            assert now["csv"].body == was["csv"].body


def test_nobody_left_for_it(story):
    assert story.seen == [(["ann", "bob"], [])] * (2 * len(Story.SESSIONS))


def test_answers_are_kept_and_counted_once(story):
    for after in story.after:
        for session, was in story.before.items():
            items = after[session]["rounds/vote"]["items"]
            assert items == was["rounds/vote"]["items"] and len(items) == 1
            assert items[0]["answer"] == {"colour": "red"}
            assert after[session]["members"]["members"] \
                == was["members"]["members"]
    assert [one["level"] for one in story.repeated] \
        == ["committed"] * len(Story.SESSIONS)


def test_phases_barriers_and_reminders_come_by_themselves(story):
    for after in story.after:
        for session in Story.SESSIONS:
            course = after[session]["course"]
            assert course["phase"] == {"phase": "results", "status": "open"}
            assert course["barrier"]["timed_out"] is True
    given = [each["session"] for each in story.bob.directs]
    assert sorted(given) == Story.SESSIONS, "each reminder once"
    assert story.ann.directs == []
