"""What is measured on a cluster of three. Each returns entries for the
report: {workload, n, p50_ms, p99_ms, max_ms, runs, …}."""

import math
import signal
import subprocess
import threading
import time
import json

from runner import machine
from runner.cluster import NODES, Cluster, partition_of, wait_for
from runner.probe import Probe, load_command, run_load

#: Nodes of the probe's speakers and observers, and the one that is ended.
SPEAKER, OBSERVER, VICTIM = 0, 2, 1


def quantile(values, q):
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, math.ceil(q * len(ranked)) - 1)]


def entry(workload, milliseconds, runs, **more):
    out = {"workload": workload, "system": f"rollcall, {NODES} nodes",
           "n": len(milliseconds)}
    for name, q in (("p50_ms", 0.5), ("p99_ms", 0.99), ("max_ms", 1)):
        value = quantile(milliseconds, q) if milliseconds else None
        out[name] = value if value is None else round(value, 2)
    return {**out, **more, "runs": runs}


def progress(text):
    print(f"  {text}", flush=True)


def probe_for(options, cluster):
    return Probe(options.load, cluster.secret, cluster.nodes[SPEAKER].port,
                 cluster.nodes[OBSERVER].port, options.sessions,
                 options.period_ms)


# -- failover ------------------------------------------------------------------

def bring_back(node):
    """It gets no share before it has been up for 5 s."""
    node.start()
    time.sleep(8)


def kill_once(cluster, probe, number):
    """Kills the victim, with it one NATS server where there are several;
    returns what each room that had to move waited."""
    leaders = cluster.stream_leaders()
    placer = cluster.meta_leader()
    epochs = list(probe.epochs)
    server = cluster.nats[number % len(cluster.nats)]
    with_server = len(cluster.nats) > 1
    node = cluster.nodes[VICTIM]
    begin = time.monotonic()
    node.signal(signal.SIGKILL)
    if with_server:
        server.signal(signal.SIGKILL)
        server.wait()
    node.wait()
    # A question that was due so much later is only answered by an owner that
    # is alive, or was given to the next one.
    probe.wait("new owners", lambda: probe.all_answered_since(begin + 1.2))
    waits = {}
    for room, before in enumerate(epochs):
        if probe.epochs[room] == before:
            continue
        first = min(one.came for one in probe.answers[room]
                    if one.epoch != before)
        leader = leaders.get(partition_of(f"{probe.prefix}{room}"))
        waits[room] = {
            "ms": round((first - begin) * 1000, 2),
            "leader_died": with_server
            and leader == cluster.nats.index(server),
            "placer_died": with_server
            and placer == cluster.nats.index(server)}
    if with_server:
        server.launch()
        wait_for(server.name, server.healthy)
        time.sleep(1)
    bring_back(node)
    return waits


def tell_leaders(waits):
    """Which of them waited for an election of NATS, if any could."""
    died = sorted(round(w["ms"]) for w in waits.values() if w["leader_died"])
    out = f"; their stream's leader died: {died}" if died else ""
    if any(w["placer_died"] for w in waits.values()):
        out += "; the meta leader died"
    return out


def failover(options):
    """Owner killed to the first answer by the next one."""
    runs = []
    with Cluster(options.rollcalld, options.nats) as cluster, \
            machine.Neighbours() as neighbours:
        try:
            with probe_for(options, cluster) as probe:
                for number in range(options.kills):
                    probe.wait_quiet(2)
                    probe.forget()
                    waits = kill_once(cluster, probe, number)
                    if not waits:
                        raise RuntimeError("the killed node owned no session")
                    runs.append(waits)
                    progress(f"kill {number + 1}: {len(waits)} sessions, "
                             f"{min(w['ms'] for w in waits.values()):.0f}-"
                             f"{max(w['ms'] for w in waits.values()):.0f} ms"
                             f"{tell_leaders(waits)}")
                probe.wait_quiet(2)
            complaints = cluster.complaints()
        except BaseException:
            print(cluster.last_words())
            raise
    seen = summary(probe)
    if seen.get("left") or seen.get("joined"):
        raise RuntimeError(f"someone left, or joined again: {seen}")
    context = {"kills": len(runs), "surprises": seen,
               "refused": probe.refused, "complaints": complaints,
               **neighbours.report}

    def some(died):
        return [wait["ms"] for waits in runs for wait in waits.values()
                if wait["leader_died"] is died]

    name = "failover" if options.nats == 1 else "failover (nats 3)"
    out = [entry(name, some(False), runs, reach_ms=4000, **context)]
    if options.nats > 1:
        out.append(entry(name + ", leader died too", some(True), runs,
                         reach_ms=14000, **context))
    return out


def summary(probe):
    """How often members saw what nobody asked for."""
    out = {}
    for _, _, what, _ in probe.surprises:
        out[what] = out.get(what, 0) + 1
    return out


# -- hand-over -----------------------------------------------------------------

def pauses_of(probe, epochs, begin):
    """For each room: the slowest answer, the longest silence between two, and
    whether it moved."""
    out = []
    for room, before in enumerate(epochs):
        all_of = probe.between(room, begin, time.monotonic())
        slowest = max(one.came - one.due for one in all_of)
        times = [one.came for one in all_of]
        gap = max((b - a for a, b in zip(times, times[1:])), default=0)
        out.append({"moved": probe.epochs[room] != before,
                    "ms": round(slowest * 1000, 2),
                    "gap_ms": round(gap * 1000, 2)})
    return out


def stop_node(node, probe):
    node.signal(signal.SIGTERM)
    node.wait()
    probe.wait_quiet(1.5)


def start_node(node, probe):
    bring_back(node)
    probe.wait_quiet(1.5)


def handover(options):
    """A node goes in order and comes back, again and again."""
    runs = []
    with Cluster(options.rollcalld) as cluster, \
            machine.Neighbours() as neighbours:
        try:
            node = cluster.nodes[VICTIM]
            with probe_for(options, cluster) as probe:
                for number in range(options.handovers):
                    for change in (stop_node, start_node):
                        probe.wait_quiet(1.5)
                        probe.forget()
                        epochs, begin = list(probe.epochs), time.monotonic()
                        change(node, probe)
                        rooms = pauses_of(probe, epochs, begin)
                        runs.append({"what": change.__name__, "rooms": rooms})
                        moved = [r["ms"] for r in rooms if r["moved"]]
                        progress(f"{change.__name__} {number + 1}: "
                                 f"{len(moved)} of {len(rooms)} sessions "
                                 f"moved, slowest {max(moved, default=0):.0f} "
                                 f"ms, others {slowest_other(rooms):.0f} ms")
            complaints = cluster.complaints()
        except BaseException:
            print(cluster.last_words())
            raise
    seen = summary(probe)
    if seen or probe.refused:
        for member, when, _, text in probe.surprises[:5]:
            progress(f"member {member} at {when:.3f}: {text}")
        raise RuntimeError(f"members noticed: {seen}, "
                           f"{probe.refused} refused")

    def some(moved, key, *what):
        return [room[key] for run in runs for room in run["rooms"]
                if room["moved"] is moved and run["what"] in what]

    both = ("stop_node", "start_node")
    context = {"handovers": len(runs), "surprises": seen,
               "refused": probe.refused, "complaints": complaints,
               **neighbours.report}
    return [
        entry("handover", some(True, "ms", *both), runs, reach_ms=100,
              **context),
        entry("handover, leaving", some(True, "ms", "stop_node"), []),
        entry("handover, coming", some(True, "ms", "start_node"), []),
        entry("handover, silence between answers",
              some(True, "gap_ms", *both), []),
        entry("handover, sessions that stayed", some(False, "ms", *both), []),
    ]


def slowest_other(rooms):
    return max((room["ms"] for room in rooms if not room["moved"]), default=0)


# -- joins ---------------------------------------------------------------------

def join(options):
    """500 joins a second through one node, seen at another."""
    runs = []
    joins = 500 * (options.join_seconds + 1)
    with Cluster(options.rollcalld) as cluster, \
            machine.Neighbours() as neighbours:
        a, b = cluster.nodes[0], cluster.nodes[1]
        for number in range(options.join_runs):
            prefix = f"join{number}-"
            run_load(options.load, cluster.secret, "rooms", a.port, rooms=50,
                     prefix=prefix)
            before = [node.cpu_seconds() for node in cluster.nodes]
            run = run_load(options.load, cluster.secret, "joins", a.port,
                           observer_port=b.port, members=joins, rooms=50,
                           prefix=prefix, period_ms=2, warm_up=500,
                           view=options.join_view)
            run["nodes_cpu_s"] = [
                round(node.cpu_seconds() - was, 2)
                for node, was in zip(cluster.nodes, before)]
            runs.append(run)
            progress(f"join {number + 1}: {run['seen']:.0f} joins seen, "
                     f"p50 {run['p50_ms']:.2f} p99 {run['p99_ms']:.2f} "
                     f"max {run['max_ms']:.1f} ms")
            # All of them leave.
            time.sleep(3)
    out = {"workload": "join", "system": f"rollcall, {NODES} nodes",
           "n": joins - 500}
    for key in ("p50_ms", "p99_ms", "max_ms"):
        out[key] = round(quantile([run[key] for run in runs], 0.5), 2)
    return [{**out, "reach_ms": 10, "view": options.join_view,
             **neighbours.report, "runs": runs}]


# -- hold ----------------------------------------------------------------------

class Holder:
    """One process of clients, at one node."""

    def __init__(self, options, cluster, node, rooms, size, part):
        self.part = part
        self.lines = []
        self.ready = threading.Event()
        self.process = subprocess.Popen(
            load_command(options.load, cluster.secret, "hold", node.port,
                         rooms=rooms, room_size=size, parts=NODES, part=part,
                         patience_s=600, prefix="hold"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            self.ready.set()
        self.ready.set()

    def say(self, word):
        try:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        except OSError:
            raise RuntimeError(f"the clients of node{self.part} died") from None

    def await_line(self, seconds):
        if not self.ready.wait(seconds):
            raise RuntimeError("the clients did not get in")
        self.ready.clear()
        if not self.lines:
            raise RuntimeError("the clients died")
        line = self.lines.pop(0)
        if line.startswith("{"):
            result = json.loads(line)
            if result["fault"]:
                raise RuntimeError(f"clients of node{self.part}: "
                                   f"{result['fault']}")
            return result
        return line

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def usage(cluster):
    return [{"cpu_s": node.cpu_seconds(), "rss": node.memory()[0],
             "anonymous": node.memory()[1]} for node in cluster.nodes]


def hold(options):
    """Connections that three nodes hold together, their signs of life
    going."""
    size, share = 17 * NODES, 17
    rooms = math.ceil(options.hold / share)
    due = rooms * size
    holders = []
    with Cluster(options.rollcalld) as cluster, \
            machine.Neighbours() as neighbours:
        try:
            run_load(options.load, cluster.secret, "rooms",
                     cluster.nodes[0].port, rooms=rooms, prefix="hold")
            empty = usage(cluster)
            begin = time.monotonic()
            holders = [Holder(options, cluster, node, rooms, size, part)
                       for part, node in enumerate(cluster.nodes)]
            for one in holders:
                one.await_line(600)
            opened = time.monotonic() - begin
            progress(f"{due} connections in {rooms} sessions of {size}, "
                     f"open after {opened:.1f} s")
            for one in holders:
                one.say("hold")
            before = usage(cluster)
            begin = time.monotonic()
            time.sleep(options.hold_seconds)
            after, held = usage(cluster), time.monotonic() - begin
            kernel = [node.client_sockets() for node in cluster.nodes]
            for one in holders:
                one.say("count")
            runs = [one.await_line(60) for one in holders]
        except BaseException:
            print(cluster.last_words())
            raise
        finally:
            for one in holders:
                one.end()
    if sum(kernel) < due or sum(run["connections"] for run in runs) < due:
        raise RuntimeError(f"connections were lost: {kernel} of {due}")
    seen = {key: int(sum(run[key] for run in runs))
            for key in ("joined", "left", "suspected", "snapshots")}
    if any(seen.values()):
        raise RuntimeError(f"members saw what did not happen: {seen}")
    nodes = [{
        "connections": kernel[n],
        "cpu_cores": round((after[n]["cpu_s"] - before[n]["cpu_s"]) / held, 3),
        "rss_mib": round(after[n]["rss"] / 2**20, 1),
        "anonymous_mib": round(after[n]["anonymous"] / 2**20, 1),
        "anonymous_bytes_per_connection": round(
            (after[n]["anonymous"] - empty[n]["anonymous"]) / kernel[n]),
    } for n in range(NODES)]
    for n, node in enumerate(nodes):
        progress(f"node{n}: {node['connections']} connections, "
                 f"{node['rss_mib']:.0f} MiB resident, "
                 f"{node['anonymous_bytes_per_connection']} B a connection, "
                 f"{node['cpu_cores']:.2f} cores")
    progress(f"held for {held:.0f} s: {seen}")
    return [{"workload": "hold", "system": f"rollcall, {NODES} nodes",
             "n": sum(kernel), "p50_ms": None, "p99_ms": None, "max_ms": None,
             "sessions": rooms, "held_s": round(held, 1),
             "opened_s": round(opened, 1), "surprises": seen, "nodes": nodes,
             "reach_connections": 45000, **neighbours.report, "runs": runs}]
