"""The words of a system for voting meetings: who is there, join and leave."""

import datetime
import re

import pytest

from client import Client
from rest import Rest, path

CAMEL = {"userId", "fullName", "email", "joinedAt"}


@pytest.fixture
def boss(node):
    return Rest(node, "boss")


def meet(boss, session, *people):
    boss.create(session, kind="meeting")
    for user in people:
        assert boss("PUT", path("v1", "sessions", session, "members", user),
                    {}).status == 200


def refusal(answer):
    """Checked as any other; pages look at `success` and `error`."""
    status, code, field = answer.problem()
    assert answer["success"] is False
    assert answer["error"] == answer["detail"]
    return status, code, field


async def test_active_participants(node, boss, session):
    meet(boss, session, "ada", "ben", "cid")
    ada = await Client.open(node.url, node.token(
        "ada", name="Ada", email="ada@example.org"))
    await ada.join(session)
    ben = Rest(node, "ben")
    assert ben("POST", path("meetings", session, "join")).status == 200
    seen = ben("GET", path("meetings", session, "active-participants"))
    assert seen.status == 200
    body = seen.json
    people = body.pop("activeParticipants")
    assert body == {"meetingId": session, "totalParticipants": 3,
                    "activeCount": 2, "source": "websocket"}
    assert [p["userId"] for p in people] == ["ada", "ben"]
    assert (people[0]["fullName"], people[0]["email"]) == (
        "Ada", "ada@example.org")
    assert (people[1]["fullName"], people[1]["email"]) == (None, None)
    for one in people:
        assert set(one) == CAMEL
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
                            one["joinedAt"])
        when = datetime.datetime.fromisoformat(
            one["joinedAt"].replace("Z", "+00:00"))
        now = datetime.datetime.now(datetime.timezone.utc)
        assert abs((now - when).total_seconds()) < 60
    await ada.close()


def test_join_and_leave(node, boss, session):
    meet(boss, session, "ada")
    ada = Rest(node, "ada", name="Ada")
    join, leave = (path("meetings", session, way) for way in ("join", "leave"))
    for _ in range(2):
        joined = ada("POST", join)
        assert joined.status == 200
        assert joined["success"] is True and joined["meetingId"] == session
        assert joined["totalParticipants"] == 1
        assert [p["fullName"] for p in joined["participants"]] == ["Ada"]
        assert joined.headers["Deprecation"] == "true"
        assert 'rel="successor-version"' in joined.headers["Link"]
    for _ in range(2):
        assert ada("POST", leave).json == {
            "success": True, "meetingId": session}
    assert ada("GET", path("meetings", session, "active-participants"))[
        "activeCount"] == 0


def test_refusals_say_success_and_error(node, boss, session):
    meet(boss, session, "ada")
    join = path("meetings", session, "join")
    active = path("meetings", session, "active-participants")
    eve = Rest(node, "eve")
    assert refusal(eve("POST", join)) == (404, "not_found", "session")
    assert refusal(eve("GET", active)) == (404, "not_found", "session")
    assert refusal(Rest(node)("GET", active)) == (
        401, "unauthenticated", "Authorization")
    assert refusal(boss("DELETE", join)) == (405, "bad_request", None)
    assert refusal(boss("POST", join, {"x": 1})) == (
        400, "bad_request", "x")
    assert refusal(boss("GET", "/meetings/%00/join"))[:2] == (
        400, "bad_request")
    assert refusal(boss("GET", "/meetings/x/nothing"))[:2] == (
        404, "not_found")
    assert "success" not in boss("GET", "/v1/nothing").json
