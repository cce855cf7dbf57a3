"""The words of a system for boards: six messages on a plain WebSocket."""

import asyncio
import json
import time
from urllib.parse import quote

import pytest
import websockets

from rest import Rest, path

PATIENCE = 8


class Person:
    """What a page does: publish by name, and hear by name."""

    def __init__(self, socket, user):
        self.socket, self.user = socket, user

    @classmethod
    async def open(cls, node, session, user, native=False):
        url = f"ws://{node.host}:{node.port}"
        if native:
            url += path("v1", "connect") + "?session=" + quote(session)
        else:
            url += path("boards", session, "participants", "ws")
        header = {"Authorization": f"Bearer {node.token(user)}"} \
            if user else {}
        return cls(await websockets.connect(
            url, compression=None, ping_interval=None, extra_headers=header,
            subprotocols=["rollcall.board.json"] if native else None), user)

    async def say(self, name, timestamp=None, **data):
        data["timestamp"] = timestamp or int(time.time() * 1000)
        await self.socket.send(json.dumps({"name": name, "data": data}))

    async def join(self, **fields):
        await self.say("participant-joined",
                       participant={"id": self.user, **fields})
        return await self.hear("participants-sync")

    async def hear(self, name):
        """The next of that name; others are passed over."""
        async with asyncio.timeout(PATIENCE):
            while True:
                said = json.loads(await self.socket.recv())
                assert set(said) == {"name", "data"}, said
                if said["name"] == name:
                    return said["data"]
                assert said["name"] != "error", said


@pytest.fixture
def ann(node):
    return Rest(node, "ann")


def people(sync):
    return {one["userId"]: one for one in sync["participants"]}


@pytest.mark.parametrize("native", [False, True])
async def test_six_messages(node, ann, session, native):
    ann.create(session, kind="board", identity="named")
    ada = await Person.open(node, session, "ada", native)
    seen = people(await ada.join(step=1))
    assert set(seen) == {"ada"} and seen["ada"]["step"] == 1
    ben = await Person.open(node, session, "ben", native)
    assert set(people(await ben.join())) == {"ada", "ben"}
    came = await ada.hear("participant-joined")
    while came["participant"]["userId"] != "ben":
        came = await ada.hear("participant-joined")
    who = came["participant"]["id"]
    await ben.say("status-update", participantId="ben",
                  updates={"step": 3, "revealTop3": True, "someKey": "x"})
    told = await ada.hear("status-update")
    assert told["participantId"] == who
    assert told["updates"] == {"step": 3, "revealTop3": True, "someKey": "x"}
    # Whatever it asserts of itself: older news loses.
    await ben.say("status-update", timestamp=1, participantId=who,
                  updates={"step": 2})
    await ben.say("heartbeat", participantId=who)
    await ada.say("request-sync", requesterId="ada")
    sync = people(await ada.hear("participants-sync"))
    assert (sync["ben"]["step"], sync["ben"]["someKey"]) == (3, "x")
    roster = ann.session(session, "participants")["participants"]
    assert {one["user"]: one["live"] for one in roster}["ben"] == {
        "step": 3, "reveal_top3": True, "some_key": "x"}
    await ben.say("participant-left", participantId="ben",
                  reason="intentional")
    left = await ada.hear("participant-left")
    assert (left["participantId"], left["reason"]) == (who, "intentional")
    for one in (ada, ben):
        await one.socket.close()
    until = time.monotonic() + PATIENCE
    while ann.session(session)["present"]:
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


async def test_nobody_speaks_for_others(node, ann, session):
    ann.create(session, kind="board", identity="named")
    ada, eve = [await Person.open(node, session, user)
                for user in ("ada", "eve")]
    await ada.join()
    await eve.join()
    for name, data in (
            ("status-update", {"participantId": "ada", "updates": {}}),
            ("participant-left", {"participantId": "ada"}),
            ("heartbeat", {"participantId": "ada"}),
            ("request-sync", {"requesterId": "ada"}),
            ("participant-joined", {"participant": {"id": "ada"}}),
            ("participants-sync", {"participants": []})):
        await eve.say(name, **data)
        while (said := json.loads(await eve.socket.recv()))["name"] != "error":
            pass
        assert said["data"]["code"] == "forbidden", (name, said)
    assert ann.session(session)["present"] == 2
    for one in (ada, eve):
        await one.socket.close()


@pytest.mark.parametrize("text, field", [
    ("{", None), ("[]", None), ('{"name":"x","data":{}}', "name"),
    ('{"name":"heartbeat","data":{"participantId":"ada"}}', "data.timestamp"),
    ('{"name":"status-update","data":{"participantId":"ada","timestamp":1,'
     '"updates":{"step":"x"}}}', "live.step"),
    ('{"name":"status-update","data":{"participantId":"ada","timestamp":1,'
     '"updates":{"x":{}}}}', "data.updates.x")])
async def test_bad_messages_change_nothing(node, ann, session, text, field):
    ann.create(session, kind="board")
    ada = await Person.open(node, session, "ada")
    await ada.join(step=1)
    await ada.socket.send(text)
    while (said := json.loads(await ada.socket.recv()))["name"] != "error":
        pass
    assert said["data"]["code"] == "bad_request"
    assert said["data"].get("field") == field
    assert ann.session(session, "participants")["participants"][0][
        "live"] == {"step": 1}
    await ada.socket.close()


async def test_silence_is_a_timeout(node, ann, session):
    ann.create(session, kind="board", timeout_ms=4000, suspect_after_ms=2000,
               beat_ms=1000)
    ada, ben = [await Person.open(node, session, user)
                for user in ("ada", "ben")]
    await ada.join()
    await ben.join()
    # The socket is gone without a word, and nobody beats.
    ben.socket.transport.abort()
    beats = asyncio.create_task(beat(ada))
    left = await ada.hear("participant-left")
    assert left["reason"] == "timeout"
    beats.cancel()
    await ada.socket.close()


async def test_who_came_back_can_leave(node, ann, session):
    ann.create(session, kind="board", identity="named")
    ada = await Person.open(node, session, "ada")
    await ada.join()
    for way in ("said", "closed"):
        ben = await Person.open(node, session, "ben")
        await ben.join()
        ben.socket.transport.abort()
        # It joins before, or after, the loss is noticed.
        ben = await Person.open(node, session, "ben")
        await ben.join()
        assert ann.session(session)["present"] == 2
        until = time.monotonic() + PATIENCE
        while (connections_of(ann, session, "ben")) > 1:
            assert time.monotonic() < until
            await asyncio.sleep(0.05)
        if way == "said":
            await ben.say("participant-left", participantId="ben")
        await ben.socket.close()
        left = await ada.hear("participant-left")
        assert left["reason"] == "intentional", way
        assert ann.session(session)["present"] == 1
    await ada.socket.close()


def connections_of(rest, session, user):
    roster = rest.session(session, "participants")["participants"]
    return {one["user"]: one["connections"] for one in roster}[user]


async def test_a_beat_is_activity(node, ann, session):
    ann.create(session, kind="board", identity="named")
    ada, ben = [await Person.open(node, session, user)
                for user in ("ada", "ben")]
    await ada.join()
    joined = people(await ben.join())["ben"]
    # The owner tells activity every ten seconds at most.
    beats = asyncio.create_task(beat(ben))
    async with asyncio.timeout(20):
        while True:
            said = json.loads(await ada.socket.recv())
            if said["name"] == "status-update":
                break
    beats.cancel()
    assert said["data"]["participantId"] == joined["id"]
    assert said["data"]["updates"]["lastActive"] >= joined["lastActive"] + 9000
    for one in (ada, ben):
        await one.socket.close()


async def beat(person):
    while True:
        await person.say("heartbeat", participantId=person.user)
        await asyncio.sleep(0.5)


async def test_a_stranger_and_a_kick(node, ann, session):
    ann.create(session, kind="board", access="members",
               membership="durable")
    eve = await Person.open(node, session, "eve")
    await eve.say("participant-joined", participant={"id": "eve"})
    said = json.loads(await eve.socket.recv())
    assert (said["name"], said["data"]["code"]) == ("error", "not_found")
    ann("POST", path("v1", "sessions", session, "invitations"),
        {"user": "eve"})
    await eve.join()
    ann("POST", path("v1", "sessions", session, "kick"), {"user": "eve"})
    left = await eve.hear("participant-left")
    assert left["detail"] == "kicked"
    nobody = await Person.open(node, session, None)
    await nobody.say("heartbeat", participantId="x")
    said = json.loads(await nobody.socket.recv())
    assert said["data"]["code"] == "unauthenticated"
    await nobody.socket.close()
