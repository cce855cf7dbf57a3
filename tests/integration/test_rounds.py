"""The course of a session: phases, rounds, barriers, reminders."""

import asyncio
import signal
import time

from client import Crew
from people import agree, two

#: What the votes of a meeting need of a schema.
CONTRIBUTIONS = {
    "understanding_score": {"type": "integer", "min": 0, "max": 100},
    "contributions": {"type": "participants", "sum_max": 100,
                      "of": {"type": "number", "min": 0, "max": 100}},
}
EVALUATIONS = {
    "evaluations": {"type": "participants", "of": {
        "type": "record",
        "fields": {"emotional_scale": {"type": "integer", "min": 0,
                                       "max": 100},
                   "is_toxic": {"type": "boolean"}}}},
}


def of_oneself(schema, field):
    """The same, and one may speak of oneself, too."""
    return {**schema, field: {**schema[field], "self": True}}


async def test_a_meeting_votes(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await ann.ask("set_phase", session=session, phase="voting",
                      status="running")
        await ann.ask("open_round", session=session, round="understanding",
                      schema=CONTRIBUTIONS)
        await ann.ask("open_round", session=session, round="emotions",
                      schema=EVALUATIONS, revise=True)
        error = await bob.refused(
            "submit", session=session, round="understanding",
            answer={"understanding_score": 101, "contributions": {}})
        assert error["field"] == "answer.understanding_score"
        error = await bob.refused(
            "submit", session=session, round="understanding",
            answer={"understanding_score": 1, "contributions": {"eve": 1}})
        assert error["field"] == "answer.contributions.eve"
        answer = await bob.ask(
            "submit", session=session, round="understanding",
            answer={"understanding_score": 90, "contributions": {"ann": 60.5}})
        assert answer["level"] == "committed"
        for scale in (10, 85):
            await bob.ask(
                "submit", session=session, round="emotions",
                answer={"evaluations": {
                    "ann": {"emotional_scale": scale, "is_toxic": False}}})
        bobs = bob.welcome["participant_id"]
        await ann.until(
            lambda: ann[session].rounds["emotions"]["submitted"] == 1)
        seen = ann[session].rounds["understanding"]
        assert (seen["eligible"], seen["participants"]) == (2, [bobs])
        error = await bob.refused(
            "submit", session=session, round="understanding",
            answer={"understanding_score": 9, "contributions": {}})
        assert error["code"] == "conflict"
        page = await ann.ask("get_round", session=session, round="emotions")
        anns = ann.welcome["participant_id"]
        item, = page["items"]
        assert item["user"] == "bob" and item["revisions"] == 1
        assert item["answer"] == {"evaluations": {
            anns: {"emotional_scale": 85, "is_toxic": False}}}
        assert page["schema"] == EVALUATIONS
        await agree(session, ann, bob)
        assert ann[session].phase == {"phase": "voting", "status": "running"}
        late = await crew.connect("late")
        await late.join(session)
        await agree(session, ann, bob, late)


async def test_what_was_decided_survives_a_kill(make_node):
    node = make_node().start()
    starts_at = int(time.time() * 1000) + 2_500
    async with Crew(node) as crew:
        ann, bob = await two(crew, "s")
        await ann.ask("configure_session", session="s", starts_at=starts_at)
        await bob.ask("set_reminder", session="s", enabled=True, lead_ms=1_000)
        await ann.ask("set_phase", session="s", phase="voting",
                      duration_ms=1_500, next="results")
        await ann.ask("open_round", session="s", round="vote",
                      schema=CONTRIBUTIONS)
        await bob.ask("submit", session="s", round="vote", op_id="once",
                      answer={"understanding_score": 1, "contributions": {}})
        await ann.ask("start_barrier", session="s", barrier="go",
                      timeout_ms=1_500)
        node.end(signal.SIGKILL)
    await asyncio.sleep(max(0, starts_at / 1000 - 1 - time.time()) + 0.2)
    node.start()
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.join("s")
        here = ann["s"]
        await ann.until(lambda: here.phase == {"phase": "results"})
        await ann.until(lambda: "opened_at" in here.barrier)
        assert here.barrier["timed_out"] is True
        assert here.rounds["vote"]["answers"] == 1
        bob = await crew.connect("bob")
        await bob.join("s")
        again = await bob.ask(
            "submit", session="s", round="vote", op_id="once",
            answer={"understanding_score": 1, "contributions": {}})
        assert again["level"] == "committed"
        assert here.rounds["vote"]["answers"] == 1
    assert node.end() == 0


async def test_a_reminder_comes_to_every_connection(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        other = await crew.connect("bob")
        await other.join(session)
        starts_at = int(time.time() * 1000) + 1_500
        await ann.ask("configure_session", session=session,
                      starts_at=starts_at)
        await bob.ask("set_reminder", session=session, enabled=True,
                      lead_ms=1_000)
        for client in (bob, other):
            await client.until(lambda: client.directs)
            assert client.directs == [
                {"push": "direct", "session": session, "type": "reminder",
                 "starts_at": starts_at, "late": False}]
        assert int(time.time() * 1000) >= starts_at - 1_000
        assert ann.directs == []


async def test_all_are_ready(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await ann.ask("start_barrier", session=session, barrier="go")
        await ann.ask("set_ready", session=session, ready=True)
        await bob.until(lambda: (bob[session].barrier or {}).get("ready"))
        assert "opened_at" not in bob[session].barrier
        await bob.ask("set_ready", session=session, ready=True)
        for client in (ann, bob):
            await client.until(
                lambda: "opened_at" in client[session].barrier)
            assert client[session].barrier["timed_out"] is False
            assert client[session].barrier["ready"] == []
