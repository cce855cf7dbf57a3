"""Bad input for every operation of edge/openapi.yaml: each is refused in the
one form there is, says what was wrong with it, and changes nothing."""

import json
import time

import pytest

from bystanders import Bystanders
from node import ALL_RIGHTS
from openapi import (METHODS, OPERATIONS, body_of, find, fits, parameters_of,
                     sample, target_of)
from rest import Rest
from wire import Wire, request

SESSION, USER, ROUND = "s", "bob", "vote"
GROWTH_MIB = 48
WHERE = {"session": SESSION, "stream": SESSION, "meeting": SESSION,
         "group": "club", "user": USER, "participant": USER, "round": ROUND}
BAD_SEGMENTS = [
    "", ".", "..", "%2e", "%2e%2e", "%2F", "a%2Fb", "a%2f..%2fb", "a%5Cb",
    "%00", "a%00b", "a%0Ab", "a%0d%0ab", "a%1b[31m", "a%7f", "%252F", "a%2500",
    "a%25%32%66b", "a%", "a%4", "a%zz", "a%u0041", "%ff", "%c0%af",
    "%ed%a0%80", "%f4%90%80%80", "x" * 129, "%41" * 129, "%C3%A9" * 65,
    'a"b', "<b>", "a\\b", "a|b", "{b}"]
BAD_RAWS = [
    b"[]", b"null", b"7", b"true", b'"x"', b"{", b"}", b"{}x", b"{}{}", b"{} //",
    b"\xef\xbb\xbf{}", b"\xff", b"\0", b"{'a':1}", b'{"a":1,}', b'{"a":1,"a":1}',
    b'{"\xff":1}', b'{"a":"\xc0\xaf"}', b'{"a":"\\ud800"}', b'{"a":"a\nb"}',
    b'{"a":1e400}', b'{"a":NaN}', b'{"a":-Infinity}', b'{"a":01}', b'{"a":+1}',
    b'{"a":' + b"9" * 400 + b"}", b"[" * 5000, b"[" * 60_000,
    b'{"a":' * 33 + b"1" + b"}" * 33, b'{"a":' * 9000,
    b"{" + b",".join(b'"k%d":1' % n for n in range(1025)) + b"}",
    b"\x81\xa2op\xa4join", b"<xml/>", b"a=1&b=2"]
JUNK = [None, [], {}, True, -1, 0.5, 7, 1 << 53, "", "x" * 200, "A b", "a\nb",
        [[]], {"a": {}}, {"A": 1}, {"a": "x" * 129}, ["a", "a"], ["A"],
        {f"k{n}": 1 for n in range(17)}]


@pytest.fixture(scope="module")
def ann(node):
    """May do everything, so that nothing but the input is wrong."""
    one = Rest(node, "ann", grants=[*ALL_RIGHTS, "admin"], name="Ann")
    # Nobody is to be suspected while this runs.
    one.create(SESSION, host="appointed", suspect_after_ms=3_600_000,
               timeout_ms=7_200_000)
    for name, body, more in (
            ("join", {"lease_ms": 86_400_000, "live": {"step": 1}}, {}),
            ("setMember", {"role": "guest"}, {}),
            ("ban", {"user": "mallory"}, {}), ("setPhase", {"phase": "a"}, {}),
            ("openRound", {"schema": {"x": {"type": "text"}},
                           "revise": True}, {}),
            ("submit", {"answer": {"x": "y"}}, {}),
            ("startBarrier", {"barrier": "go"}, {}),
            ("putGroup", {"name": "Club"}, {}),
            ("setGroupMember", {"role": "member"}, {})):
        done = call(one, name, body, **more)
        assert done.status in (200, 201), done
    bob = Rest(node, USER)
    assert call(bob, "join", {"lease_ms": 86_400_000}).status == 200
    # Joins come to the log a little later.
    until(lambda: [entry["action"] for entry in call(one, "getAudit")[
        "entries"]].count("join") == 2)
    return one


def until(condition):
    end = time.monotonic() + 8
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module", autouse=True)
def bystanders(node):
    watch = Bystanders(node).start()
    before = node.rss_mib()
    yield watch
    watch.stop()
    assert node.rss_mib() - before < GROWTH_MIB


def call(who, name, body=None, query="", **more):
    return who(OPERATIONS[name][0], target_of(name, **WHERE) + query, body,
               **more)


def everything(ann):
    """All that can be read, but for the time of asking."""
    def timeless(thing):
        if isinstance(thing, list):
            return [timeless(one) for one in thing]
        if isinstance(thing, dict):
            return {key: timeless(one) for key, one in thing.items()
                    if key not in ("as_of", "lastSeen")}
        return thing
    seen = {}
    for name, (method, _) in OPERATIONS.items():
        if method == "GET":
            answer = call(ann, name)
            assert answer.status == 200, (name, answer)
            seen[name] = timeless(answer.json)
    # The bystanders' session is not ours.
    seen["listSessions"] = [one["session"] for one in
                            seen["listSessions"]["sessions"]]
    return seen


@pytest.fixture(params=OPERATIONS)
def name(ann, request):
    """Every operation; nothing has changed when the test ends."""
    before = everything(ann)
    yield request.param
    assert everything(ann) == before


def refused(answer, what, status=400, field=None):
    got, code, named = answer.problem()
    if isinstance(status, int):
        status = {status: {400: "bad_request", 413: "too_large", 415:
                           "bad_request", 405: "bad_request"}[status]}
    assert status.get(got) == code, (what, answer)
    assert named is None or len(named.encode()) <= 128
    if field is not None:
        assert named is not None and named.startswith(field), (what, answer)
    return named


def right_body(name):
    schema = body_of(name)
    return None if schema is None else {
        **sample(schema), **({"kind": "stage"} if name == "createSession"
                             else {})}


def test_paths(ann, name):
    method, where = OPERATIONS[name]
    wanted = parameters_of(name, "path")
    for parameter, schema in wanted.items():
        for bad in BAD_SEGMENTS:
            target = target_of(name, **{**WHERE, parameter: "\0"}).replace(
                "%00", bad)
            answer = ann(method, target, right_body(name))
            refused(answer, target, field="path")
        if find(schema).get("pattern"):
            for bad in ("A", "a%20b", "x" * 33, "%C3%A9"):
                target = target_of(name, **{**WHERE, parameter: "\0"}).replace(
                    "%00", bad)
                refused(ann(method, target, right_body(name)), target,
                        field=parameter)
    for bad in (where + "/", "/" + where, where + "/x/y", where + "%2F",
                where.replace("/", "//", 1)):
        answer = ann(method, bad.format(**WHERE), right_body(name))
        refused(answer, bad, {400: "bad_request", 404: "not_found"})


def test_bytes_that_are_no_path(node, ann, name):
    method, where = OPERATIONS[name]
    for bad in ("\xff", "\xc3(", "a b", "\x01", "a\tb"):
        target = where.format(**WHERE) + bad
        with Wire(node) as wire:
            wire.send(request(
                node, method=method, target=target, leave_out=(
                    "Upgrade", "Connection", "Sec-WebSocket-Version",
                    "Sec-WebSocket-Key", "Sec-WebSocket-Protocol"),
                Authorization=f"Bearer {ann.token}", Content_Length="0"
            ).decode().encode("latin-1"))
            status, _, _ = wire.read_http()
            # Behind a space is the version.
            assert status == (505 if " " in bad else 400), (target, status)


def bad_values(schema):
    """Texts for a query field that do not fit its schema."""
    schema = find(schema)
    kind = schema.get("type")
    if "enum" in schema:
        return ["", "nothing", schema["enum"][0].upper()]
    if kind == "boolean":
        return ["", "1", "yes", "TRUE", "null", "true%20"]
    if kind == "integer":
        near = [str(schema[end] + by) for end, by in (
            ("minimum", -1), ("maximum", 1)) if end in schema]
        return ["", "x", "1e9", "NaN", "+5", "1.5", "0x1", "5%00", "%2535",
                "-9", "9" * 20, " 5", "5 ".replace(" ", "%20"), *near]
    if "pattern" in schema or "maxLength" in schema:
        return ["", "A%0Ab", "%00", "%ff", "x" * 200]
    return ["", "%00", "%ff", "x" * 2000]


def test_queries(ann, name):
    method, _ = OPERATIONS[name]
    where = target_of(name, **WHERE)
    known = parameters_of(name, "query")
    cases = [("nothing=1", "nothing"), ("=1", "query"), ("&", "query"),
             ("a", "query"), ("token=x", "token"), ("%00=1", "query"),
             ("%ff=1", "query"), ("__proto__=1", "__proto__"),
             ("&".join(f"k{n}=1" for n in range(40)), None)]
    for field, schema in known.items():
        cases += [(f"{field}={bad}", field) for bad in bad_values(schema)]
        cases += [(f"{field}=1&{field}=1", field), (field, "query"),
                  (f"{field}[]=1", None), (f"{field.upper()}=1", None)]
    for query, field in cases:
        answer = ann(method, f"{where}?{query.replace(' ', '%20')}",
                     right_body(name))
        refused(answer, query, field=field)


def bad_bodies(schema, right, wrap=lambda content: content, at=""):
    """(field, body) with one thing in it that does not fit."""
    schema = find(schema)
    known = schema.get("properties", {})
    alone = schema.get("maxProperties") == 1
    for key, inner in known.items():
        def put(content, key=key):
            return wrap({**({} if alone else right), key: content})
        for junk in JUNK:
            if not fits(inner, junk) or (
                    junk == 1 << 53 and find(inner).get("type") == "integer"):
                yield at + key, put(junk)
        inner = find(inner)
        if inner.get("properties"):
            yield from bad_bodies(inner, sample(inner), put, f"{at}{key}.")
        elif inner.get("type") == "array":
            items = find(inner["items"])
            if items.get("properties"):
                yield from bad_bodies(
                    items, sample(items),
                    lambda one, put=put: put([one]), f"{at}{key}[0].")
            else:
                for junk in JUNK:
                    if not fits(items, junk):
                        yield at + key, put([junk])
    for key in schema.get("required", []):
        yield at + key, wrap({k: v for k, v in right.items() if k != key})
    if schema.get("additionalProperties") is False:
        for key in ("nothing", "__proto__", "Session", "id", "op"):
            yield at + key, wrap({**right, key: 1})


def test_bodies(ann, name):
    method, _ = OPERATIONS[name]
    where = target_of(name, **WHERE)
    schema = body_of(name)
    if schema is None:
        for raw in (b"{}", b"x", b"[" * 5000):
            refused(ann(method, where, raw=raw), raw, field="body")
        return
    for raw in BAD_RAWS:
        refused(ann(method, where, raw=raw), raw)
    refused(ann(method, where, raw=b" " * (64 * 1024 + 1)), "large", 413)
    for field, body in bad_bodies(schema, right_body(name)):
        answer = ann(method, where, body)
        refused(answer, json.dumps(body), {400: "bad_request",
                                           413: "too_large"}, field)


def test_media(ann, name):
    method, _ = OPERATIONS[name]
    if body_of(name) is None:
        return
    raw = json.dumps(right_body(name)).encode()
    for headers in ({"Content-Type": None}, {"Content-Type": ""},
                    {"Content-Type": "text/plain"},
                    {"Content-Type": "application/msgpack"},
                    {"Content-Type": "application/jsonx"},
                    {"Content-Type": "application/x-www-form-urlencoded"},
                    {"Content-Type": "multipart/form-data; boundary=x"},
                    {"Content-Encoding": "gzip"},
                    {"Content-Encoding": "deflate"}):
        answer = ann(method, target_of(name, **WHERE), raw=raw,
                     headers=headers)
        refused(answer, headers, 415)


def test_methods(ann, name):
    _, where = OPERATIONS[name]
    there = {how for how, place in OPERATIONS.values() if place == where}
    if "GET" in there:
        there.add("HEAD")
    for how in {*map(str.upper, METHODS), "TRACE", "BREW", "get", "PATCHX",
                "HEAD"} - there:
        answer = ann(how, target_of(name, **WHERE))
        if how == "HEAD":
            assert answer.status == 405 and answer.body == b""
        else:
            refused(answer, how, 405)
        assert set(answer.headers["Allow"].split(", ")) == {*there, "OPTIONS"}


def test_headers(ann, name):
    method, _ = OPERATIONS[name]
    where = target_of(name, **WHERE)
    cases = [("Session-Code", bad) for bad in ("", "x" * 65)]
    cases += [("If-Match", bad) for bad in (
        "", "1-1", 'W/"1-1"', '"1-1", "2-2"', '"x"', '"1-1', '"' + "1" * 99)]
    cases += [("If-Unmodified-Since", "now")]
    if "Idempotency-Key" in parameters_of(name, "header"):
        cases += [("Idempotency-Key", bad) for bad in ("", "x" * 65)]
    for header, bad in cases:
        answer = ann(method, where, right_body(name), headers={header: bad})
        refused(answer, (header, bad), field=header)
    refused(ann(method, where, right_body(name),
                headers={"Session-Code": "a\x7fb"}), "no header")
    for bad in ("", "Bearer", "Bearer x.y.z", "Basic YTpi", "Bearer a b"):
        answer = ann(method, where, right_body(name),
                     headers={"Authorization": bad})
        assert answer.problem()[:2] == (401, "unauthenticated"), bad
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_samples_fit():
    """The cases differ from what is right in one thing alone."""
    cases = 0
    for name in OPERATIONS:
        schema = body_of(name)
        if schema is None:
            continue
        assert fits(schema, right_body(name)), name
        for _, body in bad_bodies(schema, right_body(name)):
            # What a number may be at most is said once, not in each schema.
            assert not fits(schema, body) or "9007199254740992" in str(body)
            cases += 1
    assert cases > 1000


def test_a_change_would_be_noticed(ann):
    before = everything(ann)
    assert everything(ann) == before
    assert call(ann, "setReady", {"ready": True}).status == 200
    assert everything(ann) != before
