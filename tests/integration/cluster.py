"""Several nodes and a nats-server, all of their own."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from client import Crew
from node import Node

NODES = 3


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Nats:
    """One nats-server with JetStream; may be started again and again."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.process = None

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"

    def start(self):
        with open(self.folder / "log", "ab") as out:
            self.process = subprocess.Popen(
                ["nats-server", "--addr", "127.0.0.1", "--port",
                 str(self.port), "--jetstream", "--store_dir",
                 str(self.data)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def end(self, how=signal.SIGTERM):
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(10)
            self.process = None

    @property
    def data(self):
        return self.folder / "data"

    def wipe(self):
        """While it is ended: everything it kept is gone."""
        shutil.rmtree(self.data)

    def save(self):
        """While it is ended: its files as they are, for `restore`."""
        shutil.copytree(self.data, self.folder / "saved")

    def restore(self):
        self.wipe()
        shutil.move(self.folder / "saved", self.data)


class Cluster:
    """`nodes[i]` may be ended and started like any node."""

    def __init__(self, folder, *flags):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.nats = Nats(self.folder / "nats")
        secret = self.folder / "secret"
        secret.write_bytes(os.urandom(24).hex().encode())
        secret.chmod(0o600)
        self.nodes = [
            Node(self.folder / f"node{n}", "--name", f"node{n}",
                 "--cluster-nats", self.nats.url,
                 "--tokens-secret-file", str(secret),
                 "--ids-secret-file", str(secret), *flags,
                 secret=secret.read_bytes())
            for n in range(NODES)]

    def start(self):
        self.nats.start()
        for node in self.nodes:
            node.start()
        return self

    def end(self):
        for node in self.nodes:
            if node.process is not None:
                node.process.send_signal(signal.SIGCONT)
                node.process.kill()
                node.process.wait()
        self.nats.end(signal.SIGKILL)

    def crew(self, n):
        return Crew(self.nodes[n])
