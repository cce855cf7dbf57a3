"""HTTP: what is around every route. Refusals are clear and change nothing."""

import json

import pytest

from rest import Rest, path

OURS = "https://app.example"


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    from node import Node
    one = Node(tmp_path_factory.mktemp("node"), "--server-origins", OURS,
               "--server-token-cookie", "rollcall_token").start()
    yield one
    assert one.alive(), one.said()
    assert one.end() == 0, one.said()


@pytest.fixture
def ann(node):
    return Rest(node, "ann")


@pytest.fixture
def here(ann, session):
    """The path of a session that is there; unchanged at the end."""
    ann.create(session)
    before = ann.session(session)
    yield path("v1", "sessions", session)
    assert ann.session(session).body == before.body


BAD_PATHS = [
    ("/v1/sessions/%2e%2e", 400), ("/v1/sessions/%2E", 400),
    ("/v1/sessions/a%00b", 400), ("/v1/sessions/a%0Ab", 400),
    ("/v1/sessions/a%7f", 400), ("/v1/sessions/a%2Fb", 400),
    ("/v1/sessions/a%2fend", 400), ("/v1/sessions/a%5Cb", 400),
    ("/v1/sessions/a%252Fb", 400), ("/v1/sessions/a%25%32%66b", 400),
    ("/v1/sessions/a%", 400), ("/v1/sessions/a%4", 400),
    ("/v1/sessions/a%zz", 400), ("/v1/sessions/%ff", 400),
    ("/v1/sessions/%c0%af", 400), ("/v1/sessions/%ed%a0%80", 400),
    ("/v1/sessions/" + "x" * 129, 400), ("/v1/sessions/" + "%41" * 129, 400),
    ("/v1//sessions", 400), ("/v1/sessions/", 400),
    ("/v1/sessions//end", 400), ("/v1/./sessions", 400),
    ("/v1/sessions/a\"b", 400), ("/v1/sessions/a<b>", 400),
    ("/v1" + "/a" * 30, 400), ("/v1/nothing", 404),
    ("/v1/sessions/a/b", 404), ("/v1/Sessions", 404),
]


@pytest.mark.parametrize("target, status", BAD_PATHS)
def test_bad_path(ann, target, status):
    refused = ann("GET", target)
    assert refused.problem()[:2] == (
        status, "bad_request" if status == 400 else "not_found")
    if status == 400:
        assert refused["field"] == "path"


GOOD_IDS = ["*", ">", "a.b", "$JS.API.STREAM.PURGE.x", "a b", "100%",
            "__proto__", "e\u0301", "\u00e9", "\u202egnp", "a;b", "a?b",
            "a#b", "a&b=c", "\U0001f389", "x" * 128]


@pytest.mark.parametrize("name", GOOD_IDS, ids=ascii)
def test_good_id(ann, name, session):
    name = (session + name)[:128]
    made = ann.create(name)
    assert ann("GET", made.headers["Location"])["session"] == name


@pytest.mark.parametrize("name", [
    "", "x" * 129, "a\nb", "a\0b", "a/b", "a\\b", "..", ".", "%41", "\x1b[31m",
    None, 7, [], {}, True], ids=ascii)
def test_bad_id_in_a_body(ann, name):
    assert ann("POST", "/v1/sessions", {
        "session": name, "kind": "stage"}).problem() == (
            400, "bad_request", "session")


@pytest.mark.parametrize("query, field", [
    ("limit=0", "limit"), ("limit=-1", "limit"), ("limit=1001", "limit"),
    ("limit=1e9", "limit"), ("limit=NaN", "limit"), ("limit=", "limit"),
    ("limit=5&limit=5", "limit"), ("limit=+5", "limit"),
    ("limit=99999999999999999999", "limit"), ("limit=5%00", "limit"),
    ("cursor=", "cursor"), ("cursor=x", "cursor"), ("cursor=1-", "cursor"),
    ("cursor=-1-1", "cursor"), ("cursor=1-1-1", "cursor"),
    ("cursor=01-1", "cursor"), ("cursor=9007199254740992-1", "cursor"),
    ("cursor=1.5-1", "cursor"), ("nothing=1", "nothing"), ("limit", "query"),
    ("=1", "query"), ("&", "query"), ("token=abc", "token"),
    ("limit=%2535", "limit")])
def test_bad_query(ann, here, query, field):
    assert ann("GET", f"{here}/participants?{query}").problem() == (
        400, "bad_request", field)


def test_a_forged_cursor_finds_nothing_else(ann, here):
    for cursor in ("0-0", "9007199254740991-9007199254740991", "1-5"):
        assert ann("GET", f"{here}/participants?cursor={cursor}")[
            "participants"] == []


@pytest.mark.parametrize("method, more, allowed", [
    ("PUT", "", "GET, HEAD, PATCH, DELETE, OPTIONS"),
    ("POST", "", None), ("TRACE", "", None), ("get", "", None),
    ("GET", "/end", "POST, OPTIONS"), ("POST", "/participants", None),
    ("PATCH", "/members/x", "GET, HEAD, PUT, DELETE, OPTIONS"),
    ("GET", "/host", None),
    ("BREW", "/host", "POST, OPTIONS")])
def test_other_methods(ann, here, method, more, allowed):
    refused = ann(method, here + more)
    assert refused.problem()[:2] == (405, "bad_request")
    assert allowed is None or refused.headers["Allow"] == allowed


def test_head_and_options(ann, here):
    got, head = ann("GET", here), ann("HEAD", here)
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert head.headers["ETag"] == got.headers["ETag"]
    options = ann("OPTIONS", here)
    assert options.status == 204
    assert options.headers["Allow"] == "GET, HEAD, PATCH, DELETE, OPTIONS"


BAD_BODIES = [
    (b"", 400, "body"), (b"[]", 400, "body"), (b"null", 400, "body"),
    (b"{", 400, None), (b"{}", 400, "kind"), (b'{"kind":"stage"}x', 400, None),
    (b'\xef\xbb\xbf{"kind":"stage"}', 400, None),
    (b'{"kind":"stage","kind":"stage"}', 400, "kind"),
    (b'{"kind":"\\ud800"}', 400, "kind"), (b'{"kind":"\xff"}', 400, "kind"),
    (b'{"kind":1e400}', 400, "kind"), (b'{"kind":7}', 400, "kind"),
    (b'{"kind":null}', 400, "kind"), (b'{"kind":"nothing"}', 400, "kind"),
    (b'{"kind":"Stage"}', 400, "kind"), (b"[" * 5000, 400, "[0]" * 32),
    (b'{"kind":"stage","more":1}', 400, "more"),
    (b'{"kind":"stage","settings":[]}', 400, "settings"),
    (b'{"kind":"stage","settings":{"locked":1}}', 400, "settings.locked"),
    (b'{"kind":"stage","settings":{"nothing":1}}', 400, "settings.nothing"),
    (b'{"kind":"stage","settings":{"capacity":-1}}', 400,
     "settings.capacity"),
    (b'{"kind":"stage","settings":{"beat_ms":1.5}}', 400,
     "settings.beat_ms"),
    (b'{"kind":"stage","settings":{"timeout_ms":9007199254740993}}', 400,
     "settings.timeout_ms"),
]


@pytest.mark.parametrize("raw, status, field", BAD_BODIES, ids=range(
    len(BAD_BODIES)))
def test_bad_body(ann, raw, status, field):
    assert ann("POST", "/v1/sessions", raw=raw).problem() == (
        status, "bad_request", field)


def test_a_body_too_large(ann):
    refused = ann("POST", "/v1/sessions", raw=b" " * (64 * 1024 + 1),
                  headers={"Origin": OURS})
    assert refused.problem()[:2] == (413, "too_large")
    assert refused.headers["X-Request-Id"]
    assert refused.headers["Access-Control-Allow-Origin"] == OURS


@pytest.mark.parametrize("headers", [
    {"Content-Type": "text/plain"}, {"Content-Type": "application/jsonx"},
    {"Content-Type": "application/x-www-form-urlencoded"},
    {"Content-Encoding": "gzip"}], ids=str)
def test_other_media(ann, headers):
    refused = ann("POST", "/v1/sessions", raw=b'{"kind":"stage"}',
                  headers=headers)
    assert refused.problem()[:2] == (415, "bad_request")


def test_no_body_where_none_belongs(ann, here):
    assert ann("GET", here, {}).problem() == (400, "bad_request", "body")
    assert ann("DELETE", here + "/members/x", {}).problem() == (
        400, "bad_request", "body")


@pytest.mark.parametrize("more, body, field", [
    ("/members/x", {"role": "Owner"}, "role"),
    ("/members/x", {"role": ""}, "role"),
    ("/members/x", {"permissions": "speak"}, "permissions"),
    ("/members/x", {"permissions": ["a", "a"]}, "permissions[1]"),
    ("/members/x", {"permissions": ["A"]}, "permissions[0]"),
    ("/members/x", {"permissions": ["p"] * 17}, "permissions"),
    ("/members/x", {"user": "y"}, "user")])
def test_bad_member(ann, here, more, body, field):
    assert ann("PUT", here + more, body).problem() == (
        400, "bad_request", field)


@pytest.mark.parametrize("body, field", [
    ({}, "user"), ({"user": "a", "participant_id": "b"}, "participant_id"),
    ({"user": 5}, "user"), ({"user": "a\nb"}, "user")])
def test_bad_host(ann, here, body, field):
    assert ann("POST", here + "/host", body).problem() == (
        400, "bad_request", field)


def test_nobody_there(ann, here):
    assert ann("DELETE", here + "/members/nobody").problem() == (
        404, "not_found", "user")
    assert ann("POST", here + "/host", {"user": "nobody"}).problem() == (
        404, "not_found", "user")


@pytest.mark.parametrize("header, field", [
    ({"Idempotency-Key": "x" * 65}, "Idempotency-Key"),
    ({"Idempotency-Key": ""}, "Idempotency-Key"),
    ({"If-Match": "1-1"}, "If-Match"), ({"If-Match": '"1"'}, "If-Match"),
    ({"If-Match": 'W/"1-1"'}, "If-Match"), ({"If-Match": ""}, "If-Match"),
    ({"If-Match": '"1-1", "2-2"'}, "If-Match"),
    ({"If-Match": '"1-1.x"'}, "If-Match"), ({"If-Match": '"01-1"'}, "If-Match"),
    ({"If-Unmodified-Since": "now"}, "If-Unmodified-Since")], ids=str)
def test_bad_headers(ann, here, header, field):
    assert ann("PATCH", here, {"settings": {"locked": True}},
               headers=header).problem() == (400, "bad_request", field)


def test_request_ids(ann, here):
    given = ann("GET", here, headers={"X-Request-Id": "abc-1.2_3"})
    assert given.headers["X-Request-Id"] == "abc-1.2_3"
    drawn = {ann("GET", here).headers["X-Request-Id"] for _ in range(3)}
    assert len(drawn) == 3
    for bad in ("x" * 65, "a b", "<script>", ""):
        fresh = ann("GET", here, headers={"X-Request-Id": bad})
        assert fresh.headers["X-Request-Id"] != bad
    for elsewhere in ("/v1/none", "/none", "/healthz", "/"):
        assert ann("GET", elsewhere).headers["X-Request-Id"]
        assert ann("GET", elsewhere, headers={
            "X-Request-Id": "mine"}).headers.get_all("X-Request-Id") == ["mine"]


def test_tags_are_compared_weakly(ann, here):
    tag = ann("GET", here).headers["ETag"]
    assert tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"x", W/{tag}', "*"):
        assert ann("GET", here, headers={"If-None-Match": known}).status == 304
    assert ann("GET", here, headers={"If-None-Match": 'W/"x"'}).status == 200


# -- who ----------------------------------------------------------------------

@pytest.mark.parametrize("value", [
    "Bearer", "Bearer ", "Basic YTpi", "bearer.x", "Bearer a b", "Bearer x.y.z",
    "Bearer " + "x" * 7000])
def test_bad_tokens(node, here, value):
    refused = Rest(node)("GET", here, headers={"Authorization": value})
    assert refused.problem()[:2] == (401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_an_expired_token(node, here):
    old = Rest(node, "ann", exp=1_600_000_000, iat=1_599_999_000)
    assert old("GET", here).problem()[:2] == (401, "token_expired")


def test_a_token_for_nothing(node, here):
    refused = Rest(node)("PATCH", here, {"settings": {"locked": True}})
    assert refused.problem() == (401, "unauthenticated", "Authorization")


def test_cookie(node, ann, here):
    nobody = Rest(node)
    cookie = {"Cookie": f"a=b; rollcall_token={ann.token}; c=d"}
    assert "configure" in nobody("GET", here, headers=cookie)["rights"]
    lock = {"settings": {"locked": False}}
    assert nobody("PATCH", here, lock, headers=cookie).problem() == (
        403, "forbidden", "Origin")
    for origin, status in (("https://evil.example", 403),
                           ("https://app.example.evil.com", 403),
                           ("null", 403)):
        assert nobody("PATCH", here, lock, headers={
            **cookie, "Origin": origin}).status == status
    # The header counts, where there is one.
    assert nobody("GET", here, headers={
        **cookie, "Authorization": "Bearer x"}).status == 401
    other = {"Cookie": f"token={ann.token}"}
    assert nobody("GET", here, headers=other).status == 404


def test_a_change_by_cookie(node, ann, session):
    ann.create(session)
    changed = Rest(node)(
        "PATCH", path("v1", "sessions", session),
        {"settings": {"locked": True}},
        headers={"Cookie": f"rollcall_token={ann.token}", "Origin": OURS})
    assert changed.status == 200


def test_no_cookie_unless_configured(make_node):
    node = make_node().start()
    ann = Rest(node, "ann")
    ann.create("s")
    cookie = {"Cookie": f"rollcall_token={ann.token}"}
    assert Rest(node)("GET", "/v1/sessions/s", headers=cookie).status == 404


# -- from other pages ---------------------------------------------------------

def test_cors(node, ann, here):
    asked = ann("GET", here, headers={"Origin": OURS})
    assert asked.headers["Access-Control-Allow-Origin"] == OURS
    assert asked.headers["Access-Control-Allow-Credentials"] == "true"
    exposed = asked.headers["Access-Control-Expose-Headers"]
    assert {"ETag", "Link", "X-Request-Id"} <= set(exposed.split(", "))
    assert "Origin" in asked.headers["Vary"]
    preflight = Rest(node)("OPTIONS", here, headers={
        "Origin": OURS, "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization,content-type"})
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == OURS
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    for name in ("authorization", "content-type", "idempotency-key"):
        assert name in allowed
    own = f"http://{node.host}:{node.port}"
    assert ann("GET", here, headers={"Origin": own}).status == 200


@pytest.mark.parametrize("origin", [
    "https://evil.example", "null", "https://app.example.evil.com",
    "https://user@app.example", "http://app.example", "https://app.example:444",
    "https://app.example/"])
def test_strangers(ann, here, origin):
    for method in ("GET", "OPTIONS"):
        refused = ann(method, here, headers={
            "Origin": origin, "Access-Control-Request-Method": "GET"})
        assert refused.problem()[:2] == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in refused.headers
        assert "Access-Control-Allow-Origin" not in ann(
            method, "/none", headers={"Origin": origin}).headers
    assert ann("PATCH", here, {"settings": {"locked": True}},
               headers={"Origin": origin}).status == 403
