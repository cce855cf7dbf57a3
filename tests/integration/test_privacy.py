"""Who somebody is stays inside: marked people take part in every way, and
what leaves the process for others is searched for the marks."""

import urllib.request

import pytest

from client import Client
from rest import Rest, path
from test_streams import Listener

MARK = "zqmark"
USER, NAME, EMAIL = f"{MARK}-user", f"{MARK} Name", f"{MARK}@example.org"


class Everything:
    """What was said to anybody but moderators."""

    def __init__(self):
        self.said = []

    def take(self, what, text):
        self.said.append((what, text))

    def answer(self, what, answer):
        self.take(what, answer.body.decode())
        self.take(what, str(answer.headers))
        return answer

    def marks(self):
        return [what for what, text in self.said if MARK in text.lower()]


def people(node, session, everything):
    """Everything that strangers may ask over HTTP, well or badly."""
    eve, nobody = Rest(node, "eve"), Rest(node)
    who = node.participant
    for asker in (eve, nobody):
        for more in ([], ["participants"], ["participants", who]):
            everything.answer(f"v1 {more}", asker.session(session, *more))
        everything.answer("stream", asker(
            "GET", path("streams", session, "participants")))
        everything.answer("meeting", asker(
            "GET", path("meetings", session, "active-participants")))
    for method, more, body in (
            ("PUT", ["members", "x"], {}), ("DELETE", ["members", "x"], None),
            ("POST", ["host"], {"participant_id": who}),
            ("PATCH", [], {"settings": {}}), ("POST", ["end"], None)):
        everything.answer(f"refused {more}", eve(
            method, path("v1", "sessions", session, *more), body))
    for kind in ("meetings", "streams"):
        everything.answer(kind, eve("POST", path(kind, session, "join")))


def take_part(node, boss, by_rest, session):
    """The marked one's own requests, and what is done to them."""
    for method, where, body in (
            ("POST", ["v1", "sessions", session, "join"], {"device": "tv"}),
            ("PATCH", ["v1", "sessions", session, "live"],
             {"live": {"hand": True}, "device": "tv"}),
            ("POST", ["v1", "sessions", session, "heartbeat"], None),
            ("POST", ["streams", session, "join"], None)):
        assert by_rest(method, path(*where), body).status == 200
    member = path("v1", "sessions", session, "members", USER)
    assert boss("PUT", member, {"role": "speaker"}).status == 200
    # What is refused is refused in words of our own.
    for user in (USER + "2", MARK + "\n"):
        assert boss("POST", path("v1", "sessions", session, "host"),
                    {"user": user}).status >= 400


@pytest.mark.parametrize("identity", ["pseudonymous", "count_only", "named"])
async def test_nobody_is_told_who_somebody_is(make_node, identity):
    node = make_node("--log-level", "debug", "--log-format", "json").start()
    shown, hidden = Everything(), Everything()
    session = "s"
    boss = Rest(node, "boss")
    boss.create(session, kind="stream", identity=identity)
    listener = await Listener.open(node, session)
    eve = await Client.open(node.url, node.token("eve"))
    await eve.attach(session)
    token = node.token(USER, name=NAME, email=EMAIL)
    marked = await Client.open(node.url, token)
    node.participant = marked.welcome["participant_id"]
    await marked.join(session, live={"step": 1})
    by_rest = Rest(node, token=token)
    take_part(node, boss, by_rest, session)
    people(node, session, shown)
    assert by_rest("POST", path("streams", session, "leave")).status == 200
    await marked.ask("leave", session=session)
    for _ in range(3):
        hidden.take("listener", str(await listener.next()))
    for push in eve.pushes:
        shown.take("socket", str(push))
    hidden.take("metrics", urllib.request.urlopen(
        f"http://127.0.0.1:{node.port}/metrics", timeout=5).read().decode())
    for one in (eve, marked):
        await one.close()
    await listener.socket.close()
    assert node.end() == 0
    hidden.take("log", node.said())
    assert hidden.marks() == []
    # Where everyone is named, the marks are there: the search finds them.
    assert bool(shown.marks()) == (identity == "named"), shown.marks()
