"""A run: people under load, faults one after another, and what is left."""

import asyncio
import collections
import contextlib
import json
import random
import signal
import time

from chaos import faults, report, stores, streams
from chaos.checker import AFTER_FAULT, SILENT
from chaos.deeds import deed
from chaos.history import History
from chaos.observers import FROM_JOINING
from chaos.person import Person
from chaos.probe import Probe, slowest
from chaos.world import World
from client import Client

SPANS = {"identity": "named", "membership": "durable", "host": "appointed",
         "beat_ms": 1000, "suspect_after_ms": 3000, "timeout_ms": 8000,
         "drop_grace_ms": 2000}
#: Not every session is of one kind.
KINDS = [("stage", {}), ("party", {"host": "oldest_present"}),
         ("board", {"host": "none", "membership": "ephemeral"})]
#: Every so many faults it stays quiet until ghosts would be due.
LONG_GAP = 6
#: How much shorter faults are in a brief run, which has no long gaps either.
BRIEF = 0.4
#: Until rosters have to be equal, from the end of the load on.
AGREE_SECONDS = 60


class Run:
    def __init__(self, folder, seed, count, servers=1, people=24, sessions=6,
                 brief=False, kinds=None, other=None, say=print):
        self.seed, self.brief, self.say = seed, brief, say
        self.world = World(folder, servers, other=other)
        self.history = History(self.world.folder / "history.gz")
        self.checker = self.history.checker
        self.sessions = [f"s{n}" for n in range(sessions)]
        allowed = faults.allowed_kinds(self.world)
        kinds = [k for k in allowed if not kinds or k in kinds]
        pick = random.Random(seed)
        self.plan = faults.plan(pick, count, kinds, allowed,
                                BRIEF if brief else 1.0)
        self.gaps = [pick.uniform(0.2, 2.5) for _ in self.plan]
        self.probes = [Probe(self.world, self.history, random.Random(n),
                             f"probe{n}", n, self.sessions)
                       for n in range(len(self.world.nodes))]
        self.people = [self.person(n) for n in range(people)]
        self.results = collections.defaultdict(list)
        #: how many violations belong to a line that was printed
        self.told = 0
        self.busy = set()
        self.tasks = []

    def person(self, n):
        pick = random.Random(f"{self.seed}.{n}")
        # The session they made, and two others.
        mine = self.sessions[n % len(self.sessions)]
        others = [s for s in self.sessions if s != mine]
        return Person(self.world, self.history, pick, f"p{n}",
                      n % len(self.world.nodes),
                      [mine, *pick.sample(others, 2)])

    @property
    def everyone(self):
        return [*self.probes, *self.people]

    # -- the course of it -----------------------------------------------------

    async def go(self):
        """Whether nothing was wrong."""
        try:
            await self.world.start()
            await self.begin()
            for number, fault in enumerate(self.plan, 1):
                await self.one(number, fault)
            await self.finish()
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)
            for one in self.everyone:
                one.drop()
            self.history.note("tick")
            self.history.close()
            self.world.end()
        return self.summary()

    async def begin(self):
        watchers = [self.watch_lag(), self.watch_nodes(), self.watch_time()]
        self.tasks = [asyncio.create_task(one) for one in watchers]
        self.probes[0].wants = {}
        for n, session in enumerate(self.sessions):
            kind, settings = KINDS[n % len(KINDS)]
            answer = await self.probes[0].insist(
                "create_session", session, kind=kind,
                settings={**SPANS, **settings})
            assert answer and answer["ok"], answer
        self.probes[0].wants = {s: True for s in self.sessions}
        self.tasks += [asyncio.create_task(one.live(deed))
                       for one in self.everyone]
        for probe in self.probes:
            probe.working = False
        await self.until(lambda: all(p.settled() for p in self.probes),
                         "probes are not in")

    async def until(self, condition, complaint, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.history.note("stuck", what=complaint)
                return False
            await asyncio.sleep(0.05)
        return True

    async def one(self, number, fault):
        """Strikes once, and waits until it is over for everyone."""
        self.world.leader = None
        struck = fault.nodes(self.world)
        safe = [p for p in self.probes if self.world.nodes[p.home].name
                not in struck] or self.probes
        counted = collections.Counter(self.checker.counted)
        begin = time.monotonic()
        self.history.note("fault", number=number, nodes=struck,
                          kind=fault.text(self.world))
        self.busy |= set(struck)
        hit = asyncio.Event()
        striking = asyncio.create_task(self.strike(number, fault, hit))
        await hit.wait()
        live, durable = await asyncio.gather(
            slowest(safe, self.sessions, 2 * number, False, begin),
            slowest(safe, self.sessions, 2 * number + 1, True, begin))
        await striking
        mended = time.monotonic() - begin
        self.busy -= set(struck)
        self.history.note("healed", number=number)
        if live is None or durable is None:
            self.history.note("stuck", what=f"fault {number}: a session "
                              "without an answer for a minute")
        well = await self.until(
            lambda: all(p.settled() for p in self.probes),
            f"fault {number}: a probe cannot return")
        again = None
        if well:
            again = await slowest(self.probes, self.sessions,
                                  10 ** 6 + number, True)
        if well and again is None:
            self.history.note("stuck", what=f"fault {number}: no durable "
                              "answer for a minute after it was over")
        if fault.kind == "nats_disk" and len(self.world.servers) == 1 \
                and self.checker.counted["unavailable"] \
                == counted["unavailable"] and (durable or 0) < 1:
            self.history.note("stuck", what=f"fault {number}: no change waited "
                              "or was unavailable on a full NATS disk")
        back = time.monotonic() - begin - mended
        await asyncio.sleep(self.gaps[number - 1])
        if number % LONG_GAP == 0 and not self.brief:
            await asyncio.sleep(AFTER_FAULT + SILENT + self.checker.slack)
        self.history.note("tick")
        self.tell(number, fault, counted, (live, durable, mended, back))

    async def strike(self, number, fault, hit=None):
        try:
            await faults.strike(self.world, fault, hit)
        except AssertionError as why:
            # A node that did not start: the watch starts it again.
            self.history.note("crashed", what=f"fault {number}: {why}"[:3000])

    def say_what_is_new(self):
        """Whether anything was wrong since it was last asked."""
        new = self.checker.violations[self.told:]
        self.told += len(new)
        for one in new:
            self.say(f"     {one.kind.upper()} {one.text[:1000]}")
        return bool(new)

    def tell(self, number, fault, counted, times):
        seen = collections.Counter(self.checker.counted)
        seen.subtract(counted)
        self.say(report.line(number, fault.text(self.world), seen, times))
        self.results[fault.kind].append((times[0], self.say_what_is_new()))

    # -- the watches ----------------------------------------------------------

    async def watch_lag(self):
        """Notes when we ourselves stood still."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            if now - last > 1.5:
                self.history.note("lag", seconds=now - last)
            last = now

    async def watch_time(self):
        while True:
            await asyncio.sleep(0.5)
            self.history.note("tick")

    async def watch_nodes(self):
        """Starts what fell, as a service manager would."""
        while True:
            await asyncio.sleep(0.2)
            for node in self.world.fallen():
                status = node.process.poll()
                said = node.said()[-1500:]
                if self.world.disk and node is self.world.nodes[-1] \
                        and self.world.disk.ballast.exists():
                    self.say(f"     {node.name} ended ({status}) on a full "
                             "disk")
                    await self.until(
                        lambda: not self.world.disk.ballast.exists(),
                        "the disk stays full")
                else:
                    self.history.note(
                        "crashed", what=f"{node.name} ended with {status}: "
                        f"{said}")
                if node not in self.world.fallen():
                    continue
                node.process = None
                with contextlib.suppress(AssertionError):
                    await self.world.start_node(node)

    # -- the end --------------------------------------------------------------

    async def finish(self):
        """Quiet, equal, all there; and once more after a restart of all."""
        await self.quiet("at the end")
        for number, node in enumerate(self.world.nodes):
            self.history.note("fault", number=f"last{number}",
                              nodes=[node.name])
            self.world.exchange(node, "own")
            await self.strike(0, faults.Fault("restart",
                                              [("restart", number, 0)]))
            self.history.note("healed", number=f"last{number}")
            await self.until(
                lambda: all(p.settled() for p in self.probes),
                "a probe cannot return after the last restarts")
        await self.quiet("after a restart of every node")
        # From here on every store has to have all that was appended so far.
        await asyncio.sleep(stores.LAG_SECONDS)
        await self.compare_copies()

    async def compare_copies(self):
        """Ends everything in order, then reads what NATS and nodes wrote."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        ended = []
        for node in self.world.nodes:
            ended.append(time.time_ns())
            await self.world.end_node(node, signal.SIGTERM)
        await self.until(self.copies_settled, "copies of streams differ in "
                         "what the servers say of them", 30)
        for server in self.world.servers:
            await asyncio.to_thread(server.end)
        for line in streams.differences(self.world.servers):
            self.history.note("replicas", what=line)
        number, subjects = streams.count(self.world.servers[0])
        self.say(f"     {number} streams, {subjects} subjects in each of "
                 f"{len(self.world.servers)} copies compared")
        wrong, copies, keys = await asyncio.to_thread(
            stores.differences, self.world.nodes, self.world.servers[0],
            ended)
        for line in wrong:
            self.history.note("stores", what=line)
        if self.checker.totals()["stores"] + self.checker.totals()["replicas"]:
            self.world.keep_disks()
        self.say(f"     {copies} copies in stores, {keys} keys compared with "
                 "the streams")

    def copies_settled(self):
        """Whether all servers name the same state of every stream."""
        try:
            told = [{stream["name"]: [stream["state"][key] for key in
                                      ("messages", "first_seq", "last_seq")]
                     for stream in faults.streams_of(server)}
                    for server in self.world.servers]
        except OSError:
            return False
        return all(one == told[0] for one in told)

    async def quiet(self, when):
        for one in self.everyone:
            one.working = False
        await self.until(lambda: all(p.settled() for p in self.everyone),
                         f"{when}: someone is not in", AGREE_SECONDS)
        begin = time.monotonic()
        await self.until(self.equal, f"{when}: no agreement", AGREE_SECONDS)
        took = time.monotonic() - begin
        for session in self.sessions:
            self.history.note("compare", session=session,
                              states=self.states(session),
                              there=self.checker.there(session))
        read = await self.read_back()
        self.say(f"     {when}: equal after {took:.1f} s, {read} values read "
                 "back")
        await self.until(self.equal, f"{when}: no agreement after reading",
                         AGREE_SECONDS)

    def states(self, session):
        """What everyone sees of a session, as text."""
        states = {}
        for one in self.everyone:
            if session not in one.inside or session not in one.client:
                continue
            replica = one.client[session]
            # An empty map says as much as none.
            people = {who: {k: v for k, v in p.items()
                            if k != "expires_in_ms" and v != {}}
                      for who, p in replica.people.items()}
            states[one.user] = json.dumps(
                [replica.at, replica.host, replica.total, replica.settings,
                 people], sort_keys=True)
        return states

    def equal(self):
        for session in self.sessions:
            states = self.states(session)
            there = self.checker.there(session)
            if len(set(states.values())) != 1:
                return False
            for one in self.everyone:
                if session in one.inside and session in one.client \
                        and sorted(one.client[session].who()) != there:
                    return False
        return True

    async def read_back(self):
        """Every value that was written, by someone who did not write it."""
        wanted = collections.defaultdict(list)
        for session, key in sorted(self.checker.registers):
            wanted[key].append(session)
        count = 0
        for n, (key, sessions) in enumerate(wanted.items()):
            if key == "capacity":
                for session in sessions:
                    self.history.note(
                        "read", session=session, key=key, by="probe0",
                        value=self.probes[0].client[session]
                        .settings["capacity"] or None)
            else:
                await self.read_roles(key, sessions, n)
            count += len(sessions)
        return count

    async def read_roles(self, member, sessions, n):
        """A role is shown of those who are there: so they come."""
        node = self.world.nodes[n % len(self.world.nodes)]
        client = await Client.open(
            node.url, node.token(member, grants=["admin"]))
        try:
            for session in sessions:
                await client.join(session)
                await client.until(lambda: client[session].one(member))
                role = client[session].one(member).get("role")
                self.history.note(
                    "read", session=session, key=member, by=node.name,
                    value=None if role == FROM_JOINING else role)
                await client.ask("leave", session=session)
        finally:
            await client.close()

    def summary(self):
        self.results["the end"].append((None, self.say_what_is_new()))
        return report.totals(self)
