"""Every way into a node, taken by a marked one and by whoever has power over
her; strangers try the same, look, and listen. The ways are read from
edge/openapi.yaml, docs/protocol.md and the code, and one that is not taken
here is an error."""

import asyncio
import json
import time
import urllib.error
import urllib.request

import websockets

from client import Client
from openapi import OPERATIONS, target_of
from privacy import (ANSWER, CALLED, CODE, DEVICE, LIVE, MARK, NAME, NUMBER, OP,
                     PLACE, REASON, REQUEST, USER, Driven, board_words,
                     everyone, marked_token, native_ops, plain_sockets, washed,
                     weak_token)
from rest import path
from test_rounds import CONTRIBUTIONS, EVALUATIONS, of_oneself

SOON = 3_600_000
SETTINGS = {"anonymous_views": True, "host": "appointed", "code": CODE,
            "own_names": True}
NOTE = {"note": {"type": "text", "max": 99}}
VOTES = {"emotional-evaluations": of_oneself(EVALUATIONS, "evaluations"),
         "understanding-contributions": of_oneself(CONTRIBUTIONS,
                                                   "contributions")}


class OverHttp:
    """Each operation by one who may; strangers try the same before."""

    def __init__(self, node, said, session):
        self.said, self.session = said, session
        self.callers = everyone(node)
        self.driven = Driven(OPERATIONS)

    def target(self, name, **parameters):
        return target_of(name, **{
            **dict.fromkeys(("session", "stream", "meeting", "group"),
                            self.session),
            "user": USER, "participant": USER, "round": "vote", **parameters})

    def __call__(self, who, name, body=None, query="", headers=None, **more):
        method, target = OPERATIONS[name][0], self.target(name, **more) + query
        self.strangers(name, method, target, body, headers)
        answer = self.callers[who](method, target, body, headers)
        assert answer.status < 300, (name, answer)
        self.said.answer(who, name, answer)
        self.driven.taken.add(name)
        return answer

    def strangers(self, name, method, target, body=None, headers=None):
        for who in ("eve", "nobody"):
            self.said.answer(who, name, self.callers[who](
                method, target, washed(body), washed(headers)))

    def look(self):
        """What strangers may ask without changing anything."""
        for name, (method, _) in OPERATIONS.items():
            if method == "GET":
                self.strangers(name, method, self.target(name))
        for query in ("what=summary", "what=people", "what=here", "format=csv",
                      f"user={USER}", "user=eve"):
            self.strangers("getHistory", "GET",
                           self.target("getHistory") + "?" + query)

    def refused(self):
        """What is refused is refused in words of our own."""
        boss, there = self.callers["boss"], self.target("getSession")
        for method, target, body in (
                ("PUT", f"{there}/members/x", {"role": MARK.upper()}),
                ("POST", f"{there}/host", {"user": USER + "\n"}),
                ("POST", f"{there}/kick", {"user": USER + "2"}),
                ("POST", f"{there}/bans", {"user": "x", "reason": MARK * 30}),
                ("POST", f"{there}/invitations", {"user": MARK * 30}),
                ("PATCH", there, {"settings": {"code": MARK * 20}}),
                ("PATCH", there, {"settings": {"identity": MARK}}),
                ("PATCH", f"{there}/live", {"live": {"a": LIVE * 20}}),
                ("POST", f"{there}/rounds/vote/submissions",
                 {"answer": {"note": [ANSWER]}}),
                ("GET", f"{there}/participants?cursor={MARK}", None),
                ("GET", f"{there}/history?user={MARK}%00", None),
                ("GET", f"/v1/sessions/%00{MARK}", None),
                ("GET", f"/v1/{MARK}", None), (MARK.upper(), there, None)):
            self.refuse(boss(method, target, body))
        for raw in (b'{"user": "%s"', b'%s', b'{"user": "%s\xff"}'):
            self.refuse(boss("POST", f"{there}/kick",
                             raw=raw % USER.encode()))
        for header in ("Authorization", "Content-Type", "Origin", "If-Match"):
            self.refuse(boss("POST", f"{there}/kick", {"user": "x"},
                             headers={header: f"Bearer {MARK}.{MARK}.{MARK}"}))

    def refuse(self, answer):
        assert answer.status >= 400
        self.said.answer("refused", "refusal", answer)


def over_http(call, identity):
    call("boss", "createSession", {
        "session": call.session, "kind": "stage",
        "starts_at": int(time.time() * 1000) + SOON,
        "settings": {**SETTINGS, "identity": identity}})
    call("boss", "configureSession", {"settings": {"code": CODE}},
         headers={"Idempotency-Key": OP, "X-Request-Id": REQUEST})
    call("boss", "invite", {"user": USER, "role": "guest"})
    call("boss", "uninvite")
    call("boss", "setMember", {"role": "speaker", "give": ["can_speak"]})
    call("boss", "join", {"lease_ms": 60_000})
    call("marked", "join", {
        "device": DEVICE, "lease_ms": 60_000,
        "live": {"note": LIVE, "number": NUMBER}},
        headers={"Idempotency-Key": OP + "2", "Session-Code": CODE})
    call("marked", "heartbeat", {"device": DEVICE})
    call("marked", "setLive", {"device": DEVICE, "live": {"note": LIVE}})
    call("marked", "setName", {"name": CALLED})
    call("boss", "transferHost", {"user": "boss"})
    call("boss", "setPhase", {"phase": "voting", "status": "open"})
    call("boss", "openRound", {"schema": NOTE, "results": "moderators"})
    for name, schema in VOTES.items():
        call("boss", "openRound", {"schema": schema}, round=name)
    call("marked", "submit", {"answer": {"note": ANSWER}})
    call("marked", "joinMeeting")
    call("marked", "evaluate", {"evaluations": [{
        "targetParticipantId": USER, "emotionalScale": 5, "isToxic": True}]})
    call("marked", "contribute", {"understandingScore": 9, "contributions": [
        {"participantId": USER, "contributionPercentage": 7}]})
    call("boss", "startBarrier", {"barrier": "go"})
    call("marked", "setReady", {"device": DEVICE, "ready": True})
    call("marked", "setReminder", {"enabled": True, "lead_ms": 1000})
    call("marked", "joinStream")
    call("boss", "putGroup", {"name": "Club"})
    call("boss", "setGroupMember", {"role": "moderator"})
    call("marked", "listGroupMembers")
    call.look()
    call.refused()
    for name, (method, _) in OPERATIONS.items():
        if method == "GET":
            call("boss", name)
    for query in ("?what=people", "?format=csv", "?format=ndjson",
                  f"?user={USER}"):
        call("boss", "getHistory", query=query)
    call("boss", "closeRound")
    for name in ("leaveStream", "leaveMeeting", "leave"):
        call("marked", name)
    call.look()
    call("boss", "ban", {"user": USER, "reason": REASON, "for_ms": 60_000})
    call.look()
    call("boss", "listBans")
    call.said.answer("marked", "banned", call.callers["marked"](
        "GET", call.target("getSession")))
    call("boss", "unban")
    for name, body in (("kick", {"user": USER}), ("removeMember", None)):
        call("marked", "join", {"device": DEVICE})
        call("boss", name, body)
    call("marked", "join")
    call("marked", "withdraw")
    call("boss", "getAudit")
    call("boss", "removeGroupMember")
    call("boss", "setGroupMember", {})
    call("boss", "deleteGroup")
    call("boss", "endSession")
    call.look()
    call("boss", "eraseUser")
    call("boss", "deleteSession")
    call.look()
    call.driven.check()


class BySocket:
    """The same over WebSockets, in each of their languages."""

    def __init__(self, node, said, session):
        self.node, self.said, self.session = node, said, session
        self.native, self.words = Driven(native_ops()), Driven(board_words())
        self.clients, self.plain = [], []

    async def open(self, who, token=None, view=None, **options):
        one = await Client.open(self.node.url, token, **options)
        self.clients.append((who, one))
        if view:
            await one.attach(self.session, view=view)
        return one

    async def listen(self, who, *way, token=None):
        """A plain WebSocket whose every frame is kept."""
        header = {"Authorization": f"Bearer {token}"} if token else {}
        socket = await websockets.connect(
            f"ws://{self.node.host}:{self.node.port}" + path(*way),
            compression=None, ping_interval=None, extra_headers=header)

        async def read():
            try:
                async for frame in socket:
                    self.said.take(who, "/".join(way), frame)
            except websockets.ConnectionClosed:
                pass
        self.plain.append((socket, asyncio.create_task(read())))
        return socket

    async def start(self, identity):
        """Those who may do things, and those who only hear of them."""
        token = marked_token(self.node)
        boss = self.node.token("boss", grants=[
            "observe_count", "observe_roster", "join", "publish", "moderate",
            "host", "configure", "create", "admin"])
        self.asking = {
            "boss": await self.open("boss", boss),
            "marked": await self.open("marked", how="hello", token=token),
            "eve": await self.open("eve", weak_token(self.node, "eve")),
            "nobody": await self.open("nobody")}
        self.said.keep(self.node, self.asking["marked"].welcome, token)
        await self.ask("boss", "create_session", kind="stage", settings={
            **SETTINGS, "identity": identity})
        eve = weak_token(self.node, "eva")
        self.watching = [
            await self.open("eve", eve, "roster", dialect="msgpack"),
            await self.open("eve", eve, "events"),
            await self.open("eve", eve, "count"),
            await self.open("nobody", None, "events", dialect="msgpack"),
            await self.open("nobody", None, "count")]
        for who, bearer in (("eve", eve), ("nobody", None)):
            for kind in sorted(plain_sockets()):
                await self.listen(who, kind, self.session, "participants",
                                  "ws", token=bearer)
        said = json.dumps({"name": "participant-joined", "data": {
            "participant": {"id": "eva"}, "timestamp": 1}})
        # Where joining is a word, the listener who has a token says it.
        await self.plain[0][0].send(said)
        self.page = await self.listen("marked", "boards", self.session,
                                      "participants", "ws", token=token)
        self.native.taken.add("hello")

    async def ask(self, who, op, session=True, **keys):
        if session:
            keys["session"] = self.session
        if op != "refresh_token":
            for stranger in ("eve", "nobody"):
                self.said.take(stranger, op, await self.asking[
                    stranger].ask_any(op, **washed(keys)))
        answer = await self.asking[who].ask(op, **keys)
        self.said.take(who, op, answer)
        self.native.taken.add(op)
        return answer

    async def say(self, name, **data):
        await self.page.send(json.dumps({"name": name, "data": {
            **data, "timestamp": int(time.time() * 1000)}}))
        self.words.taken.add(name)

    async def all_hear(self, answer):
        for one in self.watching:
            await one.until(
                lambda: one[self.session].at >= answer["at"])

    async def end(self):
        for who, one in self.clients:
            one.check()
            for push in one.pushes + one.directs:
                self.said.take(who, "push", push)
            self.said.take(who, "bye", one.bye)
            await one.close()
        for socket, reading in self.plain:
            await socket.close()
            await reading


async def by_socket(call):
    on_board = {"participantId": USER}
    await call.say("participant-joined", participant={
        "id": USER, "userId": USER, "name": NAME, "note": LIVE})
    await call.say("status-update", updates={"number": NUMBER}, **on_board)
    await call.say("heartbeat", **on_board)
    await call.say("request-sync", requesterId=USER)
    for op, keys in (("set_member", {"user": USER, "role": "speaker"}),
                     ("uninvite", {"user": USER}),
                     ("invite", {"user": USER, "op_id": OP})):
        await call.ask("boss", op, **keys)
    await call.ask("boss", "join")
    await call.ask("marked", "join", device="tv", place=PLACE, code=CODE,
                   op_id=OP + "2", live={"note": LIVE, "number": NUMBER})
    await call.ask("marked", "attach", code=CODE)
    await call.ask("marked", "set_live", live={"note": LIVE, "number": 3})
    await call.ask("marked", "set_name", name=CALLED)
    lease = await call.ask("marked", "join", lease_ms=60_000)
    await call.ask("marked", "renew", connection_id=lease["connection_id"])
    await call.ask("marked", "heartbeat", session=False)
    await call.ask("marked", "refresh_token", session=False,
                   token=marked_token(call.node))
    await call.ask("boss", "configure_session", settings={"code": CODE},
                   op_id=OP, starts_at=int(time.time() * 1000) + SOON)
    await call.ask("boss", "transfer_host", user="boss")
    await call.ask("boss", "set_phase", phase="voting")
    await call.ask("boss", "open_round", round="vote", schema=NOTE,
                   results="moderators")
    await call.ask("marked", "submit", round="vote", op_id=OP + "3",
                   answer={"note": ANSWER})
    await call.ask("boss", "start_barrier", barrier="go")
    await call.ask("marked", "set_ready", ready=True)
    await call.ask("marked", "set_reminder", enabled=True)
    for op in ("get_course", "get_members", "get_roster", "get_history",
               "get_audit"):
        await call.ask("boss", op)
    await call.ask("boss", "list_sessions", session=False)
    await call.ask("boss", "get_round", round="vote")
    await call.all_hear(await call.ask("boss", "close_round", round="vote"))
    await call.ask("marked", "detach")
    await call.say("participant-left", **on_board)
    await call.ask("marked", "leave")
    await call.ask("marked", "join")
    await call.ask("marked", "withdraw")
    for op, more in (("kick", {}), ("ban", {"reason": REASON})):
        again = await call.open("marked", marked_token(call.node))
        await again.join(call.session)
        await call.ask("boss", op, user=USER, **more)
        await again.until(lambda: again.closed)
    await call.ask("boss", "get_bans")
    await call.all_hear(await call.ask("boss", "unban", user=USER))
    await call.all_hear(await call.ask("boss", "end_session"))
    await call.ask("boss", "erase_user", session=False, user=USER)
    await call.ask("boss", "delete_session")
    call.native.check()
    call.words.check()


def of_the_node(node, said):
    """What is there for whoever runs it."""
    for place in ("metrics", "readyz", "healthz"):
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{node.port}/{place}", timeout=5) as got:
                said.take("node", place, got.read().decode())
        except urllib.error.HTTPError as refused:
            said.take("node", place, refused.read().decode())
    said.take("node", "log", node.said())
    for file in node.folder.rglob("*"):
        said.take("node", "file", file.relative_to(node.folder))
