"""Bad messages and ids: each is refused by name, the connection lives."""

import json
import struct
import time
import unicodedata

import msgpack
import pytest

from bystanders import Bystanders
from wire import BINARY, TEXT, Wire, connect, frame, request

GROWTH_MIB = 48
BIG = 1 << 53


@pytest.fixture(scope="module", autouse=True)
def bystanders(node):
    watch = Bystanders(node).start()
    before = node.rss_mib()
    yield watch
    watch.stop()
    assert node.rss_mib() - before < GROWTH_MIB


@pytest.fixture(scope="module")
def text_wire(node):
    """One connection for all JSON cases: it has to survive every one."""
    with connect(node) as wire:
        yield wire


@pytest.fixture(scope="module")
def packed_wire(node):
    with connect(node, dialect="msgpack") as wire:
        yield wire


def ask_text(wire, text):
    """The answer to one frame; throttled like a polite client."""
    if isinstance(text, str):
        text = text.encode()
    while True:
        wire.send(frame(TEXT, text))
        answer = wire.answer()
        if answer.get("error", {}).get("code") != "rate_limited":
            return answer
        time.sleep(answer["error"]["retry_after_ms"] / 1000)


def ask(wire, **keys):
    return ask_text(wire, json.dumps(keys))


def refusal(answer):
    assert answer["ok"] is False, answer
    return answer["error"]["code"], answer["error"].get("field")


def lives(wire):
    answer = ask(wire, op="heartbeat", id="alive")
    assert answer == {"re": "alive", "ok": True}


LIVE = '{"op":"set_live","id":1,"session":"s","live":%s}'
ROSTER = '{"op":"get_roster","id":1,"session":"s","limit":%s}'
BAD = "bad_request"
JSONS = {
    "js-empty": ("", BAD), "js-not-json": ("hello", BAD),
    "js-list": ("[]", BAD), "js-number": ("1", BAD), "js-null": ("null", BAD),
    "js-empty-object": ("{}", BAD, "op"),
    "js-depth-30k": ("[" * 30_000, BAD),
    "js-depth-33": ('{"op":"heartbeat","id":1,"x":' + "[" * 33 + "]" * 33
                    + "}", BAD),
    "js-depth-100-objects": ('{"a":' * 100 + "1" + "}" * 100, BAD),
    "js-1025-items": ('{"op":"set_member","id":1,"session":"s","user":"u",'
                      '"permissions":[' + ",".join(['"a"'] * 1025) + "]}",
                      BAD),
    "js-dup-keys": ('{"op":"heartbeat","op":"leave","id":1}', BAD, "op"),
    "js-dup-keys-escaped": ('{"op":"heartbeat","\\u006fp":"leave","id":1}',
                            BAD, "op"),
    "js-dup-keys-deep": (LIVE % '{"a":1,"a":2}', BAD, "live.a"),
    "js-1e400": (LIVE % '{"a":1e400}', BAD),
    "js-limit-1e2": (ROSTER % "1e2", BAD, "limit"),
    "js-limit-5.0": (ROSTER % "5.0", BAD, "limit"),
    "js-limit-2^53": (ROSTER % BIG, BAD, "limit"),
    "js-limit-2^64": (ROSTER % (1 << 64), BAD),
    "js-limit-10^400": (ROSTER % ("1" + "0" * 400), BAD),
    "js-limit-minus-0": (ROSTER % "-0", BAD, "limit"),
    "js-limit-0": (ROSTER % "0", BAD, "limit"),
    "js-limit-1001": (ROSTER % "1001", BAD, "limit"),
    "js-limit-leading-0": (ROSTER % "010", BAD),
    "js-limit-plus": (ROSTER % "+1", BAD),
    "js-limit-hex": (ROSTER % "0x10", BAD),
    "js-nan": (LIVE % '{"a":NaN}', BAD), "js-infinity":
    (LIVE % '{"a":Infinity}', BAD),
    "js-comment": ('{"op":"heartbeat","id":1}//x', BAD),
    "js-trailing-comma": ('{"op":"heartbeat","id":1,}', BAD),
    "js-single-quotes": ("{'op':'heartbeat','id':1}", BAD),
    "js-bom": ("\ufeff" + '{"op":"heartbeat","id":1}', BAD),
    "js-trailing-garbage": ('{"op":"heartbeat","id":1}x', BAD),
    "js-two-objects": ('{"op":"heartbeat","id":1}{"op":"heartbeat"}', BAD),
    "js-lone-surrogate": ('{"op":"leave","id":1,"session":"\\ud800"}', BAD),
    "js-lone-low-surrogate": ('{"op":"leave","id":1,"session":"\\udc00x"}',
                              BAD),
    "js-surrogate-in-key": ('{"op":"heartbeat","id":1,"\\ud800":1}', BAD),
    "js-raw-control": ('{"op":"leave","id":1,"session":"a\nb"}', BAD),
    "js-nul-in-id": ('{"op":"leave","id":1,"session":"a\\u0000b"}', BAD,
                     "session"),
    "js-unknown-key": ('{"op":"heartbeat","id":1,"Op":2}', BAD, "Op"),
    "js-proto-key": ('{"op":"heartbeat","id":1,"__proto__":{}}', BAD,
                     "__proto__"),
    "js-id-float": ('{"op":"heartbeat","id":1.5}', BAD, "id"),
    "js-id-negative": ('{"op":"heartbeat","id":-1}', BAD, "id"),
    "js-id-2^53": ('{"op":"heartbeat","id":%d}' % BIG, BAD, "id"),
    "js-id-null": ('{"op":"heartbeat","id":null}', BAD, "id"),
    "js-id-empty": ('{"op":"heartbeat","id":""}', BAD, "id"),
    "js-id-65": ('{"op":"heartbeat","id":"%s"}' % ("x" * 65), BAD, "id"),
    "js-id-object": ('{"op":"heartbeat","id":{}}', BAD, "id"),
    **{f"js-op-{name or 'empty'}": (json.dumps({"op": name, "id": 1}), BAD,
                                    "op")
       for name in ["error", "close", "", "message", "connect", "welcome",
                    "Join", "join ", "toString", "hello\0", "x" * 60_000]},
    "js-live-17": (LIVE % json.dumps({f"k{n}": 1 for n in range(17)}),
                   {BAD, "too_large"}, "live"),
    "js-live-129": (LIVE % json.dumps({"a": "x" * 129}),
                    {BAD, "too_large"}, "live.a"),
    "js-live-key-upper": (LIVE % '{"A":1}', BAD, "live.A"),
    "js-live-nested": (LIVE % '{"a":{"b":1}}', BAD, "live.a"),
    "js-live-list": (LIVE % '{"a":[1]}', BAD, "live.a"),
    "js-since-float": ('{"op":"attach","id":1,"session":"s","since":[1,2.0]}',
                       BAD),
    "js-since-short": ('{"op":"attach","id":1,"session":"s","since":[1]}',
                       BAD, "since"),
    "js-since-negative": (
        '{"op":"attach","id":1,"session":"s","since":[1,-1]}', BAD),
    "js-permissions-17": (json.dumps({
        "op": "set_member", "id": 1, "session": "s", "user": "u",
        "permissions": [f"p{n}" for n in range(17)]}),
        {BAD, "too_large"}, "permissions"),
    "js-permissions-twice": (
        '{"op":"set_member","id":1,"session":"s","user":"u",'
        '"permissions":["a","b","a"]}', BAD, "permissions[2]"),
    "js-permission-bad": (
        '{"op":"set_member","id":1,"session":"s","user":"u",'
        '"permissions":["a","B"]}', BAD, "permissions[1]"),
    "js-user-and-participant": (
        '{"op":"kick","id":1,"session":"s","user":"u","participant_id":"p"}',
        BAD),
    "js-settings-unknown": (
        '{"op":"create_session","id":1,"session":"s","kind":"board",'
        '"settings":{"beats":1}}', BAD, "settings.beats"),
    "js-settings-beat": (
        '{"op":"create_session","id":1,"session":"s","kind":"board",'
        '"settings":{"beat_ms":"5"}}', BAD, "settings.beat_ms"),
    "js-settings-beat-999": (
        '{"op":"create_session","id":1,"session":"s","kind":"board",'
        '"settings":{"beat_ms":999}}', BAD, "settings.beat_ms"),
    "js-settings-suspect-below-beat": (
        '{"op":"create_session","id":1,"session":"s","kind":"board",'
        '"settings":{"beat_ms":5000,"suspect_after_ms":5000}}', BAD,
        "settings.suspect_after_ms"),
    "js-settings-capacity": (
        '{"op":"create_session","id":1,"session":"s","kind":"board",'
        '"settings":{"capacity":50001}}', BAD, "settings.capacity"),
    "js-kind-unknown": ('{"op":"create_session","id":1,"session":"s",'
                        '"kind":"zoo"}', BAD, "kind"),
    "js-view-unknown": ('{"op":"attach","id":1,"session":"s","view":"none"}',
                        BAD, "view"),
    "js-op-id-65": (json.dumps({"op": "end_session", "id": 1, "session": "s",
                                "op_id": "x" * 65}), BAD, "op_id"),
    "js-join-live-null": ('{"op":"join","id":1,"session":"s",'
                          '"live":{"a":null}}', BAD, "live.a"),
    "js-age-negative": ('{"op":"set_live","id":1,"session":"s","live":{},'
                        '"age_ms":-1}', BAD, "age_ms"),
    "js-after-map": ('{"op":"get_roster","id":1,"session":"s","after":{}}',
                     BAD, "after"),
    "js-after-forged": ('{"op":"get_roster","id":1,"session":"s",'
                        '"after":"zzz"}', {BAD, "not_found"}),
}


@pytest.mark.parametrize("name", JSONS)
def test_json(text_wire, name):
    text, codes, *field = JSONS[name]
    code, named = refusal(ask_text(text_wire, text))
    assert code in ({codes} if isinstance(codes, str) else codes)
    if field:
        assert named == field[0]
    assert named is None or len(named.encode()) <= 128
    lives(text_wire)


def test_js_4MB_string(node):
    with connect(node) as wire:
        wire.send(frame(TEXT, b'{"op":"' + b"x" * (4 << 20) + b'"}'))
        assert wire.close_code() == 1009


def test_js_malformed_is_answered_with_null(text_wire):
    answer = ask_text(text_wire, "{")
    assert answer["re"] is None and refusal(answer)[0] == BAD


REQUESTS = {
    "refresh_token": {"token": "x"},
    "attach": {"session": "s", "view": "roster", "since": [1, 1]},
    "detach": {"session": "s"},
    "join": {"session": "s", "view": "none", "since": [1, 1], "live": {},
             "create": "board", "op_id": "o"},
    "leave": {"session": "s"},
    "set_live": {"session": "s", "live": {"a": 1}, "age_ms": 1},
    "get_roster": {"session": "s", "limit": 1},
    "create_session": {"session": "s", "kind": "board", "settings": {},
                       "op_id": "o"},
    "configure_session": {"session": "s", "settings": {}, "op_id": "o"},
    "end_session": {"session": "s", "op_id": "o"},
    "set_member": {"session": "s", "user": "u", "role": "r",
                   "permissions": [], "op_id": "o"},
    "kick": {"session": "s", "user": "u", "op_id": "o"},
    "transfer_host": {"session": "s", "participant_id": "p", "op_id": "o"},
    "hello": {"token": "x", "resume": "x"},
}
WRONG = {"null": None, "list": [], "map": {}, "true": True, "minus": -1,
         "empty": ""}
RIGHT_SHAPE = {("live", "map"), ("settings", "map"), ("permissions", "list")}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("op", [op for op in REQUESTS if op != "hello"])
def test_js_wrong_types(text_wire, op, wrong):
    for key in REQUESTS[op]:
        if (key, wrong) in RIGHT_SHAPE:
            continue
        keys = {**REQUESTS[op], key: WRONG[wrong]}
        answer = ask(text_wire, op=op, id=7, **keys)
        code, field = refusal(answer)
        assert answer["re"] == 7
        if key == "token" and wrong == "empty":
            assert code in (BAD, "unauthenticated")
            continue
        assert code == BAD, (key, answer)
        assert field.split("[")[0] == key, (key, answer)
    lives(text_wire)


@pytest.mark.parametrize("wrong", WRONG)
def test_js_wrong_types_of_op(text_wire, wrong):
    assert refusal(ask(text_wire, op=WRONG[wrong], id=1)) == (BAD, "op")


# -- msgpack ------------------------------------------------------------------

def packed(**keys):
    return msgpack.packb(keys)


def pairs(*items):
    """A map of ready-made bytes, in this order, whatever they are."""
    return bytes([0x80 | len(items)]) + b"".join(k + v for k, v in items)


OP = (msgpack.packb("op"), msgpack.packb("heartbeat"))
ID = (msgpack.packb("id"), msgpack.packb(1))
PACKS = {
    "mp-empty": b"", "mp-array32-4G": b"\xdd\xff\xff\xff\xff",
    "mp-map32-4G": b"\xdf\xff\xff\xff\xff",
    "mp-map32-4G-key": b"\xdf\xff\xff\xff\xff" + OP[0],
    "mp-nested-60k": b"\x91" * 60_000,
    "mp-nested-maps": b"\x81\xa1a" * 20_000,
    "mp-str32-2G-header": b"\xdb\x7f\xff\xff\xff",
    "mp-bin32-2G-header": b"\xc6\x7f\xff\xff\xff",
    "mp-ext-unknown": pairs(OP, ID, (msgpack.packb("x"), b"\xd4\x05\x00")),
    "mp-timestamp": pairs(OP, (msgpack.packb("id"),
                               b"\xd6\xff\x00\x00\x00\x01")),
    "mp-bin-for-str": pairs((msgpack.packb("op"), b"\xc4\x09heartbeat"), ID),
    "mp-dup-keys": pairs(OP, ID, OP), "mp-c1": b"\xc1",
    "mp-c1-inside": pairs(OP, (msgpack.packb("id"), b"\xc1")),
    "mp-nonstring-keys": pairs(OP, ID, (b"\x05", b"\x05")),
    "mp-bin-keys": pairs(OP, ID, (b"\xc4\x01x", b"\x05")),
    "mp-nil-key": pairs(OP, ID, (b"\xc0", b"\x05")),
    "mp-float-id": pairs(OP, (msgpack.packb("id"), msgpack.packb(1.0))),
    "mp-float-as-rev": packed(op="attach", id=1, session="s",
                              since=[1, 2.0]),
    "mp-nan": packed(op="set_live", id=1, session="s",
                     live={"a": float("nan")}),
    "mp-inf": packed(op="set_live", id=1, session="s",
                     live={"a": float("inf")}),
    "mp-uint64": packed(op="get_roster", id=1, session="s",
                        limit=(1 << 64) - 1),
    "mp-int64-min": packed(op="get_roster", id=1, session="s",
                           limit=-(1 << 63)),
    "mp-trailing": packed(op="heartbeat", id=1) + b"\xc0",
    "mp-two": packed(op="heartbeat", id=1) * 2,
    "mp-cut": packed(op="heartbeat", id=1)[:-1],
    "mp-list": msgpack.packb(["op"]), "mp-nil": b"\xc0",
    "mp-bad-utf8": pairs(OP, (msgpack.packb("id"), b"\xa1\xff")),
    "mp-surrogate": packed(op="leave", id=1)[:-1] + b"\xa3\xed\xa0\x80",
    "mp-1025-items": packed(op="set_member", id=1, session="s", user="u",
                            permissions=["a"] * 1025),
    "mp-json": b'{"op":"heartbeat","id":1}',
}


@pytest.mark.parametrize("name", PACKS)
def test_msgpack(node, packed_wire, name):
    before = node.rss_mib()
    packed_wire.send(frame(BINARY, PACKS[name]))
    assert refusal(packed_wire.answer())[0] == BAD
    packed_wire.send(frame(BINARY, packed(op="heartbeat", id="alive")))
    assert packed_wire.answer() == {"re": "alive", "ok": True}
    assert node.rss_mib() - before < 16


def test_mp_text_frame(node):
    with connect(node, dialect="msgpack") as wire:
        wire.send(frame(TEXT, b'{"op":"heartbeat","id":1}'))
        assert wire.close_code() in (1003, 3501)


# -- ids ----------------------------------------------------------------------

NFC, NFD = (unicodedata.normalize(f, "é") for f in ("NFC", "NFD"))
GOOD_IDS = {
    "id-star": "*", "id-gt": ">", "id-dot": "a.b", "id-dotdot": "../../etc",
    "id-space": "a b", "id-dollar-js": "$JS.API.STREAM.PURGE.x",
    "id-unicode-nfc": NFC, "id-unicode-nfd": NFD, "id-percent-n": "%n%s%x",
    "id-proto": "__proto__", "id-constructor": "constructor",
    "id-quote": "\"'\\", "id-html": "<script>", "id-128": "é" * 64,
    "id-rtl-override": "a\u202eb", "id-emoji": "🎈", "id-slash": "/",
}
BAD_IDS = {
    "id-empty": "", "id-129": "x" * 129, "id-4097": "x" * 4097,
    "id-crlf-pub": "a\r\nPUB x 0\r\n", "id-tab": "a\tb",
    "id-ansi-esc": "\x1b[31m", "id-log-newline": "a\nlevel=error",
    "id-nul": "a\0", "id-del": "a\x7f", "id-c1-control": "a\x85b",
}


@pytest.mark.parametrize("name", GOOD_IDS)
def test_good_id(node, name):
    """Stored as plain data, given back bytewise, one session each."""
    given = GOOD_IDS[name]
    token = node.token(given)
    with connect(node, Authorization=f"Bearer {token}") as wire:
        made = ask(wire, op="join", id=1, session=given, create="board")
        assert made["ok"] is True and made["session"] == given
        assert made["present"] == 1
        snapshot = wire.next_message(lambda m: m.get("push") == "snapshot")
        assert snapshot["participants"][0]["user"] == given
        ask(wire, op="set_member", id=2, session=given, user=given,
            role="x")
        assert ask(wire, op="leave", id=3, session=given)["ok"] is True


@pytest.mark.parametrize("name", BAD_IDS)
def test_bad_id(node, text_wire, name):
    wrong = BAD_IDS[name]
    for op in ("join", "attach", "get_roster", "end_session"):
        answer = ask(text_wire, op=op, id=1, session=wrong)
        assert refusal(answer) == (BAD, "session")
    answer = ask(text_wire, op="kick", id=1, session="s", user=wrong)
    assert refusal(answer) == (BAD, "user")
    with Wire(node) as wire:
        token = node.token(wrong)
        wire.send(request(node, Authorization=f"Bearer {token}"))
        assert wire.read_http()[0] in (401, 431)
    lives(text_wire)
    assert "level=error" not in node.said() and "\x1b" not in node.said()


@pytest.mark.parametrize("wrong", ["", "x" * 33, "Upper", "sp ace", "é",
                                   "new\nline"])
def test_bad_names(text_wire, wrong):
    for op, key, more in [("set_member", "role", {"user": "u"}),
                          ("create_session", "kind", {}),
                          ("join", "create", {})]:
        answer = ask(text_wire, op=op, id=1, session="s",
                     **{**more, key: wrong})
        assert refusal(answer) == (BAD, key)


def test_id_hash_collision_flood(node):
    """Thousands of sessions that look alike cost what others cost."""
    with connect(node) as wire:
        for number in range(500):
            answer = ask(wire, op="join", id=1, view="none", create="board",
                         session=f"flood-{struct.pack('>H', number).hex()}")
            assert answer["ok"] is True, answer
            assert ask(wire, op="leave", id=2,
                       session=answer["session"])["ok"] is True
