"""What is somebody's own, planted everywhere; what was said, to whom; and a
search of that in every spelling a byte may have."""

import base64
import re
import urllib.parse

from node import ROOT
from rest import Rest

MARK = "zqmark"
USER, NAME, EMAIL = f"{MARK}-user", f"{MARK} näme", f"{MARK}@example.org"
#: What she asks to be called.
CALLED = f"{MARK} cälled"
PICTURE, GROUP = f"https://{MARK}.example/a.png", f"{MARK}-group"
LIVE, NUMBER = f"{MARK}-live", 730519062517
CODE, REASON, ANSWER = f"{MARK}-code", f"{MARK}-reason", f"{MARK}-answer"
#: Four characters of a place are kept, the rest is nobody's business.
PLACE = "u4prvxyzrs"
DEVICE, OP, REQUEST = f"{MARK}-device", f"{MARK}-op", f"{MARK}-request"

SHOWN = {USER, NAME, CALLED, EMAIL, PICTURE}
SAID = {LIVE, str(NUMBER)}
FOR_MODERATORS = {REASON, ANSWER, REQUEST}
NEVER = {GROUP, CODE, PLACE[4:], DEVICE, OP}
ALL = SHOWN | SAID | FOR_MODERATORS | NEVER
#: What each sees by right, by how the session shows people. Nobody else,
#: and nothing that the node keeps for its operator, has any of it.
BY_RIGHT = {
    ("boss", None): SHOWN | SAID | FOR_MODERATORS,
    ("marked", None): SHOWN | SAID | {ANSWER},
    ("eve", "named"): SHOWN | SAID,
    ("eve", "pseudonymous"): SAID,
    ("eve", "count_only"): set(),
}


def spellings(mark):
    """The mark as others might have written it down, in lower case."""
    raw = mark.encode()
    yield mark
    yield ascii(mark)[1:-1]
    yield urllib.parse.quote(mark, safe="")
    yield raw.hex()
    yield raw[::-1].decode("latin-1")
    for before in range(3):
        # What of its base64 does not depend on what is around it.
        text = base64.b64encode(b"\0" * before + raw).decode()
        first, last = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
        yield text[first:last]
        yield text[first:last].replace("+", "-").replace("/", "_")


def found_in(text, marks):
    """Those of the marks that are in it, however written."""
    texts = {text.lower(), urllib.parse.unquote(text).lower()}
    return {mark for mark in marks for spelling in spellings(mark)
            if any(spelling.lower() in one for one in texts)}


class Said:
    """Everything that left the process, and who could read it."""

    def __init__(self, identity):
        self.identity = identity
        self.all = []
        #: What was made up for the marked one alone, by who must not have it.
        self.secrets = {}

    def take(self, who, what, text):
        self.all.append((who, what, str(text)))

    def answer(self, who, what, answer):
        self.take(who, what, answer.body.decode())
        self.take(who, f"{what}: headers", answer.headers)

    def keep(self, node, welcome, token):
        """Secrets of the marked one's connection."""
        others = {"boss", "eve", "nobody", "node", "refused"}
        own = {welcome["resume"], *token.split(".")[1:]}
        for who in others:
            self.secrets.setdefault(who, set()).update(own)
        if self.identity == "count_only":
            for who in others - {"boss"}:
                self.secrets[who].add(welcome["participant_id"])
        secret = node.secret.decode()
        for who in others | {"marked"}:
            self.secrets.setdefault(who, set()).add(secret)

    def leaks(self):
        """(who, what, mark) of all that they had no right to see."""
        out = []
        for who, what, text in self.all:
            allowed = BY_RIGHT.get((who, self.identity),
                                   BY_RIGHT.get((who, None), set()))
            for mark in found_in(text, (ALL - allowed)
                                 | self.secrets.get(who, set())):
                out.append((who, what, mark))
        return out

    def seen_by(self, who):
        """The marks that did come to them."""
        return {mark for one, _, text in self.all if one == who
                for mark in found_in(text, ALL)}


def washed(thing):
    """The same without any mark: what others say is their own."""
    if isinstance(thing, dict):
        return {washed(key): washed(one) for key, one in thing.items()}
    if isinstance(thing, list):
        return [washed(one) for one in thing]
    if isinstance(thing, str) and (MARK in thing or thing == PLACE):
        return "plain" if thing != PLACE else "u4pq"
    return 1 if thing == NUMBER else thing


def marked_token(node):
    return node.token(USER, name=NAME, email=EMAIL, picture=PICTURE,
                      groups=[GROUP], grants=["observe_count", "join",
                                              "observe_roster", "publish"])


def weak_token(node, user):
    return node.token(user, grants=["observe_count", "observe_roster", "join",
                                    "publish"])


def native_ops():
    """The operations of the native protocol, by the page and by the code."""
    page = (ROOT / "docs/protocol.md").read_text()
    table = page.split("| op | keys", 1)[1].split("\n\n", 1)[0]
    told = set(re.findall(r"(?m)^\| `(\w+)` \|", table))
    code = (ROOT / "edge/protocol/request_decoder.cpp").read_text()
    known = set(re.findall(r'(?m)^  \{"(\w+)", decode_', code))
    assert told == known and len(known) > 30, told ^ known
    return known


def board_words():
    """What a page may say on a board."""
    code = (ROOT / "edge/protocol/board_words.cpp").read_text()
    return set(re.findall(r'(?m)^  \{"([\w-]+)", read_', code))


def plain_sockets():
    """What the paths of plain WebSockets begin with."""
    code = (ROOT / "edge/rest/plain_paths.cpp").read_text()
    return set(re.findall(r'"/(\w+)/"', code))


class Driven:
    """Which of all ways in were taken, and ended well."""

    def __init__(self, wanted):
        self.wanted = set(wanted)
        self.taken = set()

    def check(self):
        assert self.taken == self.wanted, self.taken ^ self.wanted


def everyone(node):
    """Callers over HTTP, by what `Said` calls them."""
    return {"boss": Rest(node, "boss", grants=[
                "observe_count", "observe_roster", "join", "publish",
                "moderate", "host", "configure", "create", "admin"]),
            "marked": Rest(node, token=marked_token(node)),
            "eve": Rest(node, token=weak_token(node, "eve")),
            "nobody": Rest(node)}
