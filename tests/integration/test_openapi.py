"""edge/openapi.yaml against the server: each operation is called, and what
comes back is what the file says; no route is missing from it."""

import re

import jsonschema
import pytest

from client import Client
from node import ROOT
from openapi import (OPERATIONS, body_of, check, find, operation_of,
                     parameters_of, target_of)
from rest import Rest
from test_rounds import CONTRIBUTIONS, EVALUATIONS, of_oneself


def check_answer(operation, answer):
    """The answer is one that the file knows for this operation."""
    responses = operation_of(operation)["responses"]
    known = find(responses.get(str(answer.status), responses["default"]))
    if str(answer.status) not in responses:
        assert answer.status >= 400, answer
    for name, header in known.get("headers", {}).items():
        header = find(header)
        assert not header["required"] or name in answer.headers, name
        check(header["schema"], answer.headers[name])
    if "content" not in known:
        assert answer.body == b""
        return
    body = known["content"][answer.headers["Content-Type"]]
    if "schema" in body:
        check(body["schema"], answer.json)


class Caller:
    """Calls operations by name, and checks what was sent and what came."""

    def __init__(self, rest, session):
        self.rest = rest
        self.session = session
        self.called = set()

    def __call__(self, name, body=None, query="", headers=None, **parameters):
        target = target_of(name, **{**dict.fromkeys(
            ("session", "stream", "meeting", "group"), self.session),
            **parameters})
        if body is not None:
            check(body_of(name), body)
        answer = self.rest(OPERATIONS[name][0], target + query, body, headers)
        check_answer(name, answer)
        if answer.status < 300:
            self.called.add(name)
        return answer


def lead(ann):
    """Through phases, rounds and a barrier; there by a lease."""
    ann("setPhase", {"phase": "voting", "status": "open",
                     "duration_ms": 60000, "next": "results"})
    rounds = {"emotional-evaluations": of_oneself(EVALUATIONS, "evaluations"),
              "understanding-contributions": of_oneself(CONTRIBUTIONS,
                                                        "contributions"),
              "colour": {"colour": {"type": "text", "max": 9}}}
    for name, schema in rounds.items():
        ann("openRound", {"schema": schema, "revise": True}, round=name)
    assert ann("getVotingInfo")["submissionStatus"]["pending"] == ["ann"]
    ann("evaluate", {"evaluations": [{
        "targetParticipantId": "ann", "emotionalScale": 5, "isToxic": False}]})
    ann("contribute", {"understandingScore": 90, "contributions": [
        {"participantId": "ann", "contributionPercentage": 60.5}]})
    assert ann("getVotingInfo")["votingProgress"]["percentage"] == 100
    ann("submit", {"answer": {"colour": "red"}}, round="colour")
    assert ann("getRound", round="colour")["items"][0]["answer"] == {
        "colour": "red"}
    ann("closeRound", round="colour")
    ann("startBarrier", {"barrier": "go", "timeout_ms": 60000})
    ann("setReady", {"ready": True})
    ann("setReminder", {"enabled": True, "lead_ms": 60000})
    course = ann("getCourse")
    assert course["phase"]["next"] == "results"
    assert [each["round"] for each in course["rounds"]] == sorted(rounds)


def group(ann):
    """Made, filled, emptied and deleted."""
    assert ann("putGroup", {"name": "Club"}).status == 201
    assert ann("putGroup", {"name": "Film club"}).status == 200
    tag = ann("getGroup").headers["ETag"]
    assert ann("getGroup", headers={"If-None-Match": tag}).status == 304
    ann("setGroupMember", {"role": "moderator"}, user="bob")
    page = ann("listGroupMembers", query="?limit=1")
    assert ann("listGroupMembers", query="?cursor=" + page["next"])[
        "members"][0]["role"] == "moderator"
    ann("removeGroupMember", user="bob")
    log = ann("getGroupAudit", query="?limit=2&order=newest")
    assert [each["action"] for each in log["entries"]] \
        == ["kick", "set_member"]
    assert ann("listGroups", query="?mine=true&limit=100")["groups"]
    assert ann("deleteGroup").status == 202


async def test_every_operation_answers_as_the_file_says(node, session):
    ann = Caller(Rest(node, "ann", name="Ann"), session)
    stranger = Caller(Rest(node), session)
    assert ann("createSession", {
        "session": session, "kind": "stage",
        "settings": {"host": "appointed", "capacity": 9,
                     "own_names": True, "live_rate": 5}}).status == 201
    bob = await Client.open(node.url, node.token("bob", name="Bob"))
    await bob.join(session, live={"hand": True, "step": 2, "x": 1.5, "y": "z"})
    await bob.until(lambda: bob[session].one("bob").get("role") == "viewer")
    tag = ann("getSession").headers["ETag"]
    assert ann("getSession", headers={"If-None-Match": tag}).status == 304
    ann("setMember", {"role": "moderator", "permissions": ["speak"]},
        user="bob")
    tag = ann("getMember", user="bob").headers["ETag"]
    assert ann("getMember", user="bob",
               headers={"If-None-Match": tag}).status == 304
    assert ann("setMember", {"role": "guest"}, user="bob",
               headers={"If-Match": '"1-1"'}).status == 412
    ann("transferHost", {"user": "bob"})
    assert "host" in ann("getSession").json
    ann("listParticipants", query="?limit=1")
    ann("getParticipant", participant="bob")
    ann("countStream")
    ann("configureSession", {"settings": {"locked": True}})
    ann("setMember", {"give": ["can_speak"]}, user="bob")
    assert ann("listMembers", query="?limit=1")["members"]
    ann("removeMember", user="bob")
    ann("invite", {"user": "cid", "role": "guest"})
    ann("uninvite", user="cid")
    ann("ban", {"user": "dan", "for_ms": 60000, "reason": "too loud"})
    assert ann("listBans")["bans"][0]["reason"] == "too loud"
    ann("unban", user="dan")
    ann("getParticipantId", user="ann")
    joined = ann("join", {"device": "tv", "lease_ms": 60000,
                          "live": {"hand": True}})
    assert joined["lease_ms"] == 60000
    assert ann("heartbeat", {"device": "tv"})["lease_ms"] == 60000
    ann("setName", {"name": "Annabel"})
    ann("setName", {"name": None})
    ann("setLive", {"device": "tv", "live": {"hand": None, "step": 2}})
    assert ann("leave", {"device": "tv"})["present"] == 0
    assert ann("joinStream")["join_count"] == 2
    assert ann("leaveStream")["leave_count"] == 2
    assert ann("joinMeeting")["totalParticipants"] == 1
    assert ann("listActiveParticipants")["activeCount"] == 1
    lead(ann)
    ann("leaveMeeting")
    ann("getHistory")
    ann("getHistory", query="?what=summary&bucket_ms=60000&from=0")
    assert ann("getHistory", query="?format=csv").status == 200
    ann("getAudit")
    assert ann("getAudit", query="?format=ndjson").status == 200
    assert ann("listSessions", query="?mine=true")["sessions"]
    ann("joinStream")
    ann("withdraw")
    ann("joinStream")
    ann("kick", {"user": "ann"})
    ann("endSession")
    ann("deleteSession")
    group(ann)
    admin = Caller(Rest(node, "admin", grants=["admin"]), session)
    admin("eraseUser", user="nobody")
    ann.called |= admin.called
    await bob.close()
    for name in OPERATIONS:
        body = {"createSession": {"kind": "none"},
                "setLive": {"live": {}},
                "kick": {"user": "x"}, "ban": {"user": "x"},
                "invite": {"user": "x"}, "putGroup": {"name": "x"}, "setPhase": {"phase": "x"},
                "openRound": {"schema": {}}, "submit": {"answer": {}},
                "startBarrier": {"barrier": "x"},
                "setReady": {"ready": True},
                "setReminder": {"enabled": True},
                "setName": {"name": None},
                "evaluate": {"evaluations": []},
                "contribute": {"understandingScore": 1,
                               "contributions": []}}.get(name)
        refused = stranger(name, body, user="x", participant="x", round="x")
        assert refused.status in (401, 404), name
    assert ann.called == set(OPERATIONS), set(OPERATIONS) - ann.called


def test_no_route_is_missing():
    tables = "".join(file.read_text() for file in
                     (ROOT / "edge/rest").glob("*_routes.cpp"))
    routes = set(re.findall(r'[{(]"([A-Z]+)",\s*"(/[^"]*)"', tables))
    assert len(routes) >= 10
    assert routes == set(OPERATIONS.values())


def test_the_file_knows_every_parameter():
    for name, (_, where) in OPERATIONS.items():
        assert set(parameters_of(name, "path")) == set(
            re.findall(r"{(\w+)}", where)), name


def test_a_wrong_answer_is_noticed(node, session):
    """The check itself: what the file does not say is not accepted."""
    ann = Rest(node, "ann")
    ann.create(session)
    good = ann.session(session)
    check_answer("getSession", good)
    with pytest.raises(jsonschema.ValidationError):
        check_answer("listParticipants", good)
    with pytest.raises(AssertionError):
        check_answer("endSession", ann("POST", "/v1/sessions", {
            "kind": "stage"}))
