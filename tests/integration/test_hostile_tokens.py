"""Bad tokens: 401 at the upgrade, `unauthenticated` in a hello."""

import hashlib
import hmac
import json
import time

import pytest

from bystanders import Bystanders
from node import encode64, make_token, raw_token
from wire import TEXT, Wire, connect, frame, request

HS256 = {"alg": "HS256", "typ": "JWT"}


@pytest.fixture(scope="module", autouse=True)
def bystanders(node):
    watch = Bystanders(node).start()
    yield watch
    watch.stop()


def claims(**more):
    now = int(time.time())
    all_claims = {"sub": "u", "aud": "rollcall", "exp": now + 600, **more}
    return {k: v for k, v in all_claims.items() if v is not None}


def said_by_hello(node, token):
    """The answer to a hello with this token."""
    with connect(node, leave_out=["Authorization"]) as wire:
        wire.send(frame(TEXT, json.dumps(
            {"op": "hello", "id": 1, "token": token}).encode()))
        answer = wire.next_message()
        if "error" in answer:
            expired = answer["error"]["code"] == "token_expired"
            assert wire.close_code() == (3004 if expired else 3500)
        return answer


def status(node, token):
    with Wire(node) as wire:
        wire.send(request(node, Authorization="Bearer " + token))
        return wire.read_http()[0]


def text(header, payload):
    """A token of texts, signed well."""
    return lambda secret: raw_token(header.encode(), payload.encode(), secret)


def of(header=None, **more):
    return lambda secret: make_token(
        secret, claims(**more), {**HS256, **(header or {})})


def unsigned(alg):
    return lambda _: (encode64(json.dumps({"alg": alg}).encode()) + "."
                      + encode64(json.dumps(claims()).encode()) + ".")


def bent(change):
    """A good token whose text is changed."""
    return lambda secret: change(make_token(secret, claims()))


def non_canonical(token):
    """The last character's unused bits set: the same bytes, another text."""
    letters = ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
               "0123456789-_")
    return token[:-1] + letters[letters.index(token[-1]) | 1]


def other_algorithm(secret):
    body = (encode64(b'{"alg":"HS512"}') + "."
            + encode64(json.dumps(claims()).encode()))
    return body + "." + encode64(
        hmac.new(secret, body.encode(), hashlib.sha512).digest())


NOW = int(time.time())
H = '{"alg":"HS256"}'
TOKENS = {
    **{f"jwt-alg-{alg}": (unsigned(alg), None)
       for alg in ["none", "None", "NONE", "nOnE", ""]},
    **{f"jwt-alg-{alg}-signed": (of({"alg": alg}), "alg")
       for alg in ["none", "HS384", "hs256", "RS256", ""]},
    "jwt-alg-missing": (text("{}", json.dumps(claims())), "alg"),
    "jwt-alg-list": (text('{"alg":["HS256"]}', json.dumps(claims())), "alg"),
    "jwt-hs512": (other_algorithm, "alg"),
    "jwt-empty-hmac-key": (lambda _: make_token(b"", claims()), "signature"),
    "jwt-wrong-key": (lambda _: make_token(b"x" * 44, claims()),
                      "signature"),
    "jwt-kid-path": (of({"kid": "../../dev/null"}), None),
    "jwt-kid-sql": (of({"kid": "x' UNION SELECT 'k"}), None),
    "jwt-kid-number": (of({"kid": 1}), "kid"),
    "jwt-exp-missing": (of(exp=None), "exp"),
    "jwt-exp-negative": (of(exp=-1), "exp"),
    "jwt-exp-float": (of(exp=NOW + 600.5), "exp"),
    "jwt-exp-float-whole": (text(
        H, '{"sub":"u","aud":"rollcall","exp":%d.0}' % (NOW + 600)), "exp"),
    "jwt-exp-string": (of(exp=str(NOW + 600)), "exp"),
    "jwt-exp-9e18": (text(H, '{"sub":"u","aud":"rollcall","exp":9e18}'),
                     "exp"),
    "jwt-exp-2^63": (of(exp=(1 << 63) - 1), "exp"),
    "jwt-exp-25h": (of(exp=NOW + 90_000), "exp"),
    "jwt-exp-null": (text(H, '{"sub":"u","aud":"rollcall","exp":null}'),
                     "exp"),
    "jwt-nbf-future": (of(nbf=NOW + 600), "nbf"),
    "jwt-nbf-string": (of(nbf="0"), "nbf"),
    "jwt-iat-future": (of(iat=NOW + 600), "iat"),
    "jwt-aud-missing": (of(aud=None), "aud"),
    "jwt-aud-wrong": (of(aud="rollcal"), "aud"),
    "jwt-aud-list-wrong": (of(aud=["a", "b"]), "aud"),
    "jwt-aud-number": (of(aud=5), "aud"),
    "jwt-sub-missing": (of(sub=None), "sub"),
    "jwt-sub-empty": (of(sub=""), "sub"),
    "jwt-sub-number": (of(sub=7), "sub"),
    "jwt-sub-control": (of(sub="a\nb"), "sub"),
    "jwt-dup-claims": (text(H, '{"sub":"u","sub":"admin","aud":"rollcall",'
                            '"exp":%d}' % (NOW + 600)), "sub"),
    "jwt-dup-header": (text('{"alg":"none","alg":"HS256"}',
                            json.dumps(claims())), "alg"),
    "jwt-sig-stripped": (bent(lambda t: t.rpartition(".")[0] + "."), None),
    "jwt-two-parts": (bent(lambda t: t.rpartition(".")[0]), None),
    "jwt-extra-dots": (bent(lambda t: t + ".x"), None),
    "jwt-b64-padding": (bent(lambda t: t + "="), None),
    "jwt-b64-standard": (bent(lambda t: t[:-2] + "+/"), None),
    "jwt-non-canonical-b64": (bent(non_canonical), None),
    "jwt-b64-space": (bent(lambda t: t.replace(".", ". ", 1)), None),
    "jwt-sig-bit": (bent(lambda t: t[:-10] + ("A" if t[-10] != "A" else "B")
                         + t[-9:]), "signature"),
    "jwt-crit-unknown": (of({"crit": ["exp"]}), "crit"),
    "jwt-nested-jws": (lambda s: raw_token(
        b'{"alg":"HS256","cty":"JWT"}', make_token(s, claims()).encode(), s),
        None),
    "jwt-payload-list": (text(H, "[]"), "payload"),
    "jwt-payload-garbage": (text(H, "{"), "payload"),
    "jwt-payload-bom": (text(H, "\ufeff" + json.dumps(claims())), "payload"),
    "jwt-header-list": (text("[]", json.dumps(claims())), "header"),
    "jwt-tenant-claim-mismatch": (of(ns="other"), "ns"),
    "jwt-ns-number": (of(ns=1), "ns"),
    "jwt-clock-skew-60": (of(exp=NOW - 60), "exp"),
    "jwt-name-129": (of(name="x" * 129), "name"),
    "jwt-name-control": (of(name="a\u001b[0m"), "name"),
    "jwt-email-number": (of(email=5), "email"),
    "jwt-grants-unknown": (of(grants=["join", "fly"]), None),
    "jwt-grants-text": (of(grants="join"), "grants"),
    "jwt-grants-map-unknown": (of(grants={"a": ["fly"]}), None),
    "jwt-empty": (lambda _: "", None),
    "jwt-dots": (lambda _: "..", None),
    "jwt-spaces": (lambda _: "a b c", None),
}


@pytest.mark.parametrize("name", TOKENS)
def test_token(node, name):
    make, field = TOKENS[name]
    token = make(node.secret)
    answer = said_by_hello(node, token)
    assert answer.get("ok") is False, answer
    error = answer["error"]
    expected = "token_expired" if name == "jwt-clock-skew-60" else \
        "unauthenticated"
    if token == "" and error["code"] == "bad_request":
        assert error["field"] == "token"
    else:
        assert error["code"] == expected, error
    if field:
        assert error.get("field") == field
    # No token at all: the socket waits for a hello.
    assert status(node, token) == (401 if token else 101)
    assert not token or token not in node.said()


GOOD = {
    "jwt-jku-header": of({"jku": "http://127.0.0.1:1/keys"}),
    "jwt-x5u-header": of({"x5u": "http://127.0.0.1:1/keys"}),
    "jwt-jwk-header": of({"jwk": {"kty": "oct", "k": "AAAA"}}),
    "jwt-iss-ssrf": of(iss="http://127.0.0.1:1/"),
    "jwt-aud-array": of(aud=["other", "rollcall"]),
    "jwt-clock-skew-in": lambda secret: make_token(
        secret, claims(exp=int(time.time()) - 5, nbf=int(time.time()) + 10)),
    "jwt-ns-default": of(ns="default"),
    "jwt-other-claims": of(admin=True, role="owner", deep={"a": [1]}),
    "jwt-nbf-past": of(nbf=NOW - 600, iat=NOW - 600),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_token(node, name):
    answer = said_by_hello(node, GOOD[name](node.secret))
    assert answer.get("push") == "welcome", answer


@pytest.mark.parametrize("name", ["jwt-kid-8MB", "jwt-64KB"])
def test_huge_token(node, name):
    huge = ({"kid": "x" * 6_000_000} if name == "jwt-kid-8MB" else
            {"kid": "x" * 48_000})
    token = make_token(node.secret, claims(), {**HS256, **huge})
    assert status(node, token) in (431, 0)
    with connect(node, leave_out=["Authorization"]) as wire:
        wire.send(frame(TEXT, b'{"op":"hello","token":"'
                        + token.encode() + b'"}'))
        assert wire.close_code() == 1009


def test_good_token_is_good_each_way(node):
    """The helpers above can make what is accepted."""
    token = make_token(node.secret, claims())
    assert status(node, token) == 101
    assert said_by_hello(node, token)["user"] == "u"
