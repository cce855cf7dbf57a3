"""A network of its own: a namespace per process, a bridge between them.

Only where the machine allows it; `enter` then starts the program once more
inside namespaces that take everything away with them when it ends.
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys

INSIDE = "ROLLCALL_CHAOS_INSIDE"
#: The bridge, where the clients are. Nothing of it is seen outside.
BRIDGE = "10.77.0.1"


def command(*words):
    subprocess.run(words, check=True, capture_output=True)


def unshare_words():
    """How to get namespaces here; None if there is no way."""
    if not all(map(shutil.which, ("ip", "unshare", "nsenter", "mount"))):
        return None
    spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child",
              "--mount-proc"]
    trial = ("ip link add name br0 type bridge"
             " && ip link add name v0 type veth peer name v1"
             " && mount -t tmpfs none /tmp")
    for words in (["unshare", *spaces], ["unshare", "--map-root-user",
                                         *spaces]):
        if subprocess.run([*words, "sh", "-c", trial],
                          capture_output=True).returncode == 0:
            return words
    return None


def enter(arguments):
    """Runs the program inside; returns its status, or None: go on here."""
    if os.environ.get(INSIDE):
        return None
    words = unshare_words()
    if words is None:
        print("no network splits, no full disks: this machine does not allow "
              "namespaces", flush=True)
        return None
    return subprocess.run(
        [*words, sys.executable, "-m", "chaos", *arguments],
        env={**os.environ, INSIDE: "1"}, preexec_fn=end_with_parent).returncode


def end_with_parent():
    """However we end, nothing of it goes on."""
    prctl, set_death_signal = ctypes.CDLL(None).prctl, 1
    prctl(set_death_signal, signal.SIGKILL)


class Host:
    """A namespace with one address, kept open by a process that sleeps."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.keeper = subprocess.Popen(
            ["unshare", "--net", "sleep", "infinity"])
        here = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{self.keeper.pid}/ns/net") == here:
            assert self.keeper.poll() is None
        pid = str(self.keeper.pid)
        self.prefix = ["nsenter", f"--net=/proc/{pid}/ns/net", "--"]
        command("ip", "link", "add", "name", name, "type", "veth",
                "peer", "name", "eth0", "netns", pid)
        command("ip", "link", "set", name, "master", "br0", "up")
        self.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "eth0", "up")

    def run(self, *words):
        command(*self.prefix, *words)

    def deafen(self, other):
        """What this host sends to the other is lost."""
        self.run("ip", "route", "replace", "blackhole", f"{other}/32")

    def hear(self, other):
        self.run("ip", "route", "del", "blackhole", f"{other}/32")

    def unplug(self):
        command("ip", "link", "set", self.name, "down")

    def plug(self):
        command("ip", "link", "set", self.name, "up")


class Network:
    """The bridge and its hosts; there is one inside, and none outside."""

    def __init__(self):
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", "name", "br0", "type", "bridge")
        command("ip", "addr", "add", f"{BRIDGE}/24", "dev", "br0")
        command("ip", "link", "set", "br0", "up")

    def host(self, name, number):
        return Host(name, f"10.77.0.{number}")


def here():
    return Network() if os.environ.get(INSIDE) else None
