"""Two nodes that own partitions, and one that serves clients only."""

import contextlib
import json
import signal
import threading
import time
import urllib.error
import urllib.request

import pytest

from cluster import Cluster
from node import run
from test_cluster import SESSIONS, SPANS, ask_until, false_leaves

CORE, EDGE = ("core",), ("edge",)


@pytest.fixture
def split(tmp_path):
    one = Cluster(tmp_path / "cluster", roles=[CORE, CORE, EDGE])
    try:
        yield one.start()
    finally:
        one.end()


def fetch(node, path):
    """Status and text of a page of a node's."""
    try:
        with urllib.request.urlopen(
                f"http://127.0.0.1:{node.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


@contextlib.asynccontextmanager
async def two_at_the_edge(cluster):
    async with cluster.crew(2) as crew:
        ada, ben = await crew.connect("ada"), await crew.connect("ben")
        for session in SESSIONS:
            await ask_until(ada, "create_session", session=session,
                            kind="stage", settings=SPANS)
            for one in (ada, ben):
                await one.join(session)
        for session in SESSIONS:
            await ada.until(lambda: ada[session].present == 2)
        yield ada, ben


@pytest.mark.seconds(60)
async def test_an_edge_serves_what_cores_own(split):
    async with two_at_the_edge(split) as (ada, ben):
        await ada.ask("set_live", session="c1", live={"hand": True})
        await ben.until(lambda: ben.changes("c1", "live"))
        # A core is lost: its sessions come back at the other.
        split.nodes[0].end(signal.SIGKILL)
        for session in SESSIONS:
            answer, _ = await ask_until(ada, "set_member", session=session,
                                        user="kept", role="guest")
            assert answer["total"] == 3
        for session in SESSIONS:
            for one in (ada, ben):
                await one.until(
                    lambda: one[session].who() == ["ada", "ben"], seconds=30)
        for one in (ada, ben):
            assert false_leaves(one) == []
    # The edge kept nothing and owned nothing.
    assert not (split.nodes[2].data / "store").exists()
    assert "claimed" not in split.nodes[2].said()
    assert "claimed" in split.nodes[1].said()


@pytest.mark.seconds(60)
async def test_an_edge_that_is_lost_takes_its_clients(split):
    late = split.add("late", "edge").start()
    async with two_at_the_edge(split) as (ada, _), split.crew(3) as crew:
        eve = await crew.connect("eve")
        await eve.join("c1")
        await ada.until(lambda: ada["c1"].present == 3)
        late.end(signal.SIGKILL)
        await ada.until(lambda: ada["c1"].who() == ["ada", "ben"], seconds=20)
        assert [one["reason"] for one in ada.changes("c1", "left")] \
            == ["edge_lost"]


def test_a_core_has_figures_and_no_clients(split):
    core, edge = split.nodes[0], split.nodes[2]
    assert fetch(core, "/healthz") == (200, "ok\n")
    status, text = fetch(core, "/metrics")
    assert status == 200 and "rollcall_" in text
    for path in ("/", "/app.js", "/v1/connect", "/v1/anything"):
        status, text = fetch(core, path)
        assert status == 404, path
        assert json.loads(text)["status"] == 404
    assert fetch(edge, "/")[0] == 200


def test_ready_when_every_partition_has_an_owner(tmp_path):
    one = Cluster(tmp_path / "cluster", roles=[CORE, EDGE])
    try:
        one.nats.start()
        edge = one.nodes[1].start()
        # Nobody owns anything yet.
        assert fetch(edge, "/readyz") == (
            503, "not ready: not every partition has an owner yet\n")
        assert fetch(edge, "/healthz") == (200, "ok\n")
        one.nodes[0].start()
        for node in one.nodes:
            node.await_ready()
        assert fetch(edge, "/readyz") == (200, "ready\n")
    finally:
        one.end()


def start_aside(node):
    """Starts a node that is not expected to come up soon."""
    def start():
        with contextlib.suppress(AssertionError):
            node.start()

    starting = threading.Thread(target=start)
    starting.start()
    deadline = time.monotonic() + 10
    while node.process is None or "waits_for_server" not in node.said():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return starting


def test_a_node_waits_for_nats(tmp_path):
    one = Cluster(tmp_path / "cluster", "--log-format", "text")
    early, unwanted = one.nodes[:2]
    try:
        waiting = start_aside(early)
        # The log says all of it, with what to look at.
        assert "is it running, and is cluster.nats right?" in early.said()
        start_aside(unwanted)
        process = unwanted.process
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, unwanted.said()
        # Longer than one try takes.
        time.sleep(2)
        one.nats.start()
        waiting.join()
        early.await_ready()
    finally:
        one.end()


@pytest.mark.parametrize("roles, nats, word", [
    ("edge", [], "cluster.nats"), ("core", [], "cluster.nats"),
    ("", ["--cluster-nats", "nats://localhost:1"], "core"),
    ("cor", ["--cluster-nats", "nats://localhost:1"], "cor"),
])
def test_roles_that_cannot_be_are_refused(roles, nats, word):
    status, _, errors = run("--quickstart", "--check-config",
                            "--cluster-roles", roles, *nats)
    assert status == 2
    assert "cluster.roles" in errors and word in errors, errors
