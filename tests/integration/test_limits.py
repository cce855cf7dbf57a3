"""Limits refuse one call or one client, and nobody else notices."""

import asyncio
import json
import re
import resource
import socket
import ssl
import subprocess
import time
import urllib.request
import warnings

import pytest
import websockets

from client import Crew
from node import Node
from wire import TEXT, Wire, connect, frame, request


async def test_rate_limit_refuses_and_keeps_the_connection(make_node):
    node = make_node("--limits-requests-per-second", "20",
                     "--limits-request-burst", "10").start()
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        ann.silence()
        assert ann.welcome["limits"]["requests_per_second"] == 20
        answers = await asyncio.gather(
            *(ann.ask_any("heartbeat") for _ in range(40)))
        errors = [a["error"] for a in answers if not a["ok"]]
        assert 20 <= len(errors) <= 32
        for error in errors:
            assert error["code"] == "rate_limited" and error["retryable"]
            assert 0 < error["retry_after_ms"] <= 2000
        await asyncio.sleep(errors[-1]["retry_after_ms"] / 1000 + 0.05)
        await ann.ask("heartbeat")


async def test_seventeenth_session_is_refused(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        for number in range(16):
            await ann.join(f"{session}-{number}", create="board")
        error = await ann.refused("join", session=f"{session}-16",
                                  create="board")
        assert (error["code"], error["field"]) == ("too_large", "session")
        error = await ann.refused("attach", session=f"{session}-16")
        assert error["code"] in ("too_large", "not_found")
        await ann.join(f"{session}-3")
        await ann.ask("leave", session=f"{session}-0")
        await ann.join(f"{session}-17", create="board")


async def test_unanswered_requests_are_bounded(node, session):
    """Far more than 64 at once: each is answered, one way or the other."""
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        answers = await asyncio.gather(
            *(ann.ask_any("create_session", kind="board",
                          session=f"{session}-{n}") for n in range(150)))
        codes = {a["error"]["code"] for a in answers if not a["ok"]}
        assert codes <= {"rate_limited"}
        assert sum(a["ok"] for a in answers) >= 64


@pytest.mark.seconds(60)
async def test_stalled_reader_is_cut_and_hurts_nobody(make_node, session):
    node = make_node("--limits-requests-per-second", "10000",
                     "--limits-request-burst", "10000").start()
    rss = node.rss_mib()
    async with Crew(node) as crew:
        people = [await crew.connect(f"u{n}") for n in range(8)]
        await people[0].ask("create_session", session=session, kind="board",
                            settings={"live_rate": 0})
        for person in people:
            await person.join(session)
        stalled = await asyncio.to_thread(stall, node, session)
        began, slowest, step = time.monotonic(), 0, 0
        gone = False
        while time.monotonic() - began < 30 and not gone:
            step += 1
            sent = time.monotonic()
            await asyncio.gather(*(p.ask(
                "set_live", session=session,
                live=filler(step)) for p in people))
            await people[0].until(
                lambda: people[0][session].one("u7").get("live", {}).get(
                    "k0") == filler(step)["k0"])
            slowest = max(slowest, time.monotonic() - sent)
            gone = people[0][session].one("stalled") is None or \
                people[0][session].one("stalled")["state"] == "suspected"
        assert gone, "never cut"
        assert slowest < 2
        assert node.rss_mib() - rss < 100
        assert all(p.closed is None for p in people)
        codes = await asyncio.to_thread(drain, stalled)
        assert codes[-1] in (3001, 1006)
        for person in people:
            assert person[session].snapshots == ["attached"]


def filler(step):
    """Live state that is new in every key, 2 KB of it."""
    return {f"k{n}": f"{step:0120}" for n in range(15)}


def stall(node, session):
    """A member that reads its join and nothing after it."""
    wire = Wire.__new__(Wire)
    wire.socket = socket.socket()
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.socket.settimeout(8)
    wire.socket.connect(("127.0.0.1", node.port))
    wire.node, wire.buffer, wire.ended = node, b"", False
    wire.upgrade(Authorization="Bearer " + node.token("stalled"))
    wire.send(frame(TEXT, json.dumps(
        {"op": "join", "id": 1, "session": session}).encode()))
    assert wire.next_message(lambda m: m.get("re") == 1)["ok"] is True
    return wire


def drain(wire):
    codes = []
    for kind, value in wire.messages():
        if kind == "close":
            codes.append(value)
    wire.socket.close()
    return codes or [1006]


@pytest.mark.seconds(60)
async def test_slow_reader_gets_a_snapshot(make_node, session):
    """One that stops reading for a while and then reads on."""
    node = make_node("--limits-requests-per-second", "10000",
                     "--limits-request-burst", "10000").start()
    async with Crew(node) as crew:
        people = [await crew.connect(f"u{n}") for n in range(8)]
        await people[0].ask("create_session", session=session, kind="board",
                            settings={"live_rate": 0})
        for person in people:
            await person.join(session)
        wire = await asyncio.to_thread(stall, node, session)
        began, step = time.monotonic(), 0
        while people[0].bytes < 3 << 20:
            step += 1
            await asyncio.gather(*(p.ask(
                "set_live", session=session, live=filler(step))
                for p in people))
        assert time.monotonic() - began < 8, "the grace is 10 s"

        def read_on():
            return wire.next_message(
                lambda m: m.get("push") == "snapshot"
                and m["why"] == "slow_reader")
        snapshot = await asyncio.to_thread(read_on)
        assert snapshot["present"] == 9
        wire.socket.close()


@pytest.mark.seconds(40)
async def test_no_descriptors_left_is_survived(make_node):
    node = make_node(prefix=["bash", "-c", 'ulimit -n 64; exec "$@"', "-"])
    node.start()
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        plugs = []
        for _ in range(80):
            plugs.append(socket.create_connection(
                ("127.0.0.1", node.port), 2))
        before, began = node.cpu_seconds(), time.monotonic()
        await asyncio.sleep(2)
        assert node.cpu_seconds() - before < 0.5, "spins"
        await ann.ask("heartbeat")
        for plug in plugs:
            plug.close()

        async def again():
            for _ in range(40):
                try:
                    return await crew.connect("bob")
                except (OSError, websockets.InvalidHandshake,
                        asyncio.TimeoutError, EOFError):
                    await asyncio.sleep(0.1)
            raise AssertionError("never recovered")
        bob = await again()
        await bob.join("s", create="board")
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("how", ["header", "hello"])
async def test_token_expires_under_a_live_connection(make_node, how):
    node = make_node("--tokens-leeway", "0ms").start()
    async with Crew(node) as crew:
        exp = int(time.time()) + 3
        short = {"claims": {"exp": exp}, "how": how}
        ann = await crew.connect("ann", **short)
        bob = await crew.connect("bob", **short)
        assert 1000 < ann.welcome["expires_in_ms"] <= 3000
        await ann.join("s", create="board")
        await bob.join("s")
        error = await bob.refused("refresh_token", token=node.token("ann"))
        assert error["code"] in ("unauthenticated", "forbidden")
        answer = await bob.ask("refresh_token",
                               token=node.token("bob", exp=exp + 600))
        assert 590_000 < answer["expires_in_ms"] <= 604_000
        await ann.until(lambda: ann.closed)
        assert -0.1 < time.time() - exp < 1.5
        assert ann.closed == 3004 and ann.bye["reason"] == "token_expired"
        assert ann.bye["reconnect"] is True
        await asyncio.sleep(0.5)
        assert bob.closed is None
        await bob.ask("heartbeat")


async def test_anonymous_may_count_where_allowed(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.join(session, create="stream")
        await ann.join(session + "b", create="board")
        nobody = await crew.connect()
        assert "user" not in nobody.welcome
        assert "participant_id" not in nobody.welcome
        await nobody.attach(session, view="count")
        assert nobody[session].present == 1
        bob = await crew.connect("bob")
        await bob.join(session)
        await nobody.until(lambda: nobody[session].present == 2)
        await nobody.ask("detach", session=session)
        await nobody.attach(session, view="events")
        await bob.ask("leave", session=session)
        await nobody.until(lambda: nobody.changes(session, "left"))
        for op, keys in [("attach", {"view": "roster"}), ("join", {}),
                         ("get_roster", {}), ("kick", {"user": "ann"}),
                         ("set_live", {"live": {"a": 1}}),
                         ("end_session", {}),
                         ("create_session", {"kind": "board"})]:
            error = await nobody.refused(op, session=session, **keys)
            assert error["code"] in ("unauthenticated", "forbidden",
                                     "conflict"), (op, error)
        error = await nobody.refused("attach", session=session + "b",
                                     view="count")
        assert error["code"] in ("not_found", "unauthenticated", "forbidden")
        assert nobody.closed is None


async def test_request_before_hello_is_refused(node):
    with connect(node, leave_out=["Authorization"]) as wire:
        wire.send(frame(TEXT, b'{"op":"join","id":1,"session":"s"}'))
        answer = wire.answer()
        assert answer["error"]["code"] == "unauthenticated"


@pytest.fixture
def certificate(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


async def test_tls(make_node, certificate):
    cert, key = certificate
    node = make_node("--server-tls-cert", cert, "--server-tls-key", key)
    node.start()
    assert node.scheme == "https"
    trust = ssl.create_default_context(cafile=str(cert))
    async with Crew(node, ssl=trust) as crew:
        ann = await crew.connect("ann")
        bob = await crew.connect("bob", dialect="msgpack")
        await ann.join("s", create="board")
        await bob.join("s")
        await ann.until(lambda: ann["s"].who() == ["ann", "bob"])
        bob.drop()
        await ann.until(lambda: ann.changes("s", "suspected"))
    # Plain text to a TLS port, old versions and rubbish harm nobody.
    with Wire(node) as wire:
        wire.send(request(node))
        assert wire.read_http()[0] in (0, 400)
    with socket.create_connection(("127.0.0.1", node.port), 5) as rubbish:
        rubbish.sendall(b"\x16\x03\x01\xff\xff" + b"\0" * 5000)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        with socket.create_connection(("127.0.0.1", node.port), 5) as plain:
            old.wrap_socket(plain)
    assert node.end() == 0


@pytest.mark.parametrize("origin, status", [
    ("https://app.example", 101), ("https://app.example:8443", 403),
    ("http://app.example", 403), ("https://app.example.evil.com", 403),
    ("https://evil.example", 403), ("https://app.example@evil.com", 403),
    ("https://APP.example", 101), ("null", 403), ("", 403),
    ("https://app.example/", 403)])
def test_origins(origin_node, origin, status):
    with Wire(origin_node) as wire:
        wire.send(request(origin_node, Origin=origin))
        assert wire.read_http()[0] == status


@pytest.fixture(scope="module")
def origin_node(tmp_path_factory):
    one = Node(tmp_path_factory.mktemp("origins"), "--server-origins",
               "https://app.example").start()
    yield one
    assert one.end() == 0


def test_connections_per_address(make_node):
    node = make_node("--limits-connections-per-address", "5").start()
    wires = [connect(node) for _ in range(5)]
    with Wire(node) as wire:
        wire.send(request(node))
        assert wire.read_http()[0] == 429
    wires.pop().socket.close()
    deadline = time.monotonic() + 5
    while True:
        with Wire(node) as wire:
            wire.send(request(node))
            if wire.read_http()[0] == 101:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for wire in wires:
        wire.socket.close()


@pytest.mark.seconds(90)
async def test_join_storm_is_coalesced(make_node):
    """300 joins must not make 300 frames for each of 300 clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2048:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    node = make_node().start()
    async with Crew(node) as crew:
        watch = await crew.connect("watch")
        await watch.ask("create_session", session="s", kind="stage")
        await watch.attach("s")
        crowd = []
        for start in range(0, 300, 50):
            crowd += await asyncio.gather(
                *(crew.connect(f"u{n}") for n in range(start, start + 50)))
        before = {client: client.frames for client in crowd}
        figures_before = await asyncio.to_thread(figures, node)
        await asyncio.gather(*(c.ask("join", session="s") for c in crowd))
        for client in [watch, *crowd]:
            await client.until(lambda: client["s"].present == 300)
        frames = [c.frames - before[c] for c in crowd]
        print("frames: mean", sum(frames) / 300, "most", max(frames),
              "watch", watch["s"].batches)
        assert sum(frames) / 300 < 100
        assert len(watch.changes("s", "joined")) == 300
        # Each joined change kept its own count.
        assert [c["present"] for c in watch.changes("s", "joined")] == list(
            range(1, 301))
        # One publication a tick, one delivery of it a client, no more sends.
        now = await asyncio.to_thread(figures, node)
        published = now["publishes"] - figures_before["publishes"]
        delivered = now["deliveries"] - figures_before["deliveries"]
        answered = now["received_frames"] - figures_before["received_frames"]
        sends = now["send_calls"] - figures_before["send_calls"]
        assert 0 < published < 100
        assert delivered <= published * 301
        # An answer and a snapshot each; and the page of the first figures,
        # which was sent after they were taken.
        assert sends <= delivered + 2 * answered + 1


def figures(node):
    url = f"http://127.0.0.1:{node.port}/metrics"
    with urllib.request.urlopen(url, timeout=5) as response:
        return {k: float(v) for k, v in re.findall(
            r"^rollcall_net_(\w+?)_total (\S+)$", response.read().decode(),
            re.MULTILINE)}
