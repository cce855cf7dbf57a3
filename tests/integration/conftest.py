"""Runs coroutine tests, each bounded in time, and lends them nodes."""

import asyncio
import inspect
import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
# Proxies are not for loopback.
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"

from cluster import Cluster  # noqa: E402
from node import Node  # noqa: E402

TEST_SECONDS = 30
_numbers = itertools.count(1)


def pytest_configure(config):
    config.addinivalue_line("markers", "seconds(n): how long a test may take")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    mark = pyfuncitem.get_closest_marker("seconds")
    seconds = mark.args[0] if mark else TEST_SECONDS
    wanted = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in wanted}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), seconds))
    return True


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """One node for all tests of a file that do it no harm."""
    one = Node(tmp_path_factory.mktemp("node")).start()
    yield one
    assert one.alive(), one.said()
    assert one.end() == 0, one.said()


@pytest.fixture
def make_node(tmp_path):
    """Makes nodes that a test may mistreat."""
    nodes = []

    def make(*flags, **options):
        folder = tmp_path / f"node{len(nodes)}"
        nodes.append(Node(folder, *flags, **options))
        return nodes[-1]

    yield make
    for one in nodes:
        if one.process is not None:
            one.process.kill()
            one.process.wait()


@pytest.fixture
def cluster(tmp_path):
    """Three nodes and a nats-server that a test may mistreat."""
    one = Cluster(tmp_path / "cluster")
    try:
        yield one.start()
    finally:
        one.end()


@pytest.fixture(scope="module")
def trio(tmp_path_factory):
    """Three nodes and a nats-server for all tests of a file."""
    one = Cluster(tmp_path_factory.mktemp("trio"))
    try:
        one.start()
        for each in one.nodes:
            each.await_ready()
        yield one
    finally:
        one.end()


@pytest.fixture
def session():
    """A session id that no other test uses."""
    return f"s{next(_numbers)}"
