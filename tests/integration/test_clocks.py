"""A node whose wall clock is wrong: it owns nothing, and says why."""

import pathlib
import re
import time
import urllib.error
import urllib.request

import pytest

from cluster import Cluster

LIBRARY = pathlib.Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
#: Two heartbeats, three seconds for a clock that changes, and a hand-over.
SOON = 20


def fetch(node, path):
    try:
        with urllib.request.urlopen(
                f"http://127.0.0.1:{node.port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def wait_for(condition, what):
    deadline = time.monotonic() + SOON
    while not (found := condition()):
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)
    return found


def shift(node, folder, shift):
    """The node's wall clock is `shift` ahead; the file may change it later."""
    setting = folder / f"{node.folder.name}.clock"
    setting.write_text(shift)
    node.environment |= {
        "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(setting),
        "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return setting


def difference(node):
    """The gauge, in seconds."""
    status, text = fetch(node, "/metrics")
    assert status == 200
    return float(re.search(r"^rollcall_clock_difference_seconds (\S+)$", text,
                           re.M)[1])


def claimed(node):
    return node.said().count("journal claimed")


def told(node):
    return lambda: f"{fetch(node, '/readyz')}\n{node.said()}"


@pytest.fixture
def three(tmp_path):
    one = Cluster(tmp_path / "cluster", "--log-format", "text")
    one.nats.start()
    yield one
    one.end()


def test_a_node_whose_clock_is_wrong_owns_nothing_until_it_is_right(
        three, tmp_path):
    right, other, wrong = three.nodes
    clock = shift(wrong, tmp_path, "+3600s")
    right.start()
    other.start()
    right.await_ready()
    other.await_ready()
    wrong.start()
    status, why = wait_for(
        lambda: (answer := fetch(wrong, "/readyz"))[0] == 503
        and "node0, node1" in answer[1] and answer, told(wrong))
    assert status == 503
    assert re.search(r"the clock of this node differs by 3(599|600) s from "
                     r"those of node0, node1: .*run NTP here", why), why
    wait_for(lambda: "clock_differs" in right.said(), told(right))
    # Whole, with what to do.
    assert re.search(r"warn +node clock_differs why=.*that of node2: "
                     r"run NTP there", right.said())
    assert re.search(r"error node clock_differs why=.*run NTP here",
                     wrong.said())
    assert abs(difference(wrong) + 3600) < 5
    assert abs(difference(right) - 3600) < 5
    assert fetch(right, "/readyz")[0] == 200
    # Longer than others would wait for it to take its share.
    end = time.monotonic() + 4
    while time.monotonic() < end:
        assert claimed(wrong) == 0, wrong.said()
        time.sleep(0.1)
    clock.write_text("+0s")
    wait_for(lambda: claimed(wrong) > 0, told(wrong))
    wrong.await_ready()
    assert "clock_agrees" in wrong.said()


def test_a_node_whose_clock_goes_wrong_gives_away_what_it_has(
        three, tmp_path):
    clock = shift(three.nodes[2], tmp_path, "+0s")
    for node in three.nodes:
        node.start()
    for node in three.nodes:
        node.await_ready()
    wrong = three.nodes[2]
    wait_for(lambda: claimed(wrong) > 0, told(wrong))
    before = [claimed(node) for node in three.nodes]
    clock.write_text("-3600s")
    wait_for(lambda: fetch(wrong, "/readyz")[0] == 503, told(wrong))

    def moved():
        now = [claimed(node) for node in three.nodes]
        return sum(now[:2]) - sum(before[:2]) >= before[2]

    wait_for(moved, told(wrong))
    assert claimed(wrong) == before[2]
    assert fetch(three.nodes[0], "/readyz")[0] == 200


def test_of_two_nodes_the_later_one_stands_aside(tmp_path):
    one = Cluster(tmp_path / "cluster", "--log-format", "text",
                  roles=[("core,edge",)] * 2)
    first, later = one.nodes
    try:
        one.nats.start()
        shift(later, tmp_path, "+60s")
        first.start().await_ready()
        # Its start has to be told from the other's.
        time.sleep(1.5)
        later.start()
        wait_for(lambda: "clock" in fetch(later, "/readyz")[1], told(later))
        wait_for(lambda: "clock_differs" in first.said(), told(first))
        assert claimed(later) == 0
        assert fetch(first, "/readyz")[0] == 200
    finally:
        one.end()
