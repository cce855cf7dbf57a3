"""Bad handshakes and frames: each is refused, and nobody else notices."""

import os
import socket
import struct
import time

import pytest

from bystanders import Bystanders
from wire import (BINARY, CLOSE, PING, PONG, TEXT, Wire, connect, frame,
                  request)

GROWTH_MIB = 48


@pytest.fixture(scope="module", autouse=True)
def bystanders(node):
    """At the end the two have noticed nothing and nothing has piled up."""
    watch = Bystanders(node).start()
    before = node.rss_mib()
    yield watch
    watch.stop()
    assert node.rss_mib() - before < GROWTH_MIB


def status_of(node, data):
    with Wire(node) as wire:
        wire.send(data)
        return wire.read_http()[0]


# -- handshake ----------------------------------------------------------------

def origin(node, value):
    return request(node, Origin=value)


HANDSHAKES = {
    "hs-no-key": (lambda n: request(n, leave_out=["Sec-WebSocket-Key"]),
                  {400}),
    "hs-short-key": (lambda n: request(n, Sec_WebSocket_Key="abc"), {400}),
    "hs-bad-version": (lambda n: request(n, Sec_WebSocket_Version="8"),
                       {426}),
    "hs-post": (lambda n: request(n, "Content-Length: 0", method="POST"),
                {405}),
    "hs-http10": (lambda n: request(n, version="HTTP/1.0"), {400, 505}),
    "hs-ext-prototype": (lambda n: request(
        n, Sec_WebSocket_Extensions="constructor"), {101}),
    "hs-no-protocol": (lambda n: request(
        n, leave_out=["Sec-WebSocket-Protocol"]), {400}),
    "hs-unknown-protocol": (lambda n: request(
        n, Sec_WebSocket_Protocol="rollcall.v9.json"), {400}),
    "hs-2000-headers": (lambda n: request(
        n, *(f"X-{i}: 1" for i in range(2000))), {431}),
    "hs-header-64k": (lambda n: request(n, "X-Long: " + "a" * 65536), {431}),
    "hs-evil-origin": (lambda n: origin(n, "https://evil.example"), {403}),
    "hs-null-origin": (lambda n: origin(n, "null"), {403}),
    "hs-origin-suffix": (lambda n: origin(
        n, f"http://127.0.0.1:{n.port}.evil.com"), {403}),
    "hs-origin-userinfo": (lambda n: origin(
        n, f"http://127.0.0.1:{n.port}@evil.com"), {403}),
    "hs-origin-own-host": (lambda n: origin(
        n, f"http://127.0.0.1:{n.port}"), {101}),
    "hs-dup-host": (lambda n: request(n, "Host: evil.example"), {400}),
    "hs-no-host": (lambda n: request(n, leave_out=["Host"]), {400}),
    "hs-cl-te-smuggle": (lambda n: request(
        n, "Content-Length: 4", "Transfer-Encoding: chunked"), {400}),
    "hs-token-in-query": (lambda n: request(
        n, target="/v1/connect?token=" + n.token("hostile"),
        leave_out=["Authorization"]), {400, 401, 101}),
    "hs-bad-token": (lambda n: request(n, Authorization="Bearer x.y.z"),
                     {401}),
    "hs-unknown-path": (lambda n: request(n, target="/v1/nothing"), {404}),
    "hs-absolute-garbage": (lambda n: b"\x16\x03\x01\x02\x00\x01" * 20,
                            {0, 400}),
    "hs-space-in-name": (lambda n: request(n, "X-A : b"), {400}),
    "hs-obs-fold": (lambda n: request(n, "X-A: b", "  folded"), {101, 400}),
    "hs-nul": (lambda n: request(n, "X-A: b\0c"), {400}),
    "hs-bare-lf": (lambda n: request(n).replace(b"\r\n", b"\n", 1),
                   {400, 505}),
}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_handshake(node, name):
    make, allowed = HANDSHAKES[name]
    assert status_of(node, make(node)) in allowed


def test_hs_bad_version_names_13(node):
    with Wire(node) as wire:
        wire.send(request(node, Sec_WebSocket_Version="8"))
        _, headers, _ = wire.read_http()
        assert headers.get("sec-websocket-version") == "13"


def test_hs_ext_is_not_negotiated(node):
    with Wire(node) as wire:
        headers = wire.upgrade(
            Sec_WebSocket_Extensions="permessage-deflate")
        assert "sec-websocket-extensions" not in headers


@pytest.mark.parametrize("name", ["hs-ext-unclosed", "hs-proto-redos"])
def test_hs_regex_bombs_are_cheap(node, name):
    value = ({"Sec_WebSocket_Extensions": 'a; b="' + "\\x" * 500_000}
             if name == "hs-ext-unclosed" else
             {"Sec_WebSocket_Protocol": "a" + " " * 50_000 + "b"})
    before = node.cpu_seconds()
    assert status_of(node, request(node, **value)) in (400, 431)
    assert node.cpu_seconds() - before < 0.5


def test_hs_token_in_query_is_no_token(node):
    """The socket may open, but as one that has yet to say who it is."""
    secret = node.token("hostile")
    with Wire(node) as wire:
        wire.send(request(node, target="/v1/connect?token=" + secret,
                          leave_out=["Authorization"]))
        if wire.read_http()[0] == 101:
            wire.send(frame(TEXT, b'{"op":"join","id":1,"session":"s"}'))
            answer = wire.next_message()
            assert answer["error"]["code"] == "unauthenticated"
    assert secret not in node.said()


@pytest.mark.parametrize("drip", [b"G", None])
def test_hs_slowloris_is_cut(node, drip):
    """One byte every two seconds, or none: cut within 10 s."""
    began = time.monotonic()
    with Wire(node) as wire:
        wire.socket.settimeout(2)
        while time.monotonic() - began < 12:
            if drip:
                wire.send(drip)
            try:
                if not wire.fill():
                    break
            except socket.timeout:
                pass
    assert 2 < time.monotonic() - began < 10


def test_hs_no_hello_is_cut_after_5_seconds(node):
    began = time.monotonic()
    with Wire(node) as wire:
        wire.upgrade(leave_out=["Authorization"])
        assert wire.close_code() == 3500
    assert 4 < time.monotonic() - began < 8


def test_hs_rst_during_upgrade(node):
    for _ in range(50):
        with Wire(node) as wire:
            wire.send(request(node))
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
    assert node.alive()


def test_hs_pipelined_frames(node):
    with Wire(node) as wire:
        wire.send(request(node) + frame(
            TEXT, b'{"op":"heartbeat","id":"early"}'))
        assert wire.read_http()[0] in (101, 400)
        answers = [m for k, m in [next(wire.messages()) for _ in range(2)]
                   if k == "message"]
        assert answers[-1].get("re") == "early"


# -- frames -------------------------------------------------------------------

HEARTBEAT = b'{"op":"heartbeat","id":1}'


def closing(code=None, reason=b""):
    return b"" if code is None else struct.pack(">H", code) + reason


FRAMES = {
    "fr-unmasked": (frame(TEXT, HEARTBEAT, mask=False), {1002}),
    "fr-rsv1-no-ext": (frame(TEXT, HEARTBEAT, rsv=4), {1002}),
    "fr-rsv2": (frame(TEXT, HEARTBEAT, rsv=2), {1002}),
    "fr-rsv3": (frame(TEXT, HEARTBEAT, rsv=1), {1002}),
    **{f"fr-opcode-{n:X}": (frame(n, b"x"), {1002})
       for n in [*range(3, 8), *range(11, 16)]},
    "fr-ping-126": (frame(PING, b"x" * 126), {1002}),
    "fr-ping-fragmented": (frame(PING, b"x", fin=False), {1002}),
    "fr-cont-without-start": (frame(0, b"x"), {1002}),
    "fr-text-inside-fragment": (frame(TEXT, b"{", fin=False)
                                + frame(TEXT, b"}"), {1002}),
    "fr-len64-msb": (frame(TEXT, announced=1 << 63), {1002, 1009}),
    "fr-len-nonminimal-16": (frame(TEXT, HEARTBEAT, length=16), {1002}),
    "fr-len-nonminimal-64": (frame(TEXT, HEARTBEAT, length=64), {1002}),
    "fr-1GiB-announced": (frame(TEXT, announced=1 << 30), {1009}),
    "fr-64KiB-and-1": (frame(TEXT, b" " * 65537), {1009}),
    "fr-64KiB-and-1-in-fragments": (
        frame(TEXT, b" " * 40000, fin=False) + frame(0, b" " * 40000),
        {1009}),
    "fr-1M-empty-continuations": (
        frame(TEXT, b"", fin=False) + frame(0, b"", fin=False) * 1_000_000,
        {1008, 1009, 3506}),
    "fr-1byte-fragments-64k": (
        frame(TEXT, b"{", fin=False) + frame(0, b" ", fin=False) * 65535,
        {1008, 1009, 3506}),
    "fr-utf8-surrogate": (frame(TEXT, b'"\xed\xa0\x80"'), {1007}),
    "fr-utf8-overlong": (frame(TEXT, b'"\xc0\xaf"'), {1007}),
    "fr-utf8-above-10FFFF": (frame(TEXT, b'"\xf4\x90\x80\x80"'), {1007}),
    "fr-utf8-cut": (frame(TEXT, b'"\xe2\x82"'), {1007}),
    "fr-utf8-split-bad": (frame(TEXT, b'"\xe2', fin=False)
                          + frame(0, b'\x28\xa1"'), {1007}),
    "fr-binary-in-json": (frame(BINARY, HEARTBEAT), {1003, 3501}),
    "fr-close-1005": (frame(CLOSE, closing(1005)), {1002}),
    "fr-close-1006": (frame(CLOSE, closing(1006)), {1002}),
    "fr-close-999": (frame(CLOSE, closing(999)), {1002}),
    "fr-close-65535": (frame(CLOSE, closing(65535)), {1002}),
    "fr-close-1byte": (frame(CLOSE, b"\x03"), {1002}),
    "fr-close-bad-utf8-reason": (frame(CLOSE, closing(1000, b"\xff")),
                                 {1007, 1002}),
    "fr-close-normal": (frame(CLOSE, closing(1000)), {1000}),
    "fr-close-empty": (frame(CLOSE), {1000, 1005}),
    "fr-data-after-close": (frame(CLOSE, closing(1000))
                            + frame(TEXT, HEARTBEAT), {1000}),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frame(node, name):
    data, allowed = FRAMES[name]
    with connect(node) as wire:
        wire.send(data)
        began = time.monotonic()
        assert wire.close_code() in allowed
        assert time.monotonic() - began < 5


def test_fr_first_frame_has_16KiB(node):
    with connect(node, leave_out=["Authorization"]) as wire:
        wire.send(frame(TEXT, b" " * 16385))
        assert wire.close_code() == 1009


def test_fr_utf8_split_over_frames_is_fine(node):
    text = '{"op":"get_roster","id":"é🎈","session":"ü"}'.encode()
    with connect(node) as wire:
        for cut in range(len(text)):
            wire.send(frame(TEXT, text[:cut], fin=False)
                      + frame(PING, b"between") + frame(0, text[cut:]))
            assert wire.answer()["re"] == "é🎈"


def test_fr_ping_is_answered(node):
    with connect(node) as wire:
        wire.send(frame(PING, b"p" * 125))
        assert wire.read_frame() == (PONG, b"p" * 125)


@pytest.mark.parametrize("kind", [PING, PONG], ids=["ping", "pong"])
def test_fr_control_flood_is_bounded(node, kind):
    """100,000 at once: cut, or throttled; never a heap of pongs."""
    before, rss = node.cpu_seconds(), node.rss_mib()
    with connect(node) as wire:
        wire.socket.settimeout(1)
        try:
            wire.send(frame(kind, b"x" * 100) * 100_000)
        except socket.timeout:
            pass
        assert node.cpu_seconds() - before < 2
        assert node.rss_mib() - rss < 20


def test_fr_fragment_never_finished_is_a_bound(node):
    """A thousand half messages, then gone: nothing stays behind."""
    before = node.rss_mib()
    wires = [connect(node) for _ in range(200)]
    for wire in wires:
        wire.send(frame(TEXT, b" " * 60000, fin=False))
    for wire in wires:
        wire.socket.close()
    assert node.rss_mib() - before < GROWTH_MIB


def test_fr_random_bytes(node):
    import random
    pick = random.Random(1)
    for _ in range(100):
        with connect(node) as wire:
            wire.send(pick.randbytes(pick.randrange(1, 2000)))
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.close_code() >= 1000
    assert node.alive()
