"""Live pages on different nodes of a cluster."""

import pathlib
import re
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))

from cluster import Cluster  # noqa: E402

GRACE_SECONDS = 10  # drop_grace of the kind `party`
LEASE_SECONDS = 6  # how long an edge may be silent


class Place:
    """A node as a person sees it: an address and three tokens."""

    def __init__(self, node):
        self.node = node
        self.url = f"http://127.0.0.1:{node.port}"
        self.tokens = re.findall(r"token=([\w.-]+)", node.said())


@pytest.fixture
def places(tmp_path):
    """Two nodes and a nats-server that a test may mistreat."""
    one = Cluster(tmp_path / "cluster", roles=[("core,edge",)] * 2)
    try:
        one.start()
        yield [Place(node.await_ready()) for node in one.nodes]
    finally:
        one.end()


@pytest.fixture
def two(person, places, session):
    """Ada on the first node, Ben on the second; they see each other."""
    ada, ben = person(), person()
    for who, (one, place) in enumerate(zip((ada, ben), places)):
        one.node = place
        one.enter(who, session)
    ada.until(lambda: ada.other(ben.own_name()), "Ada sees Ben")
    ben.until(lambda: ben.other(ada.own_name()), "Ben sees Ada")
    assert ada.node.url != ben.node.url
    return ada, ben


def test_people_on_two_nodes_are_together(two):
    ada, ben = two
    for one in two:
        one.until(lambda: one.text("#present") == "2", "two are counted")
    ben.click(".toggle[data-key=hand]")
    ada.until(lambda: ada.other(ben.own_name())["chips"] == ["Hand up"],
              "Ada sees Ben's hand")
    name = ada.own_name()
    ada.driver.get("about:blank")
    ben.until(lambda: ben.other(name) is None, "a goodbye is seen at once",
              seconds=GRACE_SECONDS / 2)
    assert ben.complaints() == []


def test_a_browser_killed_elsewhere_is_suspected_and_then_gone(two):
    ada, ben = two
    name = ben.own_name()
    ben.kill()
    ada.until(lambda: ada.other(name)["state"] == "suspected", "suspected")
    assert ada.text("#present") == "2", "the suspected still count"
    ada.until(lambda: ada.other(name) is None, "gone",
              seconds=GRACE_SECONDS + 5)
    ada.until(lambda: ada.text("#present") == "1", "counted out")
    lines = [line for line in ada.feed() if line.startswith(name)]
    assert lines[-2:] == [f"{name} may be gone: connection silent",
                          f"{name} left: the connection was lost"]
    assert ada.complaints() == []


def test_a_killed_node_takes_its_page_and_no_other(two, places):
    ada, ben = two
    mine, name = ada.own_name(), ben.own_name()
    places[1].node.end(signal.SIGKILL)
    ben.until(lambda: ben.text("#link-text") == "Reconnecting", "offline")
    ada.until(lambda: ada.other(name) is None, "Ben is gone",
              seconds=LEASE_SECONDS + GRACE_SECONDS + 10)
    ada.until(lambda: ada.text("#present") == "1", "counted out")
    assert ada.text("#link-text") == "Online"
    assert not [line for line in ada.feed()
                if line.startswith(mine) and "left" in line]
    # The node comes back, and so does the page by itself.
    places[1].node.start()
    ben.until(lambda: ben.text("#link-text") == "Online", "online", seconds=20)
    ada.until(lambda: ada.other(name), "Ben is back", seconds=20)
    ben.until(lambda: ben.text("#present") == "2", "both are counted")
    assert ada.complaints() == []
