"""Leased connections: presence that no socket stands for."""

import asyncio
import signal
import time

import pytest

from client import Crew
from people import FAST, two

SHORT = {**FAST, "suspect_after_ms": 1200, "timeout_ms": 2500}


async def test_lease_outlives_its_socket_and_ends_in_time(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session, SHORT)
        eve = await crew.connect("eve")
        joined = await eve.ask("join", session=session, lease_ms=0)
        assert joined["lease_ms"] == 2500
        assert joined["connection_id"] != eve.welcome["connection_id"]
        await eve.close()
        began = time.monotonic()
        await ann.until(lambda: "eve" in ann[session].who())
        again = await crew.connect("eve")
        for _ in range(3):
            await asyncio.sleep(0.9)
            answer = await again.ask("renew", session=session,
                                     connection_id=joined["connection_id"])
            assert answer["lease_ms"] == 2500
        assert not ann.changes(session, "left", "suspected")
        renewed = time.monotonic()
        assert renewed - began > 2.5
        await ann.until(lambda: ann.changes(session, "left"))
        assert 2.3 < time.monotonic() - renewed < 4.0
        left, = ann.changes(session, "left")
        assert left["reason"] == "timeout"
        assert ann.changes(session, "suspected")
        error = await again.refused("renew", session=session)
        assert error["code"] == "not_found"


async def test_lease_ends_by_leave(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        one = await bob.ask("join", session=session, lease_ms=60000)
        await ann.until(
            lambda: ann[session].one("bob")["connections"] == 2)
        eve = await crew.connect("eve")
        await eve.ask("leave", session=session,
                      connection_id=one["connection_id"])
        assert ann[session].one("bob")["connections"] == 2
        await bob.ask("leave", session=session,
                      connection_id=one["connection_id"])
        await ann.until(
            lambda: ann[session].one("bob")["connections"] == 1)
        await bob.ask("set_live", session=session, live={"still": True})
        error = await bob.refused("join", session=session, lease_ms=5)
        assert (error["code"], error["field"]) == ("bad_request", "lease_ms")


@pytest.mark.seconds(60)
async def test_lease_survives_kill(make_node):
    node = make_node().start()
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session="s", kind="stage",
                      settings=FAST)
        joined = await ann.ask("join", session="s", lease_ms=60000)
        # What the store keeps of a roster is written soon, not at once.
        await asyncio.sleep(0.5)
        node.end(signal.SIGKILL)
        await ann.until(lambda: ann.closed)
    node.start()
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.attach("s")
        assert ann["s"].who() == ["ann"]
        # Longer than what waits for an edge's word, and than its grace.
        await asyncio.sleep(6.5)
        assert not ann.changes("s", "left")
        await ann.ask("renew", session="s",
                      connection_id=joined["connection_id"])
        await ann.ask("leave", session="s",
                      connection_id=joined["connection_id"])
        await ann.until(lambda: ann["s"].who() == [])
    assert node.end() == 0
