"""The faults, each with its target, drawn from a seed before the run."""

import asyncio
import dataclasses
import json
import signal
import subprocess
import time
import types
import urllib.request

#: How often each is drawn, relative to the others.
WEIGHTS = {"kill": 22, "restart": 12, "rolling": 3, "stop": 16,
           "nats_kill": 10, "nats_leader": 10, "nats_restart": 4,
           "nats_stop": 8, "split": 6, "split_in": 4, "split_out": 4,
           "unplug": 5, "disk": 6, "nats_disk": 5, "upgrade": 8, "pair": 15}
NEEDS_NETWORK = {"split", "split_in", "split_out", "unplug"}
NEEDS_DISK = {"disk", "nats_disk"}
#: Strike several nodes, or what another fault would trip over.
ALONE = {"pair", "rolling", "upgrade"}
#: Seconds each is kept up; the span of a stop is the widest.
HOLD = {"kill": (0.2, 8), "restart": (0, 2), "rolling": (0, 1),
        "stop": (0.5, 8), "nats_kill": (0.2, 5), "nats_leader": (0.2, 5),
        "nats_restart": (0, 2), "nats_stop": (0.5, 8), "split": (1, 10),
        "split_in": (1, 10), "split_out": (1, 10), "unplug": (1, 10),
        "disk": (1, 6), "nats_disk": (1, 6), "upgrade": (0, 4)}
#: Who leads most streams is known when it is struck.
UNKNOWN = types.SimpleNamespace(name="?")
#: Until a server whose disk is full must have noticed.
NOTICE_SECONDS = 20
#: Until a process that was told to end is killed.
OBEY_SECONDS = 3


@dataclasses.dataclass
class Fault:
    kind: str
    #: (kind, number of the target, seconds); two of them in a pair
    parts: list

    def nodes(self, world):
        """The nodes that are struck themselves."""
        if any(kind == "rolling" or (kind == "nats_disk"
                                     and len(world.servers) > 1)
               for kind, _, _ in self.parts):
            # A stuck server still has its clients, but hears no other server:
            # so nodes do not hear each other, whom NATS answers all the same.
            return [one.name for one in world.nodes]
        return sorted({one.name for kind, target, _ in self.parts
                       if not kind.startswith("nats")
                       for one in targets_of(world, kind, target)})

    def text(self, world):
        return " + ".join(
            f"{kind} {', '.join(map(named, targets_of(world, kind, target)))} "
            f"{hold:.1f} s" for kind, target, hold in self.parts)


def named(one):
    return one.name if getattr(one, "version", "own") == "own" \
        else f"{one.name} ({one.version})"


def targets_of(world, kind, target):
    """One of them, but for upgrades: from one node to all of them."""
    if kind != "upgrade":
        return [target_of(world, kind, target)]
    nodes = world.nodes
    return [nodes[(target + n) % len(nodes)] for n in range(target // 2 + 1)]


def target_of(world, kind, target):
    if kind == "disk":
        return world.nodes[-1]
    if kind == "nats_disk":
        return world.servers[-1]
    if kind == "nats_leader":
        return world.leader or UNKNOWN
    group = world.servers if kind.startswith("nats") else world.nodes
    return group[target % len(group)]


def allowed_kinds(world):
    return [kind for kind in WEIGHTS
            if (world.network or kind not in NEEDS_NETWORK)
            and (world.disk or kind not in NEEDS_DISK)
            and (world.other or kind != "upgrade")
            and (len(world.servers) > 1 or kind != "nats_leader")]


def make(pick, kind, allowed, scale):
    def part(one):
        least, most = HOLD[one]
        return (one, pick.randrange(6),
                round(pick.uniform(least, least + (most - least) * scale), 1))

    if kind != "pair":
        return Fault(kind, [part(kind)])
    singles = [k for k in allowed if k not in ALONE]
    first = part(pick.choice(singles))
    others = [k for k in singles if may_meet(first[0], k)]
    while True:
        second = part(pick.choice(others))
        if not same_target(first, second):
            return Fault(kind, [first, second])


def may_meet(one, other):
    """Two faults never strike one process."""
    both_nats = one.startswith("nats") and other.startswith("nats")
    return not both_nats and not one == other == "disk"


def same_target(one, other):
    def group(part):
        if part[0].startswith("nats"):
            return "nats"
        return 2 if part[0] == "disk" else part[1] % 3

    return group(one) == group(other)


def plan(pick, count, kinds, allowed, scale=1.0):
    """`count` faults; every one of `kinds` comes once before chance decides.
    Pairs are made of what is `allowed`; `scale` shortens all."""
    first = list(kinds)
    pick.shuffle(first)
    weights = [WEIGHTS[kind] for kind in kinds]
    drawn = [*first, *pick.choices(kinds, weights, k=count)][:count]
    return [make(pick, kind, allowed, scale) for kind in drawn]


async def strike(world, fault, struck=None):
    """Returns when all of it is over and everything runs again; sets the
    event `struck` when all parts of it have begun."""
    begun = []

    def hit():
        begun.append(1)
        if struck and len(begun) >= len(fault.parts):
            struck.set()

    try:
        await asyncio.gather(*(
            BY_KIND[kind](world, whom(world, kind, target), hold, hit)
            for kind, target, hold in fault.parts))
    finally:
        if struck:
            struck.set()


def whom(world, kind, target):
    several = targets_of(world, kind, target)
    return several if kind == "upgrade" else several[0]


# -- each of them -------------------------------------------------------------


async def kill(world, node, hold, hit):
    await world.end_node(node, signal.SIGKILL)
    hit()
    await asyncio.sleep(hold)
    await world.start_node(node)


async def restart(world, node, hold, hit):
    await world.end_node(node, signal.SIGTERM)
    hit()
    await asyncio.sleep(hold)
    await world.start_node(node)


async def rolling(world, _, hold, hit):
    for node in world.nodes:
        await restart(world, node, hold, hit)


async def upgrade(world, first, hold, hit):
    """Nodes end one after the other and come back with the other binary: what
    follows finds both at work."""
    for node in first:
        await world.end_node(node, signal.SIGTERM)
        hit()
        world.exchange(node)
        await world.start_node(node)
        await asyncio.sleep(hold)


async def stop(_, one, hold, hit):
    """A node or a server that stands still."""
    process = one.process
    process.send_signal(signal.SIGSTOP)
    hit()
    try:
        await asyncio.sleep(hold)
    finally:
        process.send_signal(signal.SIGCONT)


async def nats_kill(_, server, hold, hit):
    await asyncio.to_thread(server.end, signal.SIGKILL)
    hit()
    await asyncio.sleep(hold)
    await asyncio.to_thread(server.start)


async def nats_restart(_, server, hold, hit):
    await asyncio.to_thread(server.end, signal.SIGTERM)
    hit()
    await asyncio.sleep(hold)
    await asyncio.to_thread(server.start)


async def nats_leader(world, _, hold, hit):
    world.leader = await asyncio.to_thread(leading, world)
    await nats_kill(world, world.leader, hold, hit)


def leading(world):
    """The server that leads most streams."""
    counts = {one.name: 0 for one in world.servers}
    for stream in streams_of(world.servers[0]):
        leader = stream.get("cluster", {}).get("leader")
        if leader in counts:
            counts[leader] += 1
    return max(world.servers, key=lambda one: counts[one.name])


def streams_of(server):
    """What a server's monitor says of the streams it keeps."""
    told = ask_monitor(server, "jsz?streams=1&accounts=1")
    return [stream for account in told.get("account_details", [])
            for stream in account.get("stream_detail", [])]


def ask_monitor(server, what, seconds=3):
    url = f"http://{server.host}:{server.monitor}/{what}"
    with urllib.request.urlopen(url, timeout=seconds) as answer:
        return json.load(answer)


def cutter(inward, outward):
    async def split(world, node, hold, hit):
        world.cut(node, inward, outward)
        hit()
        try:
            await asyncio.sleep(hold)
        finally:
            world.mend(node, inward, outward)
    return split


async def unplug(world, node, hold, hit):
    """Neither NATS nor clients reach it."""
    world.hosts[node.name].unplug()
    hit()
    try:
        await asyncio.sleep(hold)
    finally:
        world.hosts[node.name].plug()


async def disk(world, _, hold, hit):
    await asyncio.to_thread(world.disk.fill)
    hit()
    try:
        await asyncio.sleep(hold)
    finally:
        world.disk.free()


async def nats_disk(world, server, hold, hit):
    """A NATS server whose disk is full until its JetStream is off, and for a
    while; then there is space, and an operator who restarts what stays off."""
    await asyncio.to_thread(world.nats_disk.fill)
    try:
        until = time.monotonic() + NOTICE_SECONDS
        while not await asyncio.to_thread(is_off, server) \
                and time.monotonic() < until:
            await asyncio.sleep(0.1)
        hit()
        await asyncio.sleep(hold)
    finally:
        world.nats_disk.free()
    if await asyncio.to_thread(is_off, server):
        world.mended_servers += 1
        await asyncio.to_thread(end_somehow, server)
        if len(world.servers) > 1:
            # Its copies lack what the disk did not take, and it does not know.
            world.nats_disk.clear()
        await asyncio.to_thread(server.start)


def is_off(server):
    """Whether a server's JetStream is off, or stuck."""
    try:
        return ask_monitor(server, "jsz", 1).get("disabled", False)
    except OSError:
        return True


def end_somehow(server):
    """In order, or not: a stuck server does not hear SIGTERM."""
    server.process.send_signal(signal.SIGTERM)
    try:
        server.process.wait(OBEY_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    server.end(signal.SIGKILL)


BY_KIND = {"kill": kill, "restart": restart, "rolling": rolling, "stop": stop,
           "nats_kill": nats_kill, "nats_restart": nats_restart,
           "nats_stop": stop, "nats_leader": nats_leader,
           "split": cutter(True, True), "split_in": cutter(True, False),
           "split_out": cutter(False, True), "unplug": unplug, "disk": disk,
           "nats_disk": nats_disk, "upgrade": upgrade}
