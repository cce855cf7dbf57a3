"""If-Match: a change is carried out only on what its caller has seen."""

import asyncio
import concurrent.futures

import pytest

from client import Crew
from rest import Rest, path, until

STALE = (412, "precondition_failed", "If-Match")


@pytest.fixture
def ann(node, session):
    rest = Rest(node, "ann", name="Ann")
    rest.create(session, kind="stage")
    return rest


@pytest.fixture
def here(session):
    return path("v1", "sessions", session)


def tag(rest, where):
    return rest("GET", where).headers["ETag"]


def given(tag):
    return {"If-Match": tag}


async def test_presence_does_not_count(node, session, ann, here):
    seen = tag(ann, here)
    async with Crew(node) as crew:
        bob = await crew.connect("bob")
        await bob.join(session)
        await bob.ask("set_live", session=session, live={"x": 1})
    # Who leaves with a socket may do so later.
    until(lambda: ann.session(session).json["present"] == 0)
    until(lambda: ann("GET", here, headers={
        "If-None-Match": tag(ann, here)}).status == 304)
    again = tag(ann, here)
    assert again != seen, "what was read has changed"
    assert ann("GET", here, headers={"If-None-Match": seen}).status == 200
    assert ann("GET", here, headers={"If-None-Match": again}).status == 304
    changed = ann("PATCH", here, {"settings": {"capacity": 7}}, given(seen))
    assert changed.status == 200, changed
    refused = ann("PATCH", here, {"settings": {"capacity": 8}}, given(again))
    assert refused.problem() == STALE
    assert refused.json["retryable"] is False
    assert ann.session(session)["settings"]["capacity"] == 7
    # The first half is enough: "<epoch>-<rev>".
    half = tag(ann, here).split(".")[0] + '"'
    assert ann("PATCH", here, {"settings": {"capacity": 9}},
               given(half)).status == 200


CHANGES = [
    ("PATCH", "", {"settings": {"locked": True}}), ("POST", "/end", None),
    ("DELETE", "", None), ("POST", "/host", {"user": "bob"}),
    ("PATCH", "/phase", {"phase": "voting"}),
    ("PUT", "/barrier", {"barrier": "go"}),
    ("POST", "/kick", {"user": "bob"}), ("POST", "/bans", {"user": "bob"}),
    ("POST", "/invitations", {"user": "cid"}),
    ("DELETE", "/bans/dan", None),
    ("PUT", "/rounds/r", {"schema": {"x": {"type": "text"}}})]


@pytest.mark.parametrize("method, where, body", CHANGES, ids=str)
async def test_every_change(session, ann, here, method, where, body):
    ann("PUT", here + "/members/bob", {"role": "guest"})
    ann("POST", here + "/bans", {"user": "dan"})
    stale = tag(ann, here)
    ann("PATCH", here, {"settings": {"capacity": 7}})
    before = ann("GET", here).body, ann("GET", here + "/members").body
    assert ann(method, here + where, body, given(stale)).problem() == STALE
    assert (ann("GET", here).body,
            ann("GET", here + "/members").body) == before
    done = ann(method, here + where, body, given(tag(ann, here)))
    assert done.status == 200, done


def test_members_have_their_own(ann, here):
    bob = here + "/members/bob"
    assert ann("GET", bob).problem() == (404, "not_found", "user")
    assert ann("PUT", bob, {"role": "guest"}, given("*")).problem() == STALE
    assert ann("GET", bob).status == 404
    ann("PUT", bob, {"role": "guest"})
    first = tag(ann, bob)
    assert ann("GET", bob)["role"] == "guest"
    assert ann("GET", bob, headers={"If-None-Match": first}).status == 304
    ann("PUT", here + "/members/cid", {"role": "guest"})
    assert ann("PUT", bob, {"role": "speaker"}, given(first)).status == 200
    assert ann("PUT", bob, {"role": "guest"}, given(first)).problem() == STALE
    for where in ("/members/bob", "/invitations/bob"):
        assert ann("DELETE", here + where, headers=given(first)
                   ).problem() == STALE
    assert ann("GET", bob)["role"] == "speaker"
    assert ann("DELETE", bob, headers=given(tag(ann, bob))).status == 200


def test_a_star_wants_it_to_be_there(node, ann, here):
    assert ann("PATCH", here, {"settings": {"locked": True}}, given("*")
               ).status == 200
    assert ann("PATCH", here + "x", {"settings": {"locked": True}}, given("*")
               ).problem()[:2] == (404, "not_found")
    eve = Rest(node, "eve")
    assert eve("PATCH", here, {"settings": {"locked": False}},
               given('"1-1"')).problem()[:2] == (403, "forbidden")


def test_where_nothing_is_changed_it_is_refused(ann, here):
    for method, where, body in (
            ("GET", "", None), ("POST", "/join", {}),
            ("PUT", "/reminder", {"enabled": True})):
        assert ann(method, here + where, body, given("*")).problem() == (
            400, "bad_request", "If-Match")


def test_a_repetition_is_answered(ann, here):
    head = {**given(tag(ann, here)), "Idempotency-Key": "k"}
    body = {"settings": {"capacity": 7}}
    first = ann("PATCH", here, body, head)
    assert first.status == 200
    assert ann("PATCH", here, body, head)["at"] == first["at"]


async def test_of_many_at_once_one_wins(ann, here, session):
    seen = tag(ann, here)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        loop = asyncio.get_running_loop()
        answers = await asyncio.gather(*(
            loop.run_in_executor(
                pool, ann, "PATCH", here,
                {"settings": {"capacity": 100 + n}}, given(seen))
            for n in range(8)))
    assert sorted(each.status for each in answers) == [200] + [412] * 7
    won = next(n for n in range(8) if answers[n].status == 200)
    assert ann.session(session)["settings"]["capacity"] == 100 + won


def test_tags_survive_a_restart(make_node):
    node = make_node().start()
    ann = Rest(node, "ann")
    ann.create("s")
    ann("PUT", "/v1/sessions/s/members/bob", {"role": "guest"})
    old = tag(ann, "/v1/sessions/s")
    of_bob = tag(ann, "/v1/sessions/s/members/bob")
    assert node.end() == 0
    node.start()
    node.await_ready()
    assert ann("PUT", "/v1/sessions/s/members/bob", {"role": "speaker"},
               given(of_bob)).status == 200
    assert ann("PATCH", "/v1/sessions/s", {"settings": {"capacity": 3}},
               given(old)).status == 200
    assert ann("PATCH", "/v1/sessions/s", {"settings": {"capacity": 4}},
               given(old)).problem() == STALE
