"""NATS loses what it had: the nodes' copies are what is left, and enough."""

import asyncio
import signal
import time

import pytest

from client import Refused
from test_cluster import SESSIONS, SPANS, all_agree, ask_until, false_leaves
from test_cluster import people


async def commit_all(client, user, seconds=15):
    """Makes `user` a member everywhere; the totals that were answered."""
    totals = []
    for session in SESSIONS:
        answer, _ = await ask_until(client, "set_member", session=session,
                                    user=user, role="guest", seconds=seconds)
        totals.append(answer["total"])
    return totals


async def standbys_have_all(cluster):
    """A heartbeat, a tick of the standby and a little more."""
    await asyncio.sleep(3)


@pytest.mark.seconds(120)
async def test_a_wiped_nats_loses_nothing(cluster):
    async with people(cluster) as them:
        await commit_all(them[0], "kept")
        await standbys_have_all(cluster)
        cluster.nats.end(signal.SIGKILL)
        cluster.nats.wipe()
        cluster.nats.start()
        begin = time.monotonic()
        totals = await commit_all(them[0], "after", seconds=60)
        print(f"writable again {time.monotonic() - begin:.1f} s after the wipe")
        # Three who are here, the member from before, and the new one.
        assert totals == [5] * len(SESSIONS)
        await all_agree(them, ["u0", "u1", "u2"])
        for one in them:
            assert false_leaves(one) == []
        for node in cluster.nodes:
            assert node.alive(), node.said()
        # Each store has it: the last one left answers from its own.
        await standbys_have_all(cluster)
        cluster.nodes[1].end(signal.SIGKILL)
        cluster.nodes[2].end(signal.SIGKILL)
        for session in SESSIONS:
            await them[0].until(lambda: them[0][session].present == 1,
                                seconds=40)
            # Who joins a session with durable membership is a member.
            assert them[0][session].total == 5
        # And again, with what was made anew: a second loss is no worse.
        cluster.nodes[1].start()
        await asyncio.sleep(5)
        cluster.nats.end(signal.SIGKILL)
        cluster.nats.wipe()
        cluster.nats.start()
        cluster.nodes[2].start()
        totals = await commit_all(them[0], "twice", seconds=60)
        assert totals == [6] * len(SESSIONS)


@pytest.mark.seconds(150)
async def test_a_stale_copy_waits_for_an_operator(cluster):
    async with cluster.crew(0) as crew:
        first = await crew.connect("u0")
        for session in SESSIONS:
            await ask_until(first, "create_session", session=session,
                            kind="stage", settings=SPANS)
        await commit_all(first, "early")
        await standbys_have_all(cluster)
        cluster.nodes[2].end(signal.SIGKILL)
        await commit_all(first, "late")
    for node in cluster.nodes[:2]:
        node.end(signal.SIGKILL)
    cluster.nats.end(signal.SIGKILL)
    cluster.nats.wipe()
    cluster.nats.start()

    stale = cluster.nodes[2].start()
    async with cluster.crew(2) as crew:
        one = await crew.connect("u0")
        begin = time.monotonic()
        while time.monotonic() - begin < 10:
            with pytest.raises(Refused) as why:
                await one.ask("set_member", session=SESSIONS[0], user="x",
                              role="guest")
            assert why.value.code == "unavailable", why.value.error
            await asyncio.sleep(0.2)
    assert "journal_gone" in stale.said(), stale.said()[-2000:]
    assert "is missing and may have more" in stale.said()
    assert stale.end(signal.SIGTERM) == 0

    stale.flags.append("--accept-loss")
    stale.start()
    async with cluster.crew(2) as crew:
        one = await crew.connect("u0")
        totals = await commit_all(one, "anew", seconds=60)
        # The early member and the new one; the late one was given up.
        assert totals == [2] * len(SESSIONS), stale.said()[-2000:]

        # Who has more does not mix it in, and says so.
        cluster.nodes[0].start()
        deadline = time.monotonic() + 20
        while "journal_behind" not in cluster.nodes[0].said():
            assert time.monotonic() < deadline, cluster.nodes[0].said()[-2000:]
            await asyncio.sleep(0.2)
        assert await commit_all(one, "more", seconds=30) == [3] * len(SESSIONS)


@pytest.mark.seconds(90)
async def test_older_files_of_nats_are_not_believed(cluster):
    async with people(cluster) as them:
        await commit_all(them[0], "early")
        cluster.nats.end(signal.SIGTERM)
        cluster.nats.save()
        cluster.nats.start()
        totals = await commit_all(them[0], "late", seconds=30)
        assert totals == [5] * len(SESSIONS)
        await standbys_have_all(cluster)
        cluster.nats.end(signal.SIGKILL)
        cluster.nats.restore()
        cluster.nats.start()
        totals = await commit_all(them[0], "after", seconds=60)
        assert totals == [6] * len(SESSIONS)
        await all_agree(them, ["u0", "u1", "u2"])
        for one in them:
            assert false_leaves(one) == []
