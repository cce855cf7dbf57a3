"""Who somebody is stays inside: a marked one takes part in every way there
is, and all that leaves the process is searched for the marks."""

import pytest

from client import Client
from openapi import OPERATIONS, body_of, find, parameters_of, sample
from privacy import (ALL, ANSWER, MARK, NAME, REASON, REQUEST, SAID, SHOWN, USER,
                     Driven, Said, found_in, marked_token, native_ops,
                     spellings, weak_token)
from privacy_ways import (SETTINGS, VOTES, BySocket, OverHttp, by_socket,
                          of_the_node, over_http)
from rest import Rest


def start(make_node, *flags):
    return make_node("--log-level", "debug", "--tokens-profile", "picture",
                     *flags).start()


@pytest.mark.seconds(60)
@pytest.mark.parametrize("identity, form", [
    ("count_only", "json"), ("pseudonymous", "text"), ("named", "json")])
async def test_nobody_is_told_who_somebody_is(make_node, identity, form):
    node = start(make_node, "--log-format", form)
    said = Said(identity)
    sockets = BySocket(node, said, "by-socket")
    await sockets.start(identity)
    over_http(OverHttp(node, said, "over-http"), identity)
    await by_socket(sockets)
    await sockets.end()
    of_the_node(node, said)
    assert node.end() == 0
    said.take("node", "log of its end", node.said())
    assert said.leaks() == []
    # The search would have found them: they were there for who may see them.
    assert said.seen_by("boss") >= SHOWN | SAID | {REASON, ANSWER, REQUEST}
    assert said.seen_by("eve") == {
        "named": SHOWN | SAID, "pseudonymous": SAID,
        "count_only": set()}[identity]


# -- by trying ----------------------------------------------------------------

UNKNOWN = "nobody-of-that-id"


def asked_about(name, who):
    """The ways to name somebody in this operation: (path, query, body)."""
    plain = sample(body_of(name)) if body_of(name) else None
    if {"user", "participant"} & set(parameters_of(name, "path")):
        yield {"user": who, "participant": who}, "", plain
    if "user" in parameters_of(name, "query"):
        yield {}, "?user=" + who, plain
    if body_of(name) and "user" in find(body_of(name)).get("properties", {}):
        yield {}, "", {"user": who}
    if name == "evaluate":
        yield {}, "", {"evaluations": [{
            "targetParticipantId": who, "emotionalScale": 5,
            "isToxic": False}]}
    if name == "contribute":
        yield {}, "", {"understandingScore": 9, "contributions": [
            {"participantId": who, "contributionPercentage": 7}]}


async def guess(node, session, eve, by_socket, who):
    """All that eve is told when she asks about one user by name."""
    call = OverHttp(node, Said(None), session)
    told = []
    for name, (method, _) in OPERATIONS.items():
        for parameters, query, body in asked_about(name, who):
            got = eve(method, call.target(name, **parameters) + query, body)
            told.append((name, got.status,
                         got.body.decode().replace(who, "someone")))
    for op in ("kick", "ban", "unban", "invite", "uninvite", "set_member",
               "transfer_host", "get_history", "get_audit"):
        for key in ("user", "participant_id"):
            got = await by_socket.ask_any(op, session=session, **{key: who})
            told.append((op, key, str(got.get("error"))))
    got = await by_socket.ask_any("submit", session=session, round="people",
                                  answer={"about": {who: True}})
    told.append(("submit", got["ok"], str(got.get("error")).replace(
        who, "someone")))
    return told


@pytest.mark.parametrize("identity", ["pseudonymous", "count_only"])
async def test_asking_about_somebody_tells_nothing(make_node, identity):
    node = start(make_node)
    boss = Rest(node, "boss")
    boss.create("s", **{**SETTINGS, "identity": identity})
    call = OverHttp(node, Said(identity), "s")
    people = {"about": {"type": "participants", "self": True,
                        "of": {"type": "boolean"}}}
    for name, schema in [*VOTES.items(), ("people", people)]:
        assert boss("PUT", call.target("openRound", round=name), {
            "schema": schema, "revise": True}).status == 200
    marked = await Client.open(node.url, marked_token(node))
    await marked.join("s")
    eve = Rest(node, token=weak_token(node, "eve"))
    by_socket = await Client.open(node.url, weak_token(node, "eve"))
    await by_socket.join("s")
    known = await guess(node, "s", eve, by_socket, USER)
    unknown = await guess(node, "s", eve, by_socket, UNKNOWN)
    assert len(known) > 20
    assert known == unknown
    # Oneself, and those who are shown, can be named.
    for who in ("eve", marked.welcome["participant_id"]):
        await by_socket.ask("submit", session="s", round="people",
                            answer={"about": {who: True}})
    for one in (marked, by_socket):
        await one.close()


# -- the search itself --------------------------------------------------------

def test_the_search_finds_every_spelling():
    for mark in ALL:
        assert found_in(f"nothing of {MARK[:-1]} here", {mark}) == set()
        for spelling in spellings(mark):
            for text in (spelling, spelling.upper(), f"x{spelling}y"):
                assert found_in(text, {mark}) == {mark}, (mark, text)
    token = "eyJzdWIiOiAienFtYXJrLXVzZXIifQ"
    assert found_in(f'{{"line": "Bearer a.{token}.b"}}', ALL) == {USER}


def test_each_is_allowed_what_is_theirs():
    for who, identity, text, wrong in (
            ("eve", "named", USER, False), ("eve", "named", REASON, True),
            ("eve", "pseudonymous", USER, True),
            ("eve", "count_only", *SAID & {"zqmark-live"}, True),
            ("nobody", "named", USER, True), ("node", "named", USER, True),
            ("boss", "count_only", REASON, False),
            ("boss", "named", "zqmark-code", True)):
        said = Said(identity)
        said.take(who, "here", f"<{text}>")
        assert bool(said.leaks()) == wrong, (who, identity, text)


def test_a_leak_to_the_operator_is_noticed(make_node):
    """A line in the log and the name of a file are planted."""
    node = start(make_node, "--log-format", "json")
    before = Said("named")
    of_the_node(node, before)
    assert before.leaks() == []
    (node.data / USER).touch()
    with open(node.output, "a", encoding="utf-8") as log:
        log.write('{"level":"debug","event":"joined","who":"%s"}\n'
                  % ascii(NAME)[1:-1])
    said = Said("named")
    of_the_node(node, said)
    assert {(what, mark) for _, what, mark in said.leaks()} == {
        ("log", NAME), ("file", USER)}


def test_a_way_that_is_not_taken_is_noticed():
    for known in (OPERATIONS, native_ops()):
        driven = Driven([*known, "a_new_one"])
        driven.taken = set(known)
        with pytest.raises(AssertionError, match="a_new_one"):
            driven.check()
