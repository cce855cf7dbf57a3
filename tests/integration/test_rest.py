"""HTTP: sessions, members, hosts, participants."""

import pytest

from client import Client
from rest import Rest, path

ACK = {"session", "level", "at", "present", "total"}


@pytest.fixture
def ann(node):
    return Rest(node, "ann", name="Ann", email="ann@example.org")


def test_create_and_read(node, ann, session):
    made = ann.create(session, kind="board", capacity=7)
    assert made.headers["Location"] == path("v1", "sessions", session)
    assert set(made.json) == ACK
    assert made["level"] == "committed" and made["session"] == session
    seen = ann.session(session)
    assert seen.status == 200
    assert seen["kind"] == "board" and seen["settings"]["capacity"] == 7
    assert seen["ended"] is False and seen["created_at"] > 1e12
    assert (seen["present"], seen["total"]) == (0, 0)
    assert "configure" in seen["rights"]
    assert seen["is_member"] is False and seen["is_present"] is False
    assert seen["at"] >= made["at"]


def test_a_code_is_drawn(ann):
    drawn = [ann("POST", "/v1/sessions", {"kind": "party"})
             for _ in range(5)]
    codes = {one["session"] for one in drawn}
    assert len(codes) == 5
    for one in drawn:
        assert one.status == 201
        assert len(one["session"]) == 8
        assert set(one["session"]) <= set("0123456789abcdefghjkmnpqrstvwxyz")
        assert ann("GET", one.headers["Location"]).status == 200


def test_a_repeated_key_creates_once(node, ann, session):
    key = {"Idempotency-Key": f"make {session}"}
    first = ann("POST", "/v1/sessions", {"kind": "party"}, headers=key)
    again = ann("POST", "/v1/sessions", {"kind": "party"}, headers=key)
    assert (first.status, again.status) == (201, 201)
    assert again["session"] == first["session"] and again["at"] == first["at"]
    other = Rest(node, "ben")("POST", "/v1/sessions", {"kind": "party"},
                              headers=key)
    assert other["session"] != first["session"]


def test_a_repeated_key_has_one_effect(ann, session):
    ann.create(session)
    where = path("v1", "sessions", session, "members", "bob")
    answers = [ann("PUT", where, {"role": "moderator"},
                   headers={"Idempotency-Key": "k1"}) for _ in range(3)]
    assert {tuple(one["at"]) for one in answers} == {
        tuple(answers[0]["at"])}
    assert ann.session(session)["total"] == 1


def test_a_key_is_good_for_one_request(node, ann, session):
    ann.create(session)
    key = {"Idempotency-Key": "k"}
    where = path("v1", "sessions", session, "members", "bob")
    assert ann("PUT", where, {"role": "speaker"}, headers=key).status == 200
    assert ann("PUT", where, {"role": "moderator"}, headers=key).problem() == (
        409, "conflict", "Idempotency-Key")
    assert ann("PUT", where, {"role": "speaker"}, headers=key).status == 200
    made = ann("POST", "/v1/sessions", {"kind": "party"}, headers=key)
    other = ann("POST", "/v1/sessions", {"kind": "board"}, headers=key)
    assert other.problem() == (409, "conflict", "Idempotency-Key")
    assert ann.session(made["session"])["kind"] == "party"


def test_an_id_that_is_taken(node, ann, session):
    ann.create(session)
    assert ann("POST", "/v1/sessions", {
        "session": session, "kind": "stage"}).problem() == (
            409, "conflict", "session")


def test_configure(ann, session):
    ann.create(session)
    where = path("v1", "sessions", session)
    changed = ann("PATCH", where, {"settings": {"locked": True}})
    assert changed.status == 200 and set(changed.json) == ACK
    seen = ann.session(session)
    assert seen["settings"]["locked"] is True
    assert ann("PATCH", where, {"settings": {"timeout_ms": 1}}).problem() == (
        400, "bad_request", "settings.timeout_ms")
    assert ann.session(session).json == seen.json


def test_end(ann, session):
    ann.create(session)
    where = path("v1", "sessions", session, "end")
    assert ann("POST", where).status == 200
    assert ann.session(session)["ended"] is True
    assert ann("POST", where).problem() == (409, "session_ended", "session")
    assert ann("PATCH", path("v1", "sessions", session), {
        "settings": {"locked": True}}).problem()[1] == "session_ended"


async def test_members_and_host(node, ann, session):
    ann.create(session, host="appointed")
    member = path("v1", "sessions", session, "members", "bob")
    assert ann("PUT", member, {"role": "moderator",
                               "permissions": ["speak"]}).status == 200
    bob = await Client.open(node.url, node.token("bob"))
    await bob.join(session)
    mine = bob.welcome["participant_id"]
    seen = ann.session(session, "participants", mine)
    assert seen["role"] == "moderator" and seen["permissions"] == ["speak"]
    assert seen["user"] == "bob" and seen["state"] == "online"
    assert ann.session(session, "participants", "bob").json == seen.json
    host = path("v1", "sessions", session, "host")
    assert ann("POST", host, {"user": "bob"}).status == 200
    assert ann.session(session)["host"] == mine
    bob_rest = Rest(node, "bob")
    assert bob_rest.session(session)["is_member"] is True
    assert bob_rest.session(session)["is_present"] is True
    assert ann("DELETE", member).status == 200
    await bob.until(lambda: bob.closed == 3502)
    assert ann.session(session, "participants", mine).problem() == (
        404, "not_found", "participant_id")
    await bob.close()


async def test_pages_are_stable_under_churn(node, ann, session):
    ann.create(session, kind="board")
    people = [await Client.open(node.url, node.token(f"u{i}"))
              for i in range(9)]
    for one in people:
        await one.join(session)
    where = path("v1", "sessions", session, "participants")
    first = ann("GET", where + "?limit=4")
    assert [p["user"] for p in first["participants"]] == [
        "u0", "u1", "u2", "u3"]
    # The last of the page goes, and somebody comes.
    await people[3].ask("leave", session=session)
    late = await Client.open(node.url, node.token("late"))
    await late.join(session)
    seen = []
    cursor = first["next"]
    while cursor:
        page = ann("GET", f"{where}?cursor={cursor}&limit=4")
        seen += [p["user"] for p in page["participants"]]
        cursor = page.json.get("next")
    assert seen == ["u4", "u5", "u6", "u7", "u8", "late"]
    for one in [*people, late]:
        await one.close()


async def test_pseudonyms_are_kept(node, ann, session):
    ann.create(session, identity="pseudonymous")
    bob = await Client.open(node.url, node.token("bob", name="Bob"))
    await bob.join(session)
    eve = Rest(node, "eve")
    page = eve.session(session, "participants")["participants"]
    assert len(page) == 1 and not {"user", "name", "email"} & set(page[0])
    assert eve.session(session, "participants", "bob").status == 404
    shown = eve.session(session, "participants",
                        bob.welcome["participant_id"])
    assert "user" not in shown.json
    assert ann.session(session, "participants", "bob")["name"] == "Bob"
    await bob.close()


def test_a_private_session_is_not_found(node, ann, session):
    ann.create(session, access="members")
    eve, nobody = Rest(node, "eve"), Rest(node)
    missing = path("v1", "sessions", session + "-not")
    for who, status in ((eve, 404), (nobody, 404)):
        hidden = who.session(session)
        assert hidden.status == status
        assert hidden.body == who("GET", missing).body
    for method, more, body in (
            ("PATCH", [], {"settings": {}}), ("POST", ["end"], None),
            ("GET", ["participants"], None),
            ("GET", ["participants", "ann"], None),
            ("PUT", ["members", "eve"], {}),
            ("DELETE", ["members", "ann"], None),
            ("POST", ["host"], {"user": "eve"})):
        where = path("v1", "sessions", session, *more)
        assert eve(method, where, body).problem()[:2] == (404, "not_found")
        assert nobody(method, where, body).problem()[:2] == (
            401, "unauthenticated")


def test_anonymous_reads_counts_where_allowed(node, ann, session):
    ann.create(session, kind="stream", anonymous_views=True)
    nobody = Rest(node)
    seen = nobody.session(session)
    assert seen["rights"] == ["observe_count"] and "host" not in seen.json
    ann("PATCH", path("v1", "sessions", session),
        {"settings": {"anonymous_views": False}})
    assert nobody.session(session).status == 404


def test_rights_of_the_token_bound_it(node, session):
    Rest(node, "ann").create(session)
    weak = Rest(node, "ann", grants=["observe_count"])
    assert weak.session(session)["rights"] == ["observe_count"]
    assert weak("PATCH", path("v1", "sessions", session),
                {"settings": {}}).problem()[:2] == (403, "forbidden")
    assert weak("POST", "/v1/sessions", {"kind": "stage"}).problem()[:2] == (
        403, "forbidden")
    assert weak.session(session, "participants").problem()[:2] == (
        403, "forbidden")


async def test_participant_ids(node, ann):
    where = path("v1", "users", "bob", "participant_id")
    bob = await Client.open(node.url, node.token("bob"))
    mine = {"user": "bob", "participant_id": bob.welcome["participant_id"]}
    assert Rest(node, "bob")("GET", where).json == mine
    assert ann("GET", where).problem() == (403, "forbidden", None)
    service = Rest(node, "service", grants=["admin"])
    assert service("GET", where).json == mine
    bound = Rest(node, "service", grants={"room": ["admin"]})
    assert bound("GET", where).status == 403
    assert Rest(node)("GET", where).status == 401
    await bob.close()


def test_etag(ann, session):
    ann.create(session)
    first = ann.session(session)
    tag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    where = path("v1", "sessions", session)
    same = ann("GET", where, headers={"If-None-Match": f'"x", {tag}'})
    assert same.status == 304 and same.body == b""
    assert same.headers["ETag"] == tag
    ann("PATCH", where, {"settings": {"locked": True}})
    fresh = ann("GET", where, headers={"If-None-Match": tag})
    assert fresh.status == 200 and fresh.headers["ETag"] != tag


def test_durable_over_a_kill(make_node):
    node = make_node().start()
    ann = Rest(node, "ann")
    ann.create("kept", capacity=5)
    ann("PUT", path("v1", "sessions", "kept", "members", "bob"),
        {"role": "moderator"})
    node.end(9)
    node.start()
    node.await_ready()
    seen = ann.session("kept")
    assert seen["settings"]["capacity"] == 5 and seen["total"] == 1
