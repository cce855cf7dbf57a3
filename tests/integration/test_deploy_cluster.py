"""deploy/cluster as a person meets it."""

import asyncio
import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

import pytest

from client import Client
from cluster import NATS_SERVER
from node import BINARY, ROOT

START_SECONDS = 40
END_SECONDS = 20


def free_ports(count):
    """The first of `count` free ports in a row."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            base = first.getsockname()[1]
            try:
                for port in range(base + 1, base + count):
                    stack.enter_context(socket.socket()).bind(
                        ("127.0.0.1", port))
            except OSError:
                continue
            if base + count < 60_000:
                return base


class Script:
    """The script on a data folder, in a process group like a terminal's."""

    def __init__(self, folder, nodes=2):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        # Three NATS servers, and 100 above what is between them.
        base = free_ports(2 * nodes + 103)
        self.ports = list(range(base, base + nodes))
        self.nats_port = base + 2 * nodes
        self.output = self.folder / "output"
        self.process = None

    def start(self, *more):
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(
                [ROOT / "deploy/cluster", "--nodes", str(len(self.ports)),
                 "--port", str(self.ports[0]), "--nats-port",
                 str(self.nats_port), "--data", self.data, *more],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True,
                env={**os.environ, "ROLLCALLD": str(BINARY),
                     "NATS_SERVER": NATS_SERVER})
        return self

    def await_links(self):
        deadline = time.monotonic() + START_SECONDS
        while "Stop with Ctrl-C" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)
        return re.findall(r"http://127\.0\.0\.1:(\d+)/#\S*token=(\S+)",
                          self.said())

    def said(self):
        return self.output.read_text(errors="replace")

    def left(self):
        """What still runs on our data: command lines by process."""
        found = {}
        for one in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = one.read_bytes().replace(b"\0", b" ").decode()
                if str(self.data) in line:
                    found[int(one.parent.name)] = line
        return found

    def await_nothing_left(self):
        deadline = time.monotonic() + END_SECONDS
        while left := self.left():
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


@pytest.fixture
def script(tmp_path):
    one = Script(tmp_path)
    yield one
    if one.process is not None and one.process.poll() is None:
        # What it started ends with it.
        one.process.kill()
        one.process.wait()
    one.await_nothing_left()


async def connect(port, token):
    return await Client.open(f"ws://127.0.0.1:{port}/v1/connect", token)


@pytest.mark.seconds(90)
@pytest.mark.parametrize("servers", ["1", "3"])
async def test_links_lead_into_one_session_and_data_stay(script, servers):
    links = script.start("--nats", servers).await_links()
    assert [int(port) for port, _ in links] == script.ports
    ada, ben = [await connect(*link) for link in links]
    await ada.ask("create_session", session="kept", kind="party")
    for one in (ada, ben):
        await one.join("kept")
    for one in (ada, ben):
        await one.until(lambda: one["kept"].present == 2)
    await ada.close()
    await ben.close()
    # Ctrl-C in a terminal reaches all of the group.
    os.killpg(script.process.pid, signal.SIGINT)
    assert script.process.wait(END_SECONDS) == 0, script.said()
    assert not script.left()
    assert script.said().rstrip().endswith("stopped")
    for n in range(1, len(script.ports) + 1):
        said = (script.data / f"node{n}.log").read_text()
        assert "stopping" in said
        # NATS was there until the node had said goodbye.
        assert "disconnected" not in said
    links = script.start("--nats", servers).await_links()
    ada = await connect(*links[1])
    answer = await ada.join("kept")
    assert answer["ok"] is True, "the session is still there"
    await ada.close()
    script.process.terminate()
    assert script.process.wait(END_SECONDS) == 0, script.said()
    assert not script.left()


async def test_split_roles_look_the_same(script):
    links = script.start("--roles", "split").await_links()
    assert [int(port) for port, _ in links] == script.ports
    ada, ben = [await connect(*link) for link in links]
    await ada.ask("create_session", session="s", kind="party")
    for one in (ada, ben):
        await one.join("s")
    for one in (ada, ben):
        await one.until(lambda: one["s"].present == 2)
    for one in (ada, ben):
        await one.close()
    # What is kept is kept elsewhere.
    assert not (script.data / "node1" / "store").exists()
    assert (script.data / "core1" / "store").exists()
    script.process.terminate()
    assert script.process.wait(END_SECONDS) == 0, script.said()


def test_killed_it_leaves_nothing_behind(script):
    script.start().await_links()
    assert len(script.left()) >= 4
    script.process.kill()
    script.process.wait()
    script.await_nothing_left()


def kill(script, program, name):
    [pid] = [pid for pid, line in script.left().items()
             if re.search(f"{program}.*{script.data}/{name}", line)]
    os.kill(pid, signal.SIGKILL)


def test_a_server_that_ends_is_named(script):
    script.start().await_links()
    kill(script, "nats-server", "nats0")
    assert script.process.wait(END_SECONDS) == 1
    assert "error: nats0 ended by itself, with status 137" in script.said()
    assert not script.left()


async def test_a_node_that_is_killed_comes_back(script):
    links = script.start().await_links()
    ada = await connect(*links[0])
    await ada.join("s", create="party")
    for times in (1, 2):
        kill(script, "rollcalld", "node2")
        while script.said().count("node2 is back") < times:
            await asyncio.sleep(0.05)
        ben = await connect(*links[1])
        await ben.join("s")
        await ada.until(lambda: ada["s"].present == 2)
        await ben.ask("leave", session="s")
        await ada.until(lambda: ada["s"].present == 1)
        await ben.close()
    assert "node2 ended by itself, with status 137" in script.said()
    await ada.close()
    script.process.terminate()
    assert script.process.wait(END_SECONDS) == 0, script.said()
    assert not script.left()


def test_a_port_that_is_taken_is_named(script):
    for port, option in ((script.ports[1], "--port"),
                         (script.nats_port, "--nats-port")):
        with socket.socket() as squatter:
            squatter.bind(("127.0.0.1", port))
            squatter.listen()
            assert script.start().process.wait(END_SECONDS) == 1
            assert f"port {port} is taken" in script.said()
            assert option in script.said()
        assert not script.left()


def test_two_on_one_folder_do_not_mix(script, tmp_path):
    script.start().await_links()
    other = Script(tmp_path)
    other.output = tmp_path / "other"
    assert other.start().process.wait(END_SECONDS) == 1
    assert "another deploy/cluster runs" in other.said()
    assert script.process.poll() is None


@pytest.mark.parametrize("flags, word", [
    (("--nodes", "0"), "--nodes"), (("--nats", "2"), "--nats"),
    (("--port", "x"), "--port"), (("--roles", "none"), "--roles"),
    (("--what",), "--what"), (("--data",), "--data")])
def test_what_cannot_be_is_refused(script, flags, word):
    assert script.start(*flags).process.wait(END_SECONDS) == 1
    assert word in script.said().splitlines()[-1]
