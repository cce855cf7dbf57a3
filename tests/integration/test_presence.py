"""Who is here: every rule of docs/protocol.md that two people can see."""

import asyncio
import copy
import time

import pytest

from client import Crew
from people import DIALECTS, FAST, agree, two

@pytest.mark.parametrize("first", DIALECTS)
@pytest.mark.parametrize("second", DIALECTS)
async def test_two_people_see_each_other(node, session, first, second):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session, dialects=[first, second])
        await agree(session, ann, bob)
        both = bob[session]
        assert both.snapshots == ["attached"]
        assert both.present == both.total == 2
        assert both.kind == "stage" and both.ended is False
        assert {k: both.settings[k] for k in FAST} == FAST
        one = both.one("ann")
        assert one["state"] == "online" and one["connections"] == 1
        assert abs(one["since_at"] / 1000 - time.time()) < 10
        assert one["participant_id"] == ann.welcome["participant_id"]
        assert ann.welcome["user"] == "ann"
        assert ann[session].types("joined") == ["joined"]


@pytest.mark.parametrize("how", ["header", "subprotocol", "hello"])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_token_travels_three_ways(node, how, dialect):
    async with Crew(node) as crew:
        ann = await crew.connect("ann", how=how, dialect=dialect)
        assert ann.welcome["user"] == "ann"
        assert 3600 < ann.welcome["expires_in_ms"] / 1000 <= 3631
        assert ann.welcome["limits"] == {
            "frame_bytes": 65536, "sessions": 16, "requests_per_second": 100}
        assert ("re" in ann.welcome) == (how == "hello")


async def test_profile_is_shown(node, session):
    async with Crew(node) as crew:
        ann, _ = await two(crew, session)
        eve = await crew.connect(
            "eve", claims={"name": "Éve 🎈", "email": "eve@example.org"})
        await eve.join(session)
        one = await ann.until(lambda: ann[session].one("eve"))
        assert one["name"] == "Éve 🎈" and one["email"] == "eve@example.org"


async def test_leave(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        answer = await bob.ask("leave", session=session)
        assert answer["level"] == "accepted" and answer["present"] == 1
        await ann.until(lambda: ann[session].who() == ["ann"])
        left, = ann.changes(session, "left")
        assert left["reason"] == "left" and left["present"] == 1
        assert ann[session].at >= answer["at"]
        before = len(bob.pushes)
        await ann.ask("set_live", session=session, live={"step": 1})
        await ann.until(lambda: ann.changes(session, "live"))
        await bob.ask("heartbeat")
        assert len(bob.pushes) == before, "a leave detaches"


@pytest.mark.parametrize("code", [1000, 1001])
async def test_close_with_goodbye_is_a_leave(node, session, code):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await bob.close(code)
        await ann.until(lambda: ann[session].who() == ["ann"])
        assert ann[session].types("suspected", "left") == ["left"]
        assert ann.changes(session, "left")[0]["reason"] == "left"


async def test_drop_is_suspected_then_left(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        dropped = time.monotonic()
        bob.drop()
        await ann.until(lambda: ann.changes(session, "suspected"))
        noticed = time.monotonic()
        assert noticed - dropped < 0.5
        one = ann[session].one("bob")
        assert one["state"] == "suspected"
        assert 500 < one["expires_in_ms"] <= FAST["drop_grace_ms"]
        assert ann[session].present == 2
        page = await ann.ask("get_roster", session=session)
        assert page["participants"][1]["state"] == "suspected"
        await ann.until(lambda: ann.changes(session, "left"))
        took = time.monotonic() - dropped
        assert 0.95 < took < FAST["drop_grace_ms"] / 1000 + 1
        assert ann.changes(session, "left")[0]["reason"] == "network"


async def test_close_without_1000_is_a_drop(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await bob.close(4000)
        await ann.until(lambda: ann.changes(session, "left"))
        assert ann[session].types("suspected", "left") == ["suspected", "left"]
        assert ann.changes(session, "left")[0]["reason"] == "network"


async def test_silence_is_suspected_then_timeout(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await bob.ask("heartbeat")
        last = time.monotonic()
        bob.silence()
        await ann.until(lambda: ann.changes(session, "suspected"))
        took = time.monotonic() - last
        assert 1.1 < took < 1.2 + 1, took
        assert 0 < ann[session].one("bob")["expires_in_ms"] <= 1300
        await ann.until(lambda: ann.changes(session, "left"))
        took = time.monotonic() - last
        assert 2.4 < took < 2.5 + 1, took
        assert ann.changes(session, "left")[0]["reason"] == "timeout"


async def test_who_timed_out_is_told(node, session):
    """Its socket still stands: without a word it believes to be present."""
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        bob.silence()
        await ann.until(lambda: ann.changes(session, "left"))
        await bob.until(lambda: bob.directs or bob.closed, seconds=2)
        if bob.directs:
            assert bob.directs[0] == {"push": "direct", "session": session,
                                      "type": "removed", "reason": "timeout"}


@pytest.mark.parametrize("sign", ["heartbeat", "ping", "request"])
async def test_sign_of_life_resumes(node, session, sign):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        bob.silence()
        await ann.until(lambda: ann.changes(session, "suspected"))
        if sign == "ping":
            await bob.socket.ping()
        elif sign == "heartbeat":
            await bob.send({"op": "heartbeat"})
        else:
            await bob.ask("get_roster", session=session)
        await ann.until(lambda: ann.changes(session, "resumed"))
        assert ann[session].types("suspected", "resumed", "left", "joined")[
            -2:] == ["suspected", "resumed"]
        assert ann[session].one("bob")["state"] == "online"
        bob.beating = True
        await agree(session, ann, bob)


async def test_beating_clients_are_never_suspected(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        # Longer than a timeout, nothing but heartbeats.
        await asyncio.sleep(3.5)
        assert ann[session].types("suspected", "left", "resumed") == []
        assert bob[session].who() == ["ann", "bob"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_resume_is_seamless(node, session, dialect):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        secret, old = bob.welcome["resume"], copy.deepcopy(bob[session])
        bob.drop()
        await ann.until(lambda: ann.changes(session, "suspected"))
        for step in range(3):
            await ann.ask("set_live", session=session, live={"step": step})
        again = await crew.connect("bob", dialect=dialect,
                                   hello={"resume": secret})
        # Take up the old replica: what is missed must link up with it.
        replica = again.replicas[session] = old
        answer = await again.ask("join", session=session, since=old.at)
        await again.until(lambda: replica.at >= answer["at"])
        assert replica.snapshots == ["attached"]
        assert answer["is_reconnection"] is False
        await ann.until(lambda: ann.changes(session, "resumed"))
        await agree(session, ann, again)
        assert ann[session].types("joined", "left") == ["joined"]
        assert replica.types("suspected", "resumed", "live")[0] == "suspected"
        assert "joined" not in replica.types("joined", "left")
        assert again[session].one("ann")["live"] == {"step": 2}
        await asyncio.sleep(1.5)
        assert ann[session].types("left") == []
        assert ann[session].one("bob")["connections"] == 1


async def test_resume_replaces_a_standing_connection(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        again = await crew.connect("bob",
                                   hello={"resume": bob.welcome["resume"]})
        await again.join(session)
        await bob.until(lambda: bob.closed)
        assert bob.closed == 3504 and bob.bye["reason"] == "replaced"
        assert bob.bye["reconnect"] is False
        await agree(session, ann, again)
        assert ann[session].types("joined", "left", "suspected") == ["joined"]
        assert ann[session].one("bob")["connections"] == 1


async def test_resume_secret_of_another_user_is_refused(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        eve = await crew.connect("eve")
        try:
            await eve.say_hello(resume=bob.welcome["resume"])
        except Exception:  # refused in whatever way: no harm is what counts
            pass
        if eve.closed is None:
            await eve.join(session)
            await ann.until(lambda: ann[session].one("eve"))
        assert bob.closed is None
        assert ann[session].one("bob")["connections"] == 1
        await bob.ask("heartbeat")


async def test_too_old_since_gives_a_snapshot(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        epoch, rev = bob[session].at
        for since, why in [([epoch - 1, rev], "epoch_changed"),
                           ([epoch, rev + 100], "epoch_changed")]:
            fresh = await crew.connect("eve")
            await fresh.ask("attach", session=session, since=since)
            await fresh.until(lambda: session in fresh
                              and fresh[session].snapshots)
            assert fresh[session].snapshots[0] in (
                why, "too_old", "unknown_session")


async def test_reconnection_is_counted(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        for times in (1, 2):
            if bob.closed is None:
                await bob.ask("leave", session=session)
            await ann.until(lambda: ann[session].who() == ["ann"])
            answer = await bob.join(session)
            assert answer["is_reconnection"] is True
            await ann.until(lambda: ann[session].one("bob"))
            assert ann[session].one("bob")["reconnections"] == times
            assert ann.changes(session, "joined")[-1]["is_reconnection"]
        await agree(session, ann, bob)


async def test_one_user_with_two_connections(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        other = await crew.connect("bob", dialect="json")
        answer = await other.join(session)
        assert answer["is_reconnection"] is False and answer["present"] == 2
        await ann.until(lambda: ann[session].one("bob")["connections"] == 2)
        await bob.close()
        await ann.until(lambda: ann[session].one("bob")["connections"] == 1)
        assert ann[session].types("joined", "left", "suspected") == ["joined"]
        await other.close()
        await ann.until(lambda: ann.changes(session, "left"))


async def test_joining_again_is_harmless(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        first = bob[session].at
        answer = await bob.ask("join", session=session)
        assert answer["present"] == 2 and answer["at"] >= first
        assert ann[session].types("joined", "left", "connection") == ["joined"]


async def test_live_state(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await ann.ask("set_member", session=session, user="bob",
                      give=["can_speak"])
        answer = await bob.ask("set_live", session=session, live={
            "speaking": True, "step": 3, "level": 0.5, "note": "é🎈"})
        assert answer["level"] == "accepted"
        await ann.until(lambda: ann[session].one("bob").get("live"))
        assert ann[session].one("bob")["live"] == {
            "speaking": True, "step": 3, "level": 0.5, "note": "é🎈"}
        await bob.ask("set_live", session=session,
                      live={"speaking": None, "step": 4})
        await ann.until(
            lambda: ann[session].one("bob")["live"].get("step") == 4)
        assert "speaking" not in ann[session].one("bob")["live"]
        fresh = await crew.connect("eve", dialect="msgpack")
        await fresh.join(session, live={"audio": False})
        assert fresh[session].one("bob")["live"] == {
            "step": 4, "level": 0.5, "note": "é🎈"}
        await ann.until(lambda: ann[session].one("eve"))
        assert ann[session].one("eve")["live"] == {"audio": False}
        await agree(session, ann, bob, fresh)


async def test_live_needs_presence(node, session):
    async with Crew(node) as crew:
        await two(crew, session)
        eve = await crew.connect("eve")
        await eve.attach(session)
        error = await eve.refused("set_live", session=session, live={"a": 1})
        assert error["code"] in ("conflict", "forbidden", "not_found")


async def test_versions_grow_and_answers_can_be_read(node, session):
    """An answer's `at` is where a read sees the effect."""
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        last = ann[session].at
        for step in range(20):
            answer = await ann.ask("set_live", session=session,
                                   live={"step": step})
            assert answer["at"] > last
            last = answer["at"]
            page = await bob.ask("get_roster", session=session)
            if page["at"] >= last:
                assert page["participants"][0]["live"]["step"] == step
            await bob.until(lambda: bob[session].at >= last)
            assert bob[session].one("ann")["live"]["step"] == step
