"""Nodes and NATS servers as child processes, all on loopback."""

import hashlib
import http.client
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from runner.systems import free_port

NODES = 3
PARTITIONS = 64
PATIENCE = 30
STOP_SECONDS = 25
TICK = os.sysconf("SC_CLK_TCK")

NODE_CONFIG = """\
name = "{name}"
data_dir = "{data}"

[server]
listen = "127.0.0.1:{port}"

[limits]
connections_per_address = 100000
requests_per_second = 100000
request_burst = 100000

[engine]
partitions = {partitions}

[cluster]
nats = {nats}
id = "bench"
replicas = {replicas}

[tokens]
secret = "{secret}"

[ids]
secret = "{id_secret}"

[log]
level = "info"
format = "text"
"""


def partition_of(session):
    digest = hashlib.sha256(b"default\0" + session.encode()).digest()
    return int.from_bytes(digest[:8], "big") % PARTITIONS


def get(port, path):
    """(status, body), or None where nobody answers."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        link.close()


def wait_for(what, condition, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)


class Process:
    """Something that can be started, ended and started again."""

    def __init__(self, folder, command):
        self.folder = folder
        folder.mkdir(parents=True)
        self.command = command
        self.process = None

    @property
    def pid(self):
        return self.process.pid

    def launch(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.folder)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, how):
        self.process.send_signal(how)

    def wait(self, seconds=STOP_SECONDS):
        status = self.process.wait(seconds)
        self.process = None
        return status

    def end(self):
        if self.running():
            self.signal(signal.SIGKILL)
            self.wait()

    def last_words(self):
        lines = (self.folder / "log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


class NatsServer(Process):
    def __init__(self, folder, number, port, monitor, routes):
        command = ["nats-server", "--addr", "127.0.0.1", "--port", str(port),
                   "--http_port", str(monitor), "--jetstream", "--store_dir",
                   str(folder / "data"), "--name", f"nats{number}"]
        if len(routes) > 1:
            command += ["--cluster_name", "bench",
                        "--cluster", routes[number],
                        "--routes", ",".join(routes)]
        super().__init__(folder, command)
        self.name = f"nats{number}"
        self.port = port
        self.monitor = monitor

    def healthy(self):
        answer = get(self.monitor, "/healthz")
        return answer is not None and answer[0] == 200


class Node(Process):
    def __init__(self, folder, name, binary, settings):
        super().__init__(folder, [str(binary), "--config",
                                  str(folder / "rollcall.toml")])
        self.name = name
        self.port = free_port()
        config = folder / "rollcall.toml"
        config.touch(mode=0o600)
        config.write_text(NODE_CONFIG.format(
            name=name, data=folder / "data", port=self.port,
            partitions=PARTITIONS, **settings))

    def ready(self):
        if not self.running():
            raise RuntimeError(f"{self.name} ended:\n{self.last_words()}")
        answer = get(self.port, "/readyz")
        return answer is not None and answer[0] == 200

    def start(self):
        self.launch()
        wait_for(f"{self.name}", self.ready)

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory(self):
        """Bytes: resident, and of them anonymous."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        kilobytes = {line.split(":")[0]: int(line.split()[1])
                     for line in status.splitlines() if line.endswith(" kB")}
        return kilobytes["VmRSS"] * 1024, kilobytes["RssAnon"] * 1024

    def client_sockets(self):
        """Established connections to the clients' port, as the kernel has
        them."""
        local = f"0100007F:{self.port:04X}"
        with open("/proc/net/tcp") as table:
            return sum(1 for line in table
                       if line.split()[1] == local and line.split()[3] == "01")


class Cluster:
    """Three nodes and `servers` NATS servers; use it with `with`."""

    def __init__(self, binary, servers=1):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-bench-"))
        self.secret = secrets.token_hex(32)
        routes = [f"nats://127.0.0.1:{free_port()}" for _ in range(servers)]
        self.nats = [
            NatsServer(self.folder / f"nats{n}", n, free_port(), free_port(),
                       routes)
            for n in range(servers)]
        urls = [f"nats://127.0.0.1:{one.port}" for one in self.nats]
        settings = {"nats": json.dumps(urls), "replicas": servers, "secret": self.secret,
                    "id_secret": secrets.token_hex(32)}
        self.nodes = [Node(self.folder / f"node{n}", f"node{n}", binary,
                           settings)
                      for n in range(NODES)]

    def __enter__(self):
        try:
            for server in self.nats:
                server.launch()
            for server in self.nats:
                wait_for(server.name, server.healthy)
            for node in self.nodes:
                node.launch()
            for node in self.nodes:
                wait_for(node.name, node.ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for one in self.nodes + self.nats:
            one.end()
        shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self):
        return "\n".join(f"-- {one.name}\n{one.last_words()}"
                         for one in self.nodes)

    def complaints(self):
        """Warnings and errors of all nodes."""
        return [f"{node.name}: {line}" for node in self.nodes
                for line in (node.folder / "log").read_text(
                    errors="replace").splitlines()
                if line.split(" ")[1:2] in (["warn"], ["error"])]

    def stream_leaders(self):
        """Partition by partition, the number of the NATS server that leads
        its stream."""
        leaders = {}
        for number, server in enumerate(self.nats):
            answer = get(server.monitor, "/jsz?streams=true&config=true")
            details = json.loads(answer[1]).get("account_details", [])
            for account in details:
                for stream in account.get("stream_detail", []):
                    leader = stream.get("cluster", {}).get("leader", "")
                    # RC_<cluster>_<partition>_<generation>
                    partition = int(stream["name"].split("_")[-2])
                    if leader == server.name or len(self.nats) == 1:
                        leaders[partition] = number
        return leaders

    def meta_leader(self):
        """The number of the NATS server that places streams and consumers;
        None where there is one server, or none leads."""
        for server in self.nats:
            answer = get(server.monitor, "/jsz")
            name = json.loads(answer[1]).get("meta_cluster", {}).get("leader")
            for number, one in enumerate(self.nats):
                if one.name == name:
                    return number
        return None
