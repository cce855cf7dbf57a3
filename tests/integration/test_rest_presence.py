"""HTTP: taking part without a socket."""

import asyncio
import time

import pytest

from client import Client
from people import FAST
from rest import Rest, path


@pytest.fixture
def ann(node):
    return Rest(node, "ann", name="Ann")


def there(session, *more):
    return path("v1", "sessions", session, *more)


async def test_a_lease_counts_while_it_is_renewed(node, ann, session):
    made = {key: FAST[key] for key in (
        "beat_ms", "suspect_after_ms", "timeout_ms", "drop_grace_ms")}
    ann.create(session, kind="board", **made)
    bob = await Client.open(node.url, node.token("bob"))
    await bob.attach(session)
    joined = ann("POST", there(session, "join"), {"live": {"step": 1}})
    assert joined.status == 200
    assert (joined["level"], joined["present"]) == ("accepted", 1)
    assert joined["lease_ms"] == FAST["timeout_ms"]
    assert joined["kind"] == "board" and joined["is_reconnection"] is False
    assert set(joined["rights"]) >= {"join", "publish", "configure"}
    end = time.monotonic() + 1.5 * FAST["timeout_ms"] / 1000
    while time.monotonic() < end:
        beat = ann("POST", there(session, "heartbeat"))
        assert beat["lease_ms"] == FAST["timeout_ms"]
        await asyncio.sleep(0.3)
    assert not bob.changes(session, "suspected", "left")
    assert ann("POST", there(session, "heartbeat")).status == 200
    await bob.until(lambda: bob.changes(session, "left"))
    left, = bob.changes(session, "left")
    assert left["reason"] == "timeout"
    assert [c["type"] for c in bob.changes(session, "suspected", "left")] == [
        "suspected", "left"]
    assert ann("POST", there(session, "heartbeat")).problem() == (
        404, "not_found", "connection_id")
    again = ann("POST", there(session, "join"))
    assert again["is_reconnection"] is True and again["reconnections"] == 1
    await bob.close()


def test_devices_are_told_apart(node, ann, session):
    ann.create(session, kind="board")
    join, leave = there(session, "join"), there(session, "leave")
    for device in ("tv", "phone", "tv", "tv"):
        ann("POST", join, {"device": device})
    ann("POST", join)
    seen = ann.session(session, "participants", "ann")
    assert seen["connections"] == 3
    ann("POST", leave, {"device": "tv"})
    assert ann.session(session, "participants", "ann")["connections"] == 2
    assert ann("POST", leave, {"device": "tv"})["present"] == 1
    assert ann("POST", there(session, "heartbeat"), {"device": "tv"}
               ).problem() == (404, "not_found", "connection_id")
    assert ann("POST", leave)["present"] == 0


def test_live_state(node, ann, session):
    ann.create(session, kind="board")
    where = there(session, "live")
    assert ann("PATCH", where, {"live": {"x": 1}}).problem() == (
        409, "conflict", "session")
    ann("POST", there(session, "join"), {"live": {"hand": True, "step": 1}})
    assert ann("PATCH", where, {"live": {"step": 2, "hand": None, "f": 1.5}}
               ).status == 200
    seen = ann.session(session, "participants", "ann")
    assert seen["live"] == {"step": 2, "f": 1.5}
    assert ann("PATCH", where, {"live": {"x": 1}, "device": "tv"}
               ).problem()[1] == "conflict"


@pytest.mark.parametrize("way, body, field", [
    ("join", {"lease_ms": -1}, "lease_ms"), ("join", {"lease_ms": 5}, "lease_ms"),
    ("join", {"lease_ms": 86_400_001}, "lease_ms"),
    ("join", {"lease_ms": "5"}, "lease_ms"), ("join", {"device": ""}, "device"),
    ("join", {"device": "TV"}, "device"), ("join", {"device": 5}, "device"),
    ("join", {"live": {"a": None}}, "live.a"),
    ("join", {"live": {"A": 1}}, "live.A"),
    ("join", {"live": {"a": [1]}}, "live.a"),
    ("join", {"live": {f"k{i}": 1 for i in range(17)}}, "live"),
    ("join", {"session": "x"}, "session"), ("join", {"create": "A"}, "create"),
    ("leave", {"device": "a b"}, "device"), ("leave", {"user": "bob"}, "user"),
    ("heartbeat", {"device": "x" * 33}, "device"),
    ("live", {}, "live"), ("live", {"live": {"a": "x" * 129}}, "live.a"),
    ("live", {"live": {}, "age_ms": -1}, "age_ms")], ids=str)
def test_bad_requests(node, ann, session, way, body, field):
    ann.create(session, kind="board")
    before = ann.session(session).body
    refused = ann("PATCH" if way == "live" else "POST", there(session, way),
                  body)
    assert refused.problem() == (400, "bad_request", field)
    assert ann.session(session).body == before


def test_a_join_may_create(node, ann, session):
    joined = ann("POST", there(session, "join"), {"create": "board"})
    assert joined.status == 200 and joined["present"] == 1
    weak = Rest(node, "eve", grants=["join", "observe_roster"])
    assert weak("POST", there(session + "x", "join"), {"create": "board"}
                ).problem() == (404, "not_found", "session")


def test_outsiders(node, ann, session):
    ann.create(session, kind="meeting")
    eve, nobody = Rest(node, "eve"), Rest(node)
    for way in ("join", "leave", "heartbeat"):
        assert eve("POST", there(session, way)).problem() == (
            404, "not_found", "session")
        assert nobody("POST", there(session, way)).problem()[0] == 401
    ann("PUT", there(session, "members", "eve"), {})
    assert eve("POST", there(session, "join"))["present"] == 1


def test_a_lease_outlives_a_restart(make_node):
    node = make_node().start()
    ann = Rest(node, "ann")
    ann.create("s", kind="board")
    assert ann("POST", there("s", "join"), {"lease_ms": 60_000}).status == 200
    assert node.end() == 0
    node.start()
    node.await_ready()
    assert ann.session("s")["present"] == 1
    assert ann("POST", there("s", "heartbeat"))["lease_ms"] == 60_000
    assert ann("POST", there("s", "leave")).status == 200
    # An owner that has just begun waits whether a socket of the user comes.
    end = time.monotonic() + 8
    while ann.session("s")["present"]:
        assert time.monotonic() < end
        time.sleep(0.1)
