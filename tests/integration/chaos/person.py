"""Someone with a client who comes, goes, drops, returns and changes things.

Everything is told to the history before it is sent and after it was answered.
"""

import asyncio
import itertools
import time

from client import Client, Gone, Refused
from node import ALL_RIGHTS

CONNECT_SECONDS = 4
#: Longer than an edge waits for an owner.
ANSWER_SECONDS = 11
#: For as long as this the journal may be without an owner or a leader.
RETRY_SECONDS = 12
#: The node knows less than we have seen: to be tried elsewhere.
ELSEWHERE = 3003
#: Closes that somebody asked for: our own, and a kick from the last session.
OWN_CLOSES = {1000, 3502}
RIGHTS = [*ALL_RIGHTS, "admin"]

_numbers = itertools.count(1)


class Abandoned(Exception):
    """The connection does not answer; a new one has to be made."""


class Watched(Client):
    """Tells its person of every push, before it looks at it itself."""

    person = None
    #: its person has turned away: what still comes is seen by nobody
    over = False

    def take_push(self, push):
        if not self.over and self.person.client in (None, self):
            self.person.saw(push)
        super().take_push(push)


class Person:
    def __init__(self, world, history, pick, user, home, sessions=()):
        self.world, self.history, self.pick = world, history, pick
        self.user, self.home = user, home
        #: how many places to pass over at the next connection
        self.away = 0
        #: session -> whether to be in it
        self.wants = {session: True for session in sessions}
        #: sessions that answered a join, on this connection
        self.inside = set()
        self.client = self.node = self.resume = None
        self.participant = None
        self.replicas = {}
        self.kind = type("Watching", (Watched,), {"person": self})
        self.values = itertools.count(1)
        self.working = True
        self.fresh_starts = 0

    def note(self, event, **fields):
        self.history.note(event, **fields)

    def saw(self, push):
        if push["push"] in ("snapshot", "changes"):
            self.note("push", user=self.user, push=push)
        elif push["push"] == "direct":
            session = push["session"]
            self.note("ended", user=self.user, session=session,
                      participant=self.participant, how="removed")
            self.note("detached", user=self.user, session=session)
            self.inside.discard(session)

    # -- the connection -------------------------------------------------------

    def places(self):
        """Nodes to try, home first."""
        nodes = self.world.nodes
        return [nodes[(self.home + self.away + n) % len(nodes)]
                for n in range(len(nodes))]

    async def connect(self):
        """Connects to the first node that welcomes us."""
        while True:
            for node in self.places():
                if await self.try_connect(node):
                    return
            await asyncio.sleep(0.1)

    async def try_connect(self, node):
        token = node.token(self.user, grants=RIGHTS)
        hello = {"resume": self.resume} if self.resume else None
        self.client = None
        try:
            client = await asyncio.wait_for(
                self.kind.open(node.url, token, hello=hello),
                CONNECT_SECONDS)
        except Refused:
            # The secret is of no use any more; a fresh start is.
            self.begin_anew()
            self.fresh_starts += 1
            return False
        except Exception:  # no listener, silent or cut: the next one then
            return False
        if client.closed is not None or client.welcome is None:
            return False
        self.client, self.node, self.away = client, node, 0
        self.client.replicas = dict(self.replicas)
        self.resume = client.welcome["resume"]
        self.participant = client.welcome["participant_id"]
        return True

    def forget(self, how, code=0, own=True):
        """The connection is over, as far as we know; hands it out."""
        client, self.client = self.client, None
        if client is None:
            return None
        client.over = True
        for session in self.inside:
            self.note("ended", user=self.user, session=session,
                      participant=self.participant, how=how)
        self.note("disconnected", user=self.user, node=self.node.name,
                  code=code, own=own)
        # What follows the first is mostly its consequence.
        for wrong in client.wrong[:1]:
            self.note("protocol", user=self.user, what=wrong)
        # Of one that refused us we still know what we saw elsewhere.
        self.replicas = {s: r for s, r in client.replicas.items()
                         if s in self.inside or s in self.replicas}
        self.inside = set()
        return client

    def drop(self, how="drop", code=0, own=True):
        client = self.forget(how, code, own)
        if client is not None:
            client.drop()

    async def goodbye(self):
        client = self.forget("close")
        self.begin_anew()
        try:
            await asyncio.wait_for(client.close(), 3)
        except (OSError, asyncio.TimeoutError):
            client.drop()

    def begin_anew(self):
        """As a page that was closed and opened again."""
        self.resume, self.replicas = None, {}
        self.note("forgot", user=self.user)

    # -- questions ------------------------------------------------------------

    async def ask(self, op, session, register=None, op_id=None, again=False,
                  **keys):
        """One request: its answer, or its error; Abandoned if neither
        came. `register` is the (key, value) it writes."""
        client = self.client
        if client is None or client.closed is not None:
            raise Abandoned
        number = next(_numbers)
        key, value = register or (None, None)
        self.note("asked", number=number, user=self.user, session=session,
                  op=op, key=key, value=value, op_id=op_id, again=again)
        if op_id is not None:
            keys["op_id"] = op_id
        try:
            answer = await asyncio.wait_for(
                client.post(op, session=session, **keys), ANSWER_SECONDS)
        except (Gone, asyncio.TimeoutError) as why:
            self.note("unanswered", number=number, node=self.node.name,
                      open_still=isinstance(why, asyncio.TimeoutError)
                      and client.closed is None)
            if self.client is client and client.closed is None:
                if op == "join":
                    # It may have come through.
                    self.inside.add(session)
                self.drop()
            raise Abandoned from None
        if answer["ok"]:
            self.note("answered", number=number, at=answer["at"],
                      level=answer["level"])
        else:
            self.note("refused", number=number, code=answer["error"]["code"])
        return answer

    async def insist(self, op, session, **keys):
        """Asks again with the same op id while there is no answer or no
        journal; None if that took too long."""
        keys["op_id"] = keys.get("op_id") or f"{self.user}.{next(_numbers)}"
        until = time.monotonic() + RETRY_SECONDS
        again = False
        while time.monotonic() < until:
            try:
                await self.settle()
                answer = await self.ask(op, session, again=again, **keys)
                if answer["ok"] or not answer["error"]["retryable"]:
                    return answer
            except Abandoned:
                pass
            again = True
            await asyncio.sleep(0.1)
        return None

    # -- presence -------------------------------------------------------------

    async def join(self, session):
        keys = {}
        known = self.replicas.get(session)
        if known is not None and known.at is not None:
            keys["since"] = known.at
        client = self.client
        answer = await self.ask("join", session, **keys)
        if not answer["ok"]:
            return False
        self.note("joined", user=self.user, session=session,
                  participant=self.participant, node=self.node.name,
                  at=answer["at"])
        self.inside.add(session)
        client.beat = min(client.beat, answer["beat_ms"] / 1000)
        return True

    async def leave(self, session):
        """Leaves, however often that has to be said."""
        until = time.monotonic() + RETRY_SECONDS
        while session in self.inside and time.monotonic() < until:
            self.note("ended", user=self.user, session=session,
                      participant=self.participant, how="leave")
            answer = await self.ask("leave", session)
            if answer["ok"]:
                self.inside.discard(session)
                self.note("detached", user=self.user, session=session)
                return
            if not answer["error"]["retryable"]:
                break
            await asyncio.sleep(0.1)
        self.drop()
        raise Abandoned

    async def settle(self):
        """Connects if need be, and is in what it wants to be in."""
        if self.client is not None and self.client.closed is not None:
            code = self.client.closed
            if code == ELSEWHERE:
                self.away = self.world.nodes.index(self.node) - self.home + 1
            self.drop("lost", code, own=code in OWN_CLOSES)
        if self.client is None:
            await self.connect()
        for session, wanted in list(self.wants.items()):
            if wanted and session not in self.inside:
                if await self.join(session):
                    self.replicas.pop(session, None)
                else:
                    await asyncio.sleep(0.1)

    def settled(self):
        return (self.client is not None and self.client.closed is None
                and self.inside == {s for s, w in self.wants.items() if w}
                and all(s in self.client for s in self.inside))

    async def live(self, deed):
        """Does one deed after another until told to stop; then still keeps
        its place."""
        while True:
            try:
                await self.settle()
                if self.working and self.settled():
                    await deed(self)
                await asyncio.sleep(self.pick.uniform(0.2, 1.8))
            except Abandoned:
                pass
            except OSError:
                self.drop()
