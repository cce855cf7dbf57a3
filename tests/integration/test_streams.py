"""The words of a system for live streams: counts over HTTP, and a plain
WebSocket that tells joins and leaves."""

import asyncio
import json
import time

import pytest
import websockets

from client import Client
from rest import Rest, path
from wire import PING, TEXT, Wire, frame, request

PATIENCE = 8


@pytest.fixture
def ann(node):
    return Rest(node, "ann")


def socket_path(session):
    return path("streams", session, "participants", "ws")


class Listener:
    """What a page does: open, and read `data.type`."""

    def __init__(self, socket):
        self.socket = socket

    @classmethod
    async def open(cls, node, session, **options):
        url = f"ws://{node.host}:{node.port}{socket_path(session)}"
        return cls(await websockets.connect(
            url, compression=None, ping_interval=None, **options))

    async def next(self):
        said = await asyncio.wait_for(self.socket.recv(), PATIENCE)
        assert isinstance(said, str)
        return json.loads(said)

    async def closed(self):
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                await self.next()
        return self.socket.close_code


async def join(node, user, session, **more):
    one = await Client.open(node.url, node.token(user))
    await one.join(session, **more)
    return one


def test_join_and_leave(node, ann, session):
    ann.create(session, kind="stream")
    bob = Rest(node, "bob")
    join, leave = (path("streams", session, way) for way in ("join", "leave"))
    first = bob("POST", join)
    assert first.status == 200
    who = first["participant_id"]
    assert first.json == {
        "stream_id": session, "active_count": 1, "participant_id": who,
        "join_count": 1, "is_reconnection": False, "reconnection_count": 0}
    assert bob("POST", join).json == first.json, "joining again is harmless"
    assert ann("POST", join)["active_count"] == 2
    left = bob("POST", leave)
    assert left.json == {"stream_id": session, "active_count": 1,
                         "participant_id": who, "leave_count": 1}
    assert bob("POST", leave).json == left.json
    again = bob("POST", join)
    assert (again["join_count"], again["is_reconnection"],
            again["reconnection_count"]) == (2, True, 1)
    assert bob("POST", leave)["leave_count"] == 2
    assert ann("POST", leave)["active_count"] == 0


def test_who_may_join(node, ann, session):
    ann.create(session, kind="stream", capacity=1)
    join = path("streams", session, "join")
    assert Rest(node)("POST", join).problem()[:2] == (401, "unauthenticated")
    weak = Rest(node, "eve", grants=["observe_count"])
    assert weak("POST", join).problem()[:2] == (403, "forbidden")
    assert ann("POST", path("streams", session + "-not", "join")
               ).problem() == (404, "not_found", "session")
    assert ann("POST", join).status == 200
    assert Rest(node, "bob")("POST", join).problem() == (
        409, "session_full", "session")
    assert ann("POST", join, {"more": 1}).problem() == (
        400, "bad_request", "more")
    ann("POST", path("v1", "sessions", session, "end"))
    assert ann("POST", join).problem() == (409, "session_ended", "session")


async def test_joins_over_http_are_told(node, ann, session):
    ann.create(session, kind="stream")
    listener = await Listener.open(node, session)
    await listener.next()
    bob = Rest(node, "bob")
    for way in ("join", "join", "leave", "leave", "join"):
        assert bob("POST", path("streams", session, way)).status == 200
    told = [await listener.next() for _ in range(3)]
    assert [one["type"] for one in told] == [
        "participant_joined", "participant_left", "participant_joined"]
    assert [one.get("is_reconnection") for one in told] == [False, None, True]
    # A socket of the same user keeps them here.
    socket = await join(node, "bob", session)
    assert bob("POST", path("streams", session, "leave"))["active_count"] == 1
    await socket.close()
    assert (await listener.next())["type"] == "participant_left"
    await listener.socket.close()


def test_count(node, ann, session):
    ann.create(session, kind="stream")
    where = path("streams", session, "participants")
    seen = Rest(node)("GET", where)
    assert seen.json == {"stream_id": session, "active_count": 0}
    assert seen.headers["Cache-Control"] == "private, no-cache"
    assert Rest(node)("GET", where, headers={
        "If-None-Match": seen.headers["ETag"]}).status == 304
    assert Rest(node)("GET", path("streams", session + "?", "participants")
                      ).problem() == (404, "not_found", "session")


async def test_joins_and_leaves_are_told(node, ann, session):
    ann.create(session, kind="stream")
    listener = await Listener.open(node, session)
    assert await listener.next() == {
        "type": "participant_count", "stream_id": session, "active_count": 0}
    bob = await join(node, "bob", session)
    who = bob.welcome["participant_id"]
    assert await listener.next() == {
        "type": "participant_joined", "participant_id": who,
        "is_reconnection": False, "stream_id": session, "active_count": 1}
    cid = await join(node, "cid", session)
    assert (await listener.next())["active_count"] == 2
    assert Rest(node)("GET", path("streams", session, "participants"))[
        "active_count"] == 2
    await bob.ask("leave", session=session)
    assert await listener.next() == {
        "type": "participant_left", "participant_id": who, "reason": "left",
        "stream_id": session, "active_count": 1}
    await bob.join(session)
    again = await listener.next()
    assert again["type"] == "participant_joined"
    assert again["is_reconnection"] is True and again["active_count"] == 2
    # Nothing else is told: live state, roles, host.
    await cid.ask("set_live", session=session, live={"typing": True})
    ann("PUT", path("v1", "sessions", session, "members", "cid"),
        {"role": "moderator"})
    await cid.ask("leave", session=session)
    assert (await listener.next())["type"] == "participant_left"
    await listener.socket.close()
    for one in (bob, cid):
        await one.close()


async def test_many_at_once_are_told_one_by_one(node, ann, session):
    ann.create(session, kind="stream")
    listener = await Listener.open(node, session)
    await listener.next()
    people = await asyncio.gather(*[
        join(node, f"u{i}", session) for i in range(20)])
    told = [await listener.next() for _ in people]
    assert [one["active_count"] for one in told] == list(range(1, 21))
    assert {one["participant_id"] for one in told} == {
        one.welcome["participant_id"] for one in people}
    await listener.socket.close()
    for one in people:
        await one.close()


async def test_counts_alone_where_nobody_is_shown(node, ann, session):
    ann.create(session, kind="stream", identity="count_only")
    listener = await Listener.open(node, session)
    await listener.next()
    bob = await join(node, "bob", session)
    assert await listener.next() == {
        "type": "participant_count", "stream_id": session, "active_count": 1}
    await bob.close()
    await listener.socket.close()


async def test_who_may_look_on(node, ann, session):
    ann.create(session, kind="stream", anonymous_views=False)
    assert await (await Listener.open(node, session)).closed() == 3507
    assert await (await Listener.open(node, session + "x")).closed() == 3507
    bearer = {"Authorization": f"Bearer {node.token('eve')}"}
    listener = await Listener.open(node, session, extra_headers=bearer)
    assert (await listener.next())["active_count"] == 0
    await listener.socket.close()
    offered = await Listener.open(node, session, subprotocols=[
        "rollcall.events.json", "bearer." + node.token("eve")])
    assert offered.socket.subprotocol == "rollcall.events.json"
    assert (await offered.next())["active_count"] == 0
    await offered.socket.close()
    weak = {"Authorization": f"Bearer {node.token('eve', grants=['join'])}"}
    assert await (await Listener.open(
        node, session, extra_headers=weak)).closed() == 3500


@pytest.mark.parametrize("headers, status", [
    ({"Authorization": "Bearer x.y.z"}, 401),
    ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
    ({"Upgrade": "h2c"}, 426), ({"Sec-WebSocket-Version": "8"}, 426),
    ({"Sec-WebSocket-Key": "x"}, 400)], ids=str)
def test_bad_handshakes(node, headers, status):
    with Wire(node) as wire:
        wire.send(request(
            node, target=socket_path("s"), leave_out=(
                "Sec-WebSocket-Protocol",
                *(["Authorization"] if "Authorization" not in headers
                  else [])), **{k.replace("-", "_"): v
                                for k, v in headers.items()}))
        assert wire.read_http()[0] == status


@pytest.mark.parametrize("target, status", [
    ("/streams/a%2Fb/participants/ws", 400), ("/streams/%00/participants/ws", 400),
    ("/streams/../participants/ws", 400),
    ("/streams//participants/ws", 400), ("/streams/a/b/participants/ws", 404),
    ("/streams/" + "x" * 129 + "/participants/ws", 400)])
def test_bad_paths(node, target, status):
    with Wire(node) as wire:
        wire.send(request(node, target=target,
                          leave_out=("Sec-WebSocket-Protocol",)))
        assert wire.read_http()[0] == status


def test_what_a_page_says_is_dropped(node, ann, session):
    ann.create(session, kind="stream")
    with Wire(node) as wire:
        wire.upgrade(target=socket_path(session),
                     leave_out=("Sec-WebSocket-Protocol",))
        assert wire.next_message()["type"] == "participant_count"
        wire.send(frame(TEXT, b'{"op":"join","session":"x","id":1}'))
        wire.send(frame(2, b"\x00\x01"))
        wire.send(frame(PING, b"still there?"))
        opcode, said = wire.read_frame()
        assert (opcode, said) == (10, b"still there?")
        wire.send(frame(TEXT, b"x" * (16 * 1024 + 1)))
        assert wire.close_code() == 1009


async def test_an_expired_token_ends_it(make_node):
    node = make_node("--tokens-leeway", "0ms").start()
    Rest(node, "ann").create("s", kind="stream")
    now = int(time.time())
    token = node.token("eve", exp=now + 2)
    listener = await Listener.open(
        node, "s", extra_headers={"Authorization": f"Bearer {token}"})
    assert await listener.closed() == 3004


async def test_a_shutdown_asks_to_come_back(make_node):
    node = make_node().start()
    Rest(node, "ann").create("s", kind="stream")
    listener = await Listener.open(node, "s")
    await listener.next()
    node.signal(15)
    assert await listener.closed() == 3000
    assert node.wait() == 0
