"""HTTP: lists of sessions, the past and its export, erasure."""

import csv
import io
import json
import time

import pytest

from rest import Rest, path


@pytest.fixture
def ann(node):
    return Rest(node, "ann", name="Ann")


def there(session, *more):
    return path("v1", "sessions", session, *more)


def until(condition, seconds=8):
    end = time.monotonic() + seconds
    while not (got := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return got


def visited(node, ann, session, *users):
    """A session in which each of them was once, and whose past is kept."""
    ann.create(session, kind="board")
    for user in users:
        one = Rest(node, user)
        assert one("POST", there(session, "join")).status == 200
        assert one("POST", there(session, "leave")).status == 200
    until(lambda: len(ann("GET", there(session, "audit"))["entries"])
          >= 2 * len(users) + 1)


def test_lists_page_through_the_sessions(node, session):
    owner = Rest(node, "lister-" + session)
    names = [f"list-{session}-{i}" for i in range(5)]
    for name in names:
        owner.create(name, kind="party")
    where = "/v1/sessions?mine=true&limit=2"
    page = until(lambda: (lambda p: p if p["sessions"] else None)(
        owner("GET", where)))
    seen = [s["session"] for s in page["sessions"]]
    while "next" in page.json:
        page = owner("GET", f"{where}&cursor={page['next']}")
        seen += [s["session"] for s in page["sessions"]]
    assert seen == names and page["complete"] is True
    assert owner("GET", "/v1/sessions?mine=true&kind=board")["sessions"] == []
    owner("POST", there(names[0], "end"))
    ended = until(lambda: owner(
        "GET", "/v1/sessions?mine=true&ended=true")["sessions"])
    assert [s["session"] for s in ended] == names[:1]


def test_private_sessions_are_not_listed(node, session):
    name = "secret-" + session
    boss, eve = Rest(node, "boss-" + session), Rest(node, "eve-" + session)
    boss.create(name, kind="meeting")
    until(lambda: boss("GET", "/v1/sessions?mine=true")["sessions"])
    everything = eve("GET", "/v1/sessions?limit=100")
    assert name not in everything.body.decode()


@pytest.mark.parametrize("query, field", [
    ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"),
    ("mine=yes", "mine"), ("ended=1", "ended"), ("kind=A", "kind"),
    ("x=1", "x"), ("op=end_session", "op")])
def test_bad_lists(ann, query, field):
    assert ann("GET", "/v1/sessions?" + query).problem() == (
        400, "bad_request", field)


def test_history_and_audit(node, ann, session):
    visited(node, ann, session, "bob", "cid", "bob")
    past = ann("GET", there(session, "history"))
    assert past.status == 200
    assert [s["user"] for s in past["stays"]] == ["bob", "cid", "bob"]
    assert past["stays"][2]["reconnections"] == 1
    people = ann("GET", there(session, "history") + "?what=people")
    assert {p["user"]: p["stays"] for p in people["people"]} == {
        "bob": 2, "cid": 1}
    summary = ann("GET", there(session, "history") + "?what=summary")
    figures = summary["summary"]
    assert figures["unique"] == 2 and figures["joins"] == 3
    assert ann("GET", there(session, "history") + "?what=here")["stays"] == []
    for what in ("history", "history?what=people", "audit"):
        mark = "&" if "?" in what else "?"
        assert ann("GET", there(session) + f"/{what}{mark}cursor=x").problem(
            ) == (400, "bad_request", "cursor")
    log = ann("GET", there(session, "audit") + "?action=create_session")
    entry, = log["entries"]
    assert entry["actor"] == "ann" and entry["request"]
    one = ann("GET", there(session, "history") + "?limit=1")
    more = ann("GET", there(session, "history")
               + f"?limit=5&cursor={one['next']}")
    assert [s["user"] for s in one["stays"] + more["stays"]] == [
        "bob", "cid", "bob"]
    assert Rest(node, "eve")("GET", there(session, "audit")).status == 403


def test_requests_are_named_in_the_audit_log(ann, session):
    ann.create(session, kind="board")
    ann("PATCH", there(session), {"settings": {"locked": True}},
        headers={"X-Request-Id": "my-request-7"})
    entry = until(lambda: [
        e for e in ann("GET", there(session, "audit"))["entries"]
        if e["action"] == "configure_session"])[0]
    assert entry["request"] == "my-request-7"


def test_exports(node, ann, session):
    visited(node, ann, session, "bob", "cid", "dan")
    where = there(session, "history") + "?limit=2&format="
    rows, target = [], where + "csv"
    while target:
        page = ann("GET", target)
        assert page.headers["Content-Type"].startswith("text/csv")
        rows.append(page.body.decode())
        link = page.headers.get("Link", "")
        target = link[1:link.index(">")] if link else None
    read = list(csv.DictReader(io.StringIO("".join(rows))))
    assert len(rows) == 2 and [r["user"] for r in read] == [
        "bob", "cid", "dan"]
    page = ann("GET", where + "ndjson")
    assert page.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line)["user"] for line in page.body.splitlines()] == [
        "bob", "cid"]
    log = ann("GET", there(session, "audit") + "?format=ndjson")
    assert len(log.body.splitlines()) >= 7
    assert ann("GET", where + "xml").problem() == (
        400, "bad_request", "format")
    lines = there(session, "history") + "?what=summary&format=csv"
    assert ann("GET", lines).problem() == (400, "bad_request", "bucket_ms")
    assert len(ann("GET", lines + "&bucket_ms=60000").body.splitlines()) >= 2


def test_lists_what_is_to_come(node, session):
    owner = Rest(node, "planner-" + session)
    soon = int(time.time() * 1000) + 3_600_000
    for name, start in (("soon-", soon), ("none-", None)):
        more = {} if start is None else {"starts_at": start}
        assert owner("POST", "/v1/sessions", {
            "session": name + session, "kind": "party", **more}).status == 201
    where = "/v1/sessions?mine=true&upcoming=true"
    seen = until(lambda: owner("GET", where)["sessions"])
    assert [(s["session"], s["starts_at"]) for s in seen] == [
        ("soon-" + session, soon)]
    assert owner("PATCH", there("soon-" + session),
                 {"starts_at": None}).status == 200
    until(lambda: owner("GET", where)["sessions"] == [])
    assert owner("GET", "/v1/sessions?upcoming=1").problem() == (
        400, "bad_request", "upcoming")


def test_delete_a_session(node, ann, session):
    visited(node, ann, session, "bob")
    assert Rest(node, "bob")("DELETE", there(session)).problem()[:2] == (
        403, "forbidden")
    assert ann("DELETE", there(session)).status == 200
    assert ann.session(session).problem() == (404, "not_found", "session")
    until(lambda: ann("POST", "/v1/sessions", {
        "session": session, "kind": "board"}).status == 201)


def test_erase_a_user(node, ann, session):
    user = "gone-" + session
    visited(node, ann, session, user, "bob")
    # As one who bans, and as one who is banned.
    gone = Rest(node, user)
    assert ann("PUT", there(session, "members", user),
               {"role": "moderator", "permissions": ["can_moderate"]}
               ).status == 200
    assert gone("POST", there(session, "bans"), {"user": "dan"}).status == 200
    other = session + "-other"
    ann.create(other, kind="meeting")
    assert ann("POST", there(other, "bans"), {"user": user}).status == 200
    where = path("v1", "users", user)
    assert ann("DELETE", where).problem()[:2] == (403, "forbidden")
    admin = Rest(node, "admin", grants=["admin"])
    done = admin("DELETE", where)
    assert done.status == 200 and done["complete"] is True
    # Nothing but its past speaks of whoever has left.
    assert done["records"] >= 3
    assert user not in ann("GET", there(session, "history")).body.decode()
    assert user not in ann("GET", there(session, "audit")).body.decode()
    ban, = ann("GET", there(session, "bans"))["bans"]
    assert ban["user"] == "dan" and "by" not in ban
    assert ann("GET", there(other, "bans"))["bans"] == []


def test_erasing_a_user_spares_what_looks_alike(node, ann, session):
    """An id may be what roles or settings begin with, or have spaces."""
    ann.create(session, kind="party", host="appointed")
    for user in ("Eve Adams", "bob"):
        assert ann("PUT", there(session, "members", user),
                   {"role": "stranger"}).status == 200
    assert ann("POST", there(session, "host"), {"user": "Eve Adams"}
               ).status == 200
    admin = Rest(node, "admin", grants=["admin"])
    for user in ("s", "strange", "stranger", "Eve"):
        assert admin("DELETE", path("v1", "users", user))["complete"] is True
    log = ann("GET", there(session, "audit"))["entries"]
    assert [e["action"] for e in log] == [
        "create_session", "set_member", "set_member", "transfer_host"]
    admin("DELETE", path("v1", "users", "Eve Adams"))
    text = ann("GET", there(session, "audit")).body.decode()
    assert "Eve" not in text and '"target":"bob"' in text
