"""What survives kill -9 and SIGTERM, and what must not."""

import asyncio
import random
import signal
import time

import pytest

from client import Crew, Gone, Refused
from node import run

SEED = random.randrange(1 << 32)
ROUNDS = 3
#: The capacities written are above this, so that it bars nobody.
ROOM = 1000
#: In which nobody can have left before the old node's people are confirmed.
SETTINGS = {"identity": "named", "membership": "durable", "host": "appointed",
            "beat_ms": 1000, "suspect_after_ms": 3000, "timeout_ms": 20000,
            "drop_grace_ms": 1000}
#: After a restart a node believes in its roster for so long.
CONFIRM_SECONDS = 5


class Oracle:
    """What has been asked and what has been answered `committed`."""

    def __init__(self):
        self.sessions = {}
        self.members = {}
        self.capacities = {}
        self.versions = {}

    def saw(self, session, at):
        before = self.versions.get(session, [0, 0])
        assert at >= before, f"{session}: {at} after {before}"
        self.versions[session] = at


async def write_forever(client, oracle, mine, pick):
    """Durable changes, one after another, each with the oracle told before
    it is sent and after it was answered."""
    number = 0
    session = None
    try:
        while True:
            number += 1
            if number % 12 == 1:
                session = f"{mine}-{number}"
                oracle.sessions[session] = "asked"
                answer = await client.ask(
                    "create_session", session=session, kind="party",
                    settings={"capacity": ROOM})
                oracle.sessions[session] = "committed"
                oracle.capacities[session] = ([ROOM], ROOM)
            elif pick.random() < 0.5:
                old = oracle.capacities[session][1]
                new = ROOM + number
                oracle.capacities[session] = ([old, new], old)
                answer = await client.ask(
                    "configure_session", session=session,
                    settings={"capacity": new})
                oracle.capacities[session] = ([new], new)
            else:
                user, role = f"m{number % 4}", f"r{number}"
                known = oracle.members.setdefault(session, {})
                old = known.get(user, (None,))[-1]
                known[user] = (old, role)
                answer = await client.ask("set_member", session=session,
                                          user=user, role=role)
                known[user] = (role,)
            assert answer["level"] == "committed"
            oracle.saw(session, answer["at"])
    except Gone:
        pass


async def read_back(crew, oracle):
    """All that was answered is there; all that is there was asked for."""
    for user in [f"m{n}" for n in range(4)]:
        client = await crew.connect(user, claims={"grants": ["admin"]})
        for session, state in oracle.sessions.items():
            try:
                await client.attach(session)
            except Refused as error:
                assert error.code == "not_found" and state == "asked", error
                continue
            oracle.saw(session, client[session].at)
            if state == "committed":
                allowed, _ = oracle.capacities[session]
                assert client[session].settings["capacity"] in allowed
            await client.ask("detach", session=session)
            roles = oracle.members.get(session, {}).get(user)
            if roles is None:
                continue
            await client.join(session)
            role = client[session].one(user).get("role")
            assert role in roles, (session, user, role, roles)
            await client.ask("leave", session=session)
        await client.close()


@pytest.mark.seconds(60)
@pytest.mark.parametrize("turn", range(ROUNDS))
async def test_kill_under_load_loses_nothing(make_node, turn):
    pick = random.Random(SEED + turn)
    print("seed", SEED + turn)
    node = make_node("--limits-requests-per-second", "100000",
                     "--limits-request-burst", "100000")
    node.start()
    oracle = Oracle()
    for life in range(3):
        async with Crew(node) as crew:
            writers = [await crew.connect(f"w{n}") for n in range(4)]
            loads = [asyncio.create_task(write_forever(
                writer, oracle, f"l{life}w{n}", pick))
                for n, writer in enumerate(writers)]
            await asyncio.sleep(pick.uniform(0.05, 0.6))
            node.end(signal.SIGKILL)
            await asyncio.gather(*loads)
        node.start()
        async with Crew(node) as crew:
            await read_back(crew, oracle)
    committed = list(oracle.sessions.values()).count("committed")
    print(committed, "sessions")
    assert committed > 10
    assert node.end() == 0


@pytest.mark.seconds(60)
async def test_kill_leaves_no_ghosts_and_tears_nobody_out(make_node):
    """Those who come back stay, those who do not are gone in time."""
    node = make_node().start()
    stay = [f"stay{n}" for n in range(6)]
    gone = [f"gone{n}" for n in range(6)]
    before = {}
    async with Crew(node) as crew:
        people = {u: await crew.connect(u) for u in stay + gone}
        await people["stay0"].ask("create_session", session="s",
                                  kind="stage", settings=SETTINGS)
        for user, client in people.items():
            await client.join("s")
        first = people["stay0"]
        await first.until(lambda: first["s"].present == 12)
        await first.ask("set_live", session="s", live={"step": 7})
        await first.until(lambda: first["s"].one("stay0").get("live"))
        # What the store keeps of a roster is written soon, not at once.
        await asyncio.sleep(0.5)
        for user, client in people.items():
            before[user] = (client.welcome["resume"], client["s"].at,
                            client["s"].one(user)["since_at"])
        node.end(signal.SIGKILL)
        for client in people.values():
            await client.until(lambda: client.closed)
    last = max(at for _, at, _ in before.values())
    node.start()
    started = time.monotonic()
    async with Crew(node) as crew:
        watch = await crew.connect("watch")
        await watch.attach("s")
        assert watch["s"].at >= last
        assert sorted(watch["s"].who()) == sorted(stay + gone)
        assert watch["s"].host is not None
        for user in stay:
            secret, at, since_at = before[user]
            client = await crew.connect(user, hello={"resume": secret})
            answer = await client.ask("join", session="s", since=at)
            assert answer["is_reconnection"] is False, user
            assert answer["at"] >= last
            await client.until(lambda: "s" in client
                               and client["s"].at is not None)
            assert client["s"].one(user)["since_at"] == since_at
        bound = CONFIRM_SECONDS + SETTINGS["drop_grace_ms"] / 1000 + 1
        await watch.until(
            lambda: len(watch.changes("s", "left")) == 6,
            seconds=bound - (time.monotonic() - started) + 1)
        took = time.monotonic() - started
        assert took < bound, f"ghosts for {took} s"
        assert sorted(watch["s"].who()) == stay
        assert watch["s"].types("joined") == []
        assert len(watch.changes("s", "left")) == 6
    assert node.end() == 0


@pytest.mark.seconds(60)
async def test_kill_during_joins_keeps_counts_true(make_node):
    """Whatever the roster on disk is: it is one, and it empties."""
    pick = random.Random(SEED)
    print("seed", SEED)
    node = make_node().start()
    settings = {**SETTINGS, "drop_grace_ms": 0}
    at = [0, 0]
    for life in range(3):
        async with Crew(node) as crew:
            maker = await crew.connect("maker")
            if life == 0:
                await maker.ask("create_session", session="s", kind="stage",
                                settings=settings)

            async def come(number):
                try:
                    client = await crew.connect(f"u{life}-{number}")
                    await client.join("s", view="none")
                except (Gone, OSError, EOFError, AssertionError):
                    pass
                except Exception as e:
                    assert "websockets" in type(e).__module__, e

            joins = [asyncio.create_task(come(n)) for n in range(60)]
            await asyncio.sleep(pick.uniform(0.02, 0.3))
            node.end(signal.SIGKILL)
            await asyncio.gather(*joins)
        node.start()
        async with Crew(node) as crew:
            watch = await crew.connect("watch")
            await watch.attach("s")
            assert watch["s"].at >= at
            at = watch["s"].at
            await watch.until(lambda: watch["s"].present == 0,
                              seconds=CONFIRM_SECONDS + 2)
            at = watch["s"].at
    assert node.end() == 0


async def test_second_process_on_a_data_directory_is_refused(make_node):
    node = make_node().start()
    status, out, errors = run("--quickstart", "--data-dir", node.data,
                              "--server-listen", "127.0.0.1:0")
    assert status != 0
    assert "another process" in errors and str(node.data) in errors
    assert len(errors.splitlines()) == 1, errors
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.join("s", create="board")


async def until_closed_by_shutdown(people):
    for client in people:
        await client.until(lambda: client.closed)
        assert client.closed == 3000 and client.bye["code"] == 3000
        assert client.bye["reason"] == "shutdown"
        assert client.bye["reconnect"] is True
        assert client.bye["after_ms"] >= 0


@pytest.mark.seconds(40)
async def test_sigterm_says_bye_and_clients_come_back(make_node):
    node = make_node().start()
    async with Crew(node) as crew:
        people = {u: await crew.connect(u, dialect=d) for u, d in
                  [("ann", "json"), ("bob", "msgpack"), ("eve", "json")]}
        await people["ann"].ask("create_session", session="s", kind="stage",
                                settings=SETTINGS)
        for client in people.values():
            await client.join("s")
        # Until the roster's page is on disk.
        await asyncio.sleep(0.5)
        node.signal(signal.SIGTERM)
        await until_closed_by_shutdown(people.values())
    assert node.wait() == 0
    node.start()
    async with Crew(node) as crew:
        watch = await crew.connect("watch")
        await watch.attach("s")
        assert watch["s"].who() == ["ann", "bob", "eve"]
        for user in ("ann", "bob"):
            old = people[user]
            client = await crew.connect(
                user, hello={"resume": old.welcome["resume"]})
            answer = await client.ask("join", session="s",
                                      since=old["s"].at)
            assert answer["is_reconnection"] is False
        await watch.until(lambda: watch.changes("s", "left"))
        assert watch["s"].who() == ["ann", "bob"]
        assert watch["s"].types("joined") == []
    assert node.end() == 0


@pytest.mark.seconds(60)
async def test_sigterm_keeps_everyone_who_was_shown(make_node):
    """However shortly before they came."""
    node = make_node().start()
    kept = {}
    for turn, count in enumerate([3, 2, 3, 6, 3, 12, 3]):
        session = f"s{turn}"
        async with Crew(node) as crew:
            people = [await crew.connect(f"u{n}") for n in range(count)]
            for person in people:
                await person.join(session, create="stage")
            await people[0].until(lambda: people[0][session].present == count)
            node.signal(signal.SIGTERM)
            await until_closed_by_shutdown(people)
        assert node.wait() == 0
        node.start()
        async with Crew(node) as crew:
            watch = await crew.connect("watch")
            await watch.attach(session)
            kept[session] = (watch[session].present, count)
    print(kept)
    assert all(present == count for present, count in kept.values())


async def test_sigterm_with_nobody_here_is_quick(make_node):
    node = make_node().start()
    started = time.monotonic()
    assert node.end() == 0
    assert time.monotonic() - started < 3


@pytest.mark.seconds(40)
async def test_pause_costs_nobody_their_place(make_node):
    """SIGSTOP longer than a timeout: the clients were never silent."""
    node = make_node().start()
    settings = {**SETTINGS, "suspect_after_ms": 1200, "timeout_ms": 2000}
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session="s", kind="stage",
                      settings=settings)
        await ann.join("s")
        bob = await crew.connect("bob", dialect="msgpack")
        await bob.join("s")
        node.signal(signal.SIGSTOP)
        await asyncio.sleep(4)
        node.signal(signal.SIGCONT)
        for client in (ann, bob):
            await client.ask("heartbeat")
        await asyncio.sleep(2.5)
        for client in (ann, bob):
            assert client["s"].types("left") == []
            assert sorted(client["s"].who()) == ["ann", "bob"]
