"""edge/openapi.yaml against the server: each operation is called, and what
comes back is what the file says; no route is missing from it."""

import re
import urllib.parse

import jsonschema
import pytest
import yaml

from client import Client
from node import ROOT
from rest import Rest
from test_rounds import CONTRIBUTIONS, EVALUATIONS

FILE = yaml.safe_load((ROOT / "edge/openapi.yaml").read_text())
METHODS = ("get", "put", "post", "patch", "delete")
OPERATIONS = {
    FILE["paths"][where][how]["operationId"]: (how.upper(), where)
    for where in FILE["paths"] for how in METHODS if how in FILE["paths"][where]}


def find(thing):
    """What a reference stands for."""
    while "$ref" in thing:
        at = FILE
        for step in thing["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        thing = at
    return thing


def check(schema, content):
    jsonschema.Draft202012Validator({
        **schema, "components": FILE["components"]}).validate(content)


def check_answer(operation, answer):
    """The answer is one that the file knows for this operation."""
    method, where = OPERATIONS[operation]
    responses = FILE["paths"][where][method.lower()]["responses"]
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


def operation_of(name):
    method, where = OPERATIONS[name]
    return FILE["paths"][where][method.lower()]


class Caller:
    """Calls operations by name, and checks what was sent and what came."""

    def __init__(self, rest, session):
        self.rest = rest
        self.session = session
        self.called = set()

    def __call__(self, name, body=None, query="", headers=None, **parameters):
        method, where = OPERATIONS[name]
        parameters = {**dict.fromkeys(
            ("session", "stream", "meeting", "group"), self.session), **parameters}
        target = re.sub(r"{(\w+)}", lambda m: urllib.parse.quote(
            parameters[m[1]], safe=""), where)
        if body is not None:
            wanted = find(operation_of(name)["requestBody"])
            check(wanted["content"]["application/json"]["schema"], body)
        answer = self.rest(method, target + query, body, headers)
        check_answer(name, answer)
        if answer.status < 300:
            self.called.add(name)
        return answer


def lead(ann):
    """Through phases, rounds and a barrier; there by a lease."""
    ann("setPhase", {"phase": "voting", "status": "open",
                     "duration_ms": 60000, "next": "results"})
    def of_oneself(schema, field):
        return {**schema, field: {**schema[field], "self": True}}

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
    assert ann("listGroups", query="?mine=true&limit=100")["groups"]
    assert ann("deleteGroup").status == 202


async def test_every_operation_answers_as_the_file_says(node, session):
    ann = Caller(Rest(node, "ann", name="Ann"), session)
    stranger = Caller(Rest(node), session)
    assert ann("createSession", {
        "session": session, "kind": "stage",
        "settings": {"host": "appointed", "capacity": 9}}).status == 201
    bob = await Client.open(node.url, node.token("bob", name="Bob"))
    await bob.join(session, live={"hand": True, "step": 2, "x": 1.5, "y": "z"})
    tag = ann("getSession").headers["ETag"]
    assert ann("getSession", headers={"If-None-Match": tag}).status == 304
    ann("setMember", {"role": "moderator", "permissions": ["speak"]},
        user="bob")
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
    for name, (method, where) in OPERATIONS.items():
        shared = FILE["paths"][where].get("parameters", [])
        own = operation_of(name).get("parameters", [])
        named = {find(each)["name"] for each in shared + own
                 if find(each)["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", where)), name


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
