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
# Not in everybody's PATH on Debian.
NATS_SERVER = (os.environ.get("NATS_SERVER") or shutil.which("nats-server")
               or "/usr/sbin/nats-server")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Nats:
    """One nats-server with JetStream; may be started again and again. Has a
    configuration only if `options` names one."""

    def __init__(self, folder, *flags, scheme="nats", host=None, prefix=()):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.more = list(flags)
        self.host = host
        self.prefix = list(prefix)
        self.port = free_port()
        self.process = None
        self.scheme = scheme
        self.options = ["--addr", self.host or "127.0.0.1", "--port", str(self.port),
                        "--jetstream", "--store_dir",
                        str(self.folder / "data")]

    @property
    def url(self):
        # Certificates are for names.
        return f"{self.scheme}://{self.host or 'localhost'}:{self.port}"

    def start(self):
        with open(self.folder / "log", "ab") as out:
            self.process = subprocess.Popen(
                [*self.prefix, NATS_SERVER, *self.options, *self.more],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(
                    (self.host or "127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None, self.said()
                assert time.monotonic() < deadline, self.said()
                time.sleep(0.02)

    def said(self):
        return (self.folder / "log").read_text(errors="replace")

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
    """`nodes[i]` may be ended and started like any node. `roles` has what
    each node is, and its further flags."""

    def __init__(self, folder, *flags, nats=None, roles=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.nats = nats or Nats(self.folder / "nats")
        roles = roles or [("core,edge",)] * NODES
        self.secret = self.folder / "secret"
        self.secret.write_bytes(os.urandom(24).hex().encode())
        self.secret.chmod(0o600)
        self.flags = flags
        self.nodes = []
        for n, role in enumerate(roles):
            self.add(f"node{n}", *role)

    def add(self, name, roles, *flags):
        """One more node, not yet started."""
        self.nodes.append(Node(
            self.folder / name, "--name", name, "--cluster-nats",
            self.nats.url, "--tokens-secret-file", str(self.secret),
            "--ids-secret-file", str(self.secret), "--cluster-roles", roles,
            *flags, *self.flags, secret=self.secret.read_bytes()))
        return self.nodes[-1]

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
