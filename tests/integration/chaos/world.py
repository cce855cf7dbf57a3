"""The processes, and what can be done to each: nodes, NATS, links, a disk."""

import asyncio
import os
import pathlib
import shutil
import signal
import time

from chaos import network
from cluster import NODES, Nats, free_port
from node import BINARY, Node

#: Of the last node's disk, and of the last NATS server's.
DISK_MIB, NATS_DISK_MIB = 192, 256
#: What NATS sets aside for a stream, and for all; not what they come to.
STREAM_MIB, STREAMS_MIB = 16, 2048
#: Until a node has to have started, NATS being back or not.
START_SECONDS = 60
NO_NATS = "no NATS server answers"
#: Where all clocks and rates are the same for every run.
FLAGS = ["--limits-requests-per-second", "100000",
         "--limits-request-burst", "100000",
         "--cluster-stream-bytes", f"{STREAM_MIB}MiB"]


class Disk:
    """A small file system that can be filled and freed."""

    def __init__(self, folder, mib):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        network.command("mount", "-t", "tmpfs", "-o", f"size={mib}m",
                        "none", str(self.folder))
        self.ballast = self.folder / "ballast"

    def fill(self):
        block = b"\0" * (1 << 16)
        with open(self.ballast, "wb", buffering=0) as out:
            try:
                while True:
                    size = len(block)
                    if out.write(block) < size:
                        block = block[:max(1, size // 2)]
            except OSError:
                pass

    def free(self):
        self.ballast.unlink(missing_ok=True)

    def clear(self):
        for one in self.folder.iterdir():
            shutil.rmtree(one)

    def keep(self):
        """What is on it goes with the namespace: copies it beside."""
        shutil.copytree(self.folder, f"{self.folder}.kept",
                        dirs_exist_ok=True)


class World:
    """`nodes` and `servers`; `network` and disks where allowed; `other` is a
    binary of another version, if there is one."""

    def __init__(self, folder, servers=1, partitions=16, flags=(),
                 other=None):
        self.folder = pathlib.Path(folder)
        self.other = other
        self.folder.mkdir(parents=True, exist_ok=True)
        self.network = network.here()
        self.hosts = {}
        self.make_servers(servers)
        self.make_nodes([*FLAGS, "--engine-partitions", str(partitions),
                         *flags])
        #: nodes that are about to start, and how often one found no NATS
        self.starting = set()
        self.refused_starts = 0
        #: the server that this fault struck for leading most streams
        self.leader = None
        #: servers that did not recover by themselves from a full disk
        self.mended_servers = 0
        self.disk = self.nats_disk = None
        if self.network:
            self.disk = Disk(self.nodes[-1].data, DISK_MIB)
            self.nats_disk = Disk(self.servers[-1].data, NATS_DISK_MIB)

    def place(self, name, number):
        """(address, prefix) of a process."""
        if self.network is None:
            return "127.0.0.1", []
        self.hosts[name] = self.network.host(name, number)
        return self.hosts[name].address, self.hosts[name].prefix

    def make_servers(self, count):
        places = [self.place(f"nats{n}", 21 + n) for n in range(count)]
        routes = [f"nats://{host}:{free_port()}" for host, _ in places]
        self.servers = []
        for n, (host, prefix) in enumerate(places):
            self.monitor = free_port()
            flags = ["--http_port", str(self.monitor), "--name", f"nats{n}"]
            if count > 1:
                flags += ["--cluster_name", "chaos", "--cluster", routes[n],
                          "--routes", ",".join(routes)]
            one = Nats(self.folder / f"nats{n}", *flags, host=host,
                       prefix=prefix)
            one.name, one.monitor = f"nats{n}", self.monitor
            # Else it goes by the free disk, and one of ours is small.
            config = one.folder / "server.conf"
            config.write_text("jetstream { max_file_store: "
                              f"{STREAMS_MIB}MB }}\n")
            one.more += ["-c", str(config)]
            self.servers.append(one)

    def make_nodes(self, flags):
        secret = self.folder / "secret"
        secret.write_bytes(os.urandom(24).hex().encode())
        secret.chmod(0o600)
        urls = ",".join(one.url for one in self.servers)
        self.nodes = []
        for n in range(NODES):
            host, prefix = self.place(f"node{n}", 11 + n)
            one = Node(self.folder / f"node{n}", "--name", f"node{n}",
                       "--cluster-nats", urls,
                       "--cluster-replicas", str(len(self.servers)),
                       "--server-allow-plaintext",
                       "--tokens-secret-file", str(secret),
                       "--ids-secret-file", str(secret), *flags,
                       secret=secret.read_bytes(), host=host, prefix=prefix)
            one.name, one.version = f"node{n}", "own"
            self.nodes.append(one)

    async def start(self):
        await asyncio.gather(*(asyncio.to_thread(one.start)
                               for one in self.servers))
        await asyncio.gather(*(self.start_node(one) for one in self.nodes))
        return self

    # -- nodes ----------------------------------------------------------------

    async def start_node(self, node):
        """Starts it, as a service manager would: a node that found no NATS
        has ended, and is started again."""
        until = time.monotonic() + START_SECONDS
        self.starting.add(node)
        try:
            while not await self.try_start(node):
                assert time.monotonic() < until, node.said()
                await asyncio.sleep(0.3)
        finally:
            self.starting.discard(node)

    async def try_start(self, node):
        try:
            await asyncio.to_thread(node.start)
            return True
        except AssertionError:
            process, node.process = node.process, None
            process.kill()
            await asyncio.to_thread(process.wait)
            # It waits for NATS, longer than we for it.
            if NO_NATS not in node.said():
                raise
        self.refused_starts += 1
        return False

    async def end_node(self, node, how):
        """Ends it; its status."""
        return await asyncio.to_thread(node.end, how)

    def exchange(self, node, version=None):
        """The next start runs the other binary, or the one of `version`."""
        node.version = version or ("own" if node.version == "other"
                                   else "other")
        node.binary = BINARY if node.version == "own" else self.other

    def fallen(self):
        """Nodes that ended without being told to."""
        return [one for one in self.nodes
                if one.process is not None and one not in self.starting
                and one.process.poll() is not None]

    def end(self):
        for one in [*self.nodes, *self.servers]:
            if one.process is not None:
                one.process.send_signal(signal.SIGCONT)
                one.process.kill()
                one.process.wait()
                one.process = None
        for host in self.hosts.values():
            host.keeper.kill()
            host.keeper.wait()

    def keep_disks(self):
        for one in (self.disk, self.nats_disk):
            if one:
                one.keep()

    # -- links ----------------------------------------------------------------

    def cut(self, node, inward=True, outward=True):
        """Loses what goes from a node to NATS, from NATS to it, or both."""
        self.each_link(node, "deafen", inward, outward)

    def mend(self, node, inward=True, outward=True):
        self.each_link(node, "hear", inward, outward)

    def each_link(self, node, what, inward, outward):
        mine = self.hosts[node.name]
        for server in self.servers:
            other = self.hosts[server.name]
            if outward:
                getattr(mine, what)(other.address)
            if inward:
                getattr(other, what)(mine.address)
