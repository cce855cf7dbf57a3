"""Three nodes, one presence: real processes, a real nats-server."""

import asyncio
import contextlib
import signal
import time

import pytest

from client import Refused

SPANS = {"identity": "named", "membership": "durable", "host": "appointed",
         "beat_ms": 1000, "suspect_after_ms": 3000, "timeout_ms": 8000,
         "drop_grace_ms": 1000}
SESSIONS = [f"c{n}" for n in range(12)]
#: `left` with one of these is nobody's own wish.
FAULTS = {"timeout", "network", "edge_lost"}


async def ask_until(client, op, seconds=15, **keys):
    """Asks until it is not refused as `unavailable`; how long that took."""
    begin = time.monotonic()
    while True:
        try:
            return await client.ask(op, **keys), time.monotonic() - begin
        except Refused as why:
            assert why.code == "unavailable", why.error
            assert why.error["retryable"] is True
            assert time.monotonic() - begin < seconds, "no owner in time"
            await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def people(cluster):
    """One person at each node, all in all sessions."""
    async with contextlib.AsyncExitStack() as stack:
        crews = [await stack.enter_async_context(cluster.crew(n))
                 for n in range(len(cluster.nodes))]
        them = [await crew.connect(f"u{n}") for n, crew in enumerate(crews)]
        for session in SESSIONS:
            await ask_until(them[0], "create_session", session=session,
                            kind="stage", settings=SPANS)
            for one in them:
                await one.join(session)
        for session in SESSIONS:
            for one in them:
                await one.until(lambda: one[session].present == 3)
        yield them


def false_leaves(client, gone=()):
    """Everyone who left without wanting to and without their edge's end."""
    return [(session, change) for session in SESSIONS
            for change in client.changes(session, "left")
            if change["reason"] in FAULTS
            and change["participant_id"] not in gone]


def stale_sessions(client):
    """Those whose last push said so."""
    last = {push["session"]: push.get("stale", False)
            for push in client.pushes if push["push"] in ("changes", "snapshot")}
    return {session for session, stale in last.items() if stale}


async def all_agree(clients, expected):
    for session in SESSIONS:
        for one in clients:
            await one.until(lambda: one[session].who() == expected,
                            seconds=30)


@pytest.mark.seconds(60)
async def test_one_presence_over_all_nodes(cluster):
    async with people(cluster) as them:
        await all_agree(them, ["u0", "u1", "u2"])
        begin = time.monotonic()
        await them[0].ask("set_live", session="c1", live={"hand": True})
        await them[2].until(lambda: them[2].changes("c1", "live"))
        print(f"live state seen elsewhere after {time.monotonic() - begin:.3f} s")
        await them[1].ask("leave", session="c1")
        await them[0].until(lambda: them[0]["c1"].who() == ["u0", "u2"])
        await them[2].until(lambda: them[2]["c1"].who() == ["u0", "u2"])


@pytest.mark.seconds(90)
async def test_a_killed_node_takes_only_its_own_clients(cluster):
    async with people(cluster) as them:
        for session in SESSIONS:
            await them[0].ask("set_member", session=session, user="kept",
                              role="guest")
        gone = {them[2].welcome["participant_id"]}
        cluster.nodes[2].end(signal.SIGKILL)
        took = []
        for session in SESSIONS:
            _, seconds = await ask_until(them[1], "set_live", session=session,
                                         live={"after": 1})
            took.append(seconds)
        print(f"first accepted after the kill: {sum(took):.2f} s for all")
        assert sum(took) < 10
        await all_agree(them[:2], ["u0", "u1"])
        for one in them[:2]:
            assert false_leaves(one, gone) == []
        # What was committed is there, whoever owns it now.
        for session in SESSIONS:
            answer, _ = await ask_until(
                them[0], "set_member", session=session, user="kept",
                role="guest", op_id="again")
            assert answer["total"] == 3 + 1


@pytest.mark.seconds(90)
async def test_a_node_that_leaves_in_order_is_not_missed(cluster):
    async with people(cluster) as them:
        for session in SESSIONS:
            await them[2].ask("leave", session=session)
        await all_agree(them[:2], ["u0", "u1"])
        begin = time.monotonic()
        assert cluster.nodes[2].end(signal.SIGTERM) == 0
        slowest = 0
        for session in SESSIONS:
            _, seconds = await ask_until(them[1], "set_live", session=session,
                                         live={"after": 1})
            slowest = max(slowest, seconds)
        print(f"gone after {time.monotonic() - begin:.2f} s, "
              f"longest wait for an answer {slowest:.2f} s")
        # Longer than a restored participant stays unconfirmed.
        await asyncio.sleep(7)
        await all_agree(them[:2], ["u0", "u1"])
        for one in them[:2]:
            assert false_leaves(one) == []
        # It comes back, takes its share, and nobody notices.
        cluster.nodes[2].start()
        await asyncio.sleep(7)
        for session in SESSIONS:
            await ask_until(them[0], "set_live", session=session,
                            live={"again": 1})
        await all_agree(them[:2], ["u0", "u1"])
        for one in them[:2]:
            assert false_leaves(one) == []


@pytest.mark.seconds(90)
async def test_a_stopped_node_is_replaced_and_bows_when_it_wakes(cluster):
    async with people(cluster) as them:
        gone = {them[2].welcome["participant_id"]}
        cluster.nodes[2].signal(signal.SIGSTOP)
        for session in SESSIONS:
            await ask_until(them[1], "set_live", session=session,
                            live={"after": 1})
        cluster.nodes[2].signal(signal.SIGCONT)
        await asyncio.sleep(3)
        for session in SESSIONS:
            await ask_until(them[1], "set_live", session=session,
                            live={"woken": 1})
        for one in them[:2]:
            assert false_leaves(one, gone) == []


@pytest.mark.seconds(90)
async def test_without_nats_durable_changes_wait_and_people_stay(cluster):
    async with people(cluster) as them:
        cluster.nats.end(signal.SIGKILL)
        await asyncio.sleep(2)
        refused = 0
        for session in SESSIONS:
            try:
                await them[0].ask("set_member", session=session, user="x",
                                  role="guest")
            except Refused as why:
                assert why.code == "unavailable", why.error
                refused += 1
        assert refused == len(SESSIONS)
        assert all(one.closed is None for one in them)
        for one in them:
            await one.until(lambda: stale_sessions(one) == set(SESSIONS))
        cluster.nats.start()
        for session in SESSIONS:
            await ask_until(them[0], "set_member", session=session, user="y",
                            role="guest", seconds=30)
        await all_agree(them, ["u0", "u1", "u2"])
        for one in them:
            await one.until(lambda: stale_sessions(one) == set())
            assert false_leaves(one) == []
