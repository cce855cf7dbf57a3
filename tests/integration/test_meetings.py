"""The words of a system for voting meetings: who is there, join and leave."""

import concurrent.futures
import datetime
import re

import pytest

from client import Client
from rest import Rest, path
from test_rounds import CONTRIBUTIONS, EVALUATIONS

CAMEL = {"userId", "fullName", "email", "joinedAt", "lastSeen"}


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


def test_joining_where_nobody_is_shown(node, boss, session):
    boss.create(session, kind="meeting", access="open", identity="count_only")
    ada = Rest(node, "ada", grants=["join", "observe_roster"], name="Ada")
    joined = ada("POST", path("meetings", session, "join"))
    assert joined.json == {"success": True, "meetingId": session,
                           "participants": [], "totalParticipants": 1}
    assert ada("GET", path("meetings", session, "active-participants")
               ).problem()[:2] == (403, "forbidden")
    assert boss.session(session)["present"] == 1


def test_more_people_than_a_list_holds(node, boss, session):
    boss.create(session, kind="meeting", access="open")
    with concurrent.futures.ThreadPoolExecutor(8) as crowd:
        came = crowd.map(lambda n: Rest(node, f"u{n}")(
            "POST", path("v1", "sessions", session, "join")), range(1000))
        assert {one.status for one in came} == {200}
    last = Rest(node, "last")
    joined = last("POST", path("meetings", session, "join"))
    assert joined.status == 200
    assert len(joined["participants"]) == 1000
    assert joined["totalParticipants"] == 1001
    assert refusal(last("GET", path("meetings", session, "active-participants")
                        )) == (413, "too_large", None)


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


def vote_on(boss, session, **more):
    for name, schema in (("emotional-evaluations", EVALUATIONS),
                         ("understanding-contributions", CONTRIBUTIONS)):
        opened = boss("PUT", path("v1", "sessions", session, "rounds", name),
                      {"schema": schema, **more})
        assert opened.status == 200, opened


def about(*people, **said):
    return [{"targetParticipantId": who, "emotionalScale": 85,
             "isToxic": False, **said} for who in people]


def test_votes(node, boss, session):
    meet(boss, session, "ada", "ben", "cid")
    ada, ben = Rest(node, "ada", name="Ada"), Rest(node, "ben")
    for one in (ada, ben):
        one("POST", path("meetings", session, "join"))
    evaluate, contribute, info = (path("meetings", session, what) for what in (
        "emotional-evaluations", "understanding-contributions", "voting-info"))
    vote = {"evaluations": about("ben", "cid")}
    assert refusal(ada("POST", evaluate, vote))[0] == 404
    vote_on(boss, session)
    boss("PATCH", path("v1", "sessions", session, "phase"),
         {"phase": "voting", "status": "running"})
    seen = boss("GET", info)
    assert seen.status == 200
    assert (seen["phase"], seen["status"]) == ("voting", "running")
    assert [p["_id"] for p in seen["votingParticipants"]] == ["ada", "ben"]
    assert set(seen["votingParticipants"][0]) == CAMEL - {"userId"} | {"_id"}
    assert seen["submissionStatus"] == {"submitted": [],
                                        "pending": ["ada", "ben"]}
    voted = ada("POST", evaluate, vote)
    assert voted.status == 200
    assert voted.json == {"success": True, "meetingId": session}
    half = boss("GET", info)
    assert half["votingProgress"] == {"submitted": 0, "total": 2,
                                      "percentage": 0}
    assert half["rounds"]["emotional-evaluations"] == {
        "submitted": 1, "total": 2, "percentage": 50}
    assert ada("POST", contribute, {
        "understandingScore": 90, "contributions": [
            {"participantId": "ben", "contributionPercentage": 60.5}]}
        ).status == 200
    seen = boss("GET", info)
    assert seen["submissionStatus"] == {"submitted": ["ada"],
                                        "pending": ["ben"]}
    assert seen["votingProgress"] == {"submitted": 1, "total": 2,
                                      "percentage": 50}
    # Once, unless the round says otherwise; only by who is there.
    assert refusal(ada("POST", evaluate, vote))[:2] == (409, "conflict")
    assert refusal(Rest(node, "cid")("POST", evaluate, vote))[0] == 403
    assert refusal(ben("GET", info))[:2] == (403, "forbidden")
    assert refusal(Rest(node, "eve")("GET", info))[:2] == (404, "not_found")


@pytest.mark.parametrize("body, field", [
    ({}, "evaluations"), ({"evaluations": {}}, "evaluations"),
    ({"evaluations": [1]}, "evaluations[0]"),
    ({"evaluations": about("ben"), "more": 1}, "more"),
    ({"evaluations": about("ben", emotionalScale=101)},
     "evaluations[0].emotionalScale"),
    ({"evaluations": about("ben", emotionalScale=8.5)},
     "evaluations[0].emotionalScale"),
    ({"evaluations": about("ben", isToxic=None)}, "evaluations[0].isToxic"),
    ({"evaluations": about("ben", more=1)}, "evaluations[0].more"),
    ({"evaluations": about("")}, "evaluations[0].targetParticipantId"),
    ({"evaluations": about("ben", "ben")},
     "evaluations[1].targetParticipantId"),
    ({"evaluations": about("nobody")}, "answer.evaluations.nobody")])
def test_bad_votes(node, boss, session, body, field):
    meet(boss, session, "ada", "ben")
    vote_on(boss, session)
    ada = Rest(node, "ada")
    ada("POST", path("meetings", session, "join"))
    assert refusal(ada("POST", path("meetings", session,
                                    "emotional-evaluations"), body)) == (
        400, "bad_request", field)
    found = boss("GET", path("v1", "sessions", session, "rounds",
                             "emotional-evaluations"))
    assert found["items"] == []


@pytest.mark.parametrize("body, field", [
    ({"contributions": []}, "understandingScore"),
    ({"understandingScore": -1, "contributions": []}, "understandingScore"),
    ({"understandingScore": 1, "contributions": [
        {"participantId": "ben", "contributionPercentage": 100.5}]},
     "contributions[0].contributionPercentage"),
    ({"understandingScore": 1, "contributions": [
        {"participantId": "ben", "contributionPercentage": "5"}]},
     "contributions[0].contributionPercentage"),
    ({"understandingScore": 1, "contributions": [
        {"participantId": "ben", "contributionPercentage": 60},
        {"participantId": "cid", "contributionPercentage": 60}]},
     "answer.contributions")])
def test_bad_contributions(node, boss, session, body, field):
    meet(boss, session, "ada", "ben", "cid")
    vote_on(boss, session)
    ada = Rest(node, "ada")
    ada("POST", path("meetings", session, "join"))
    assert refusal(ada("POST", path(
        "meetings", session, "understanding-contributions"), body)) == (
        400, "bad_request", field)
