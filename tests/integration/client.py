"""A client of the native protocol, written from docs/protocol.md alone."""

import asyncio
import json
import time

import msgpack
import websockets

from replica import Replica, check_keys

PATIENCE = 12
ERROR_CODES = {
    "bad_request", "unauthenticated", "token_expired", "forbidden",
    "not_found", "not_invited", "banned", "session_full", "session_locked",
    "session_ended", "conflict", "rate_limited", "too_large", "unavailable",
    "internal", "precondition_failed"}


class Refused(Exception):
    def __init__(self, error):
        super().__init__(str(error))
        self.error = error
        self.code = error["code"]
        self.field = error.get("field")


class Gone(Exception):
    """The connection ended before the answer came."""


class Client:
    """One connection. Beats by itself until told to be silent."""

    def __init__(self, socket, dialect):
        self.socket = socket
        self.dialect = dialect
        self.ids = 0
        self.waiting = {}
        self.replicas = {}
        self.frames = self.bytes = 0
        self.pushes = []
        self.orphans = []
        self.welcome = None
        self.bye = None
        self.directs = []
        self.wrong = []
        self.closed = None
        self.beat = 1.0
        self.beating = True
        self.news = asyncio.Event()
        self.reader = asyncio.create_task(self.read())
        self.beater = asyncio.create_task(self.keep_beating())

    @classmethod
    async def open(cls, url, token=None, dialect="json", how="header",
                   hello=None, **options):
        """Connects and waits for the welcome. With `how` "hello" the token
        travels in the hello, else a hello follows only if it has content."""
        protocols = [f"rollcall.v1.{dialect}"]
        headers = dict(options.pop("headers", {}))
        hello = dict(hello or {})
        if token is not None:
            if how == "header":
                headers["Authorization"] = f"Bearer {token}"
            elif how == "subprotocol":
                protocols.append(f"bearer.{token}")
            else:
                hello["token"] = token
        socket = await websockets.connect(
            url, subprotocols=protocols, extra_headers=headers,
            compression=None, ping_interval=None, max_size=None,
            max_queue=None, open_timeout=PATIENCE, close_timeout=2, **options)
        assert socket.subprotocol == protocols[0]
        self = cls(socket, dialect)
        if token is None or how == "hello":
            await self.say_hello(**hello)
        else:
            await self.until(lambda: self.welcome or self.closed)
            if hello:
                await self.say_hello(**hello)
        return self

    async def say_hello(self, **keys):
        return await self.ask("hello", **keys)

    # -- frames ---------------------------------------------------------------

    def encode(self, message):
        if self.dialect == "json":
            return json.dumps(message, ensure_ascii=False)
        return msgpack.packb(message, use_bin_type=True)

    def decode(self, frame):
        if self.dialect == "json":
            assert isinstance(frame, str)
            return json.loads(frame)
        assert isinstance(frame, bytes)
        return msgpack.unpackb(frame, raw=False, strict_map_key=True)

    async def send(self, message):
        await self.socket.send(self.encode(message))

    async def send_raw(self, frame):
        await self.socket.send(frame)

    async def read(self):
        try:
            async for frame in self.socket:
                self.frames += 1
                self.bytes += len(frame)
                try:
                    self.take(self.decode(frame))
                except (AssertionError, KeyError, TypeError, ValueError) as e:
                    self.wrong.append(f"{type(e).__name__}: {e}: {frame!r}"
                                      [:2000])
                self.news.set()
        except websockets.ConnectionClosed:
            pass
        finally:
            self.closed = self.socket.close_code or 1006
            self.closed_at = time.monotonic()
            for future in self.waiting.values():
                if not future.done():
                    future.set_exception(Gone(f"closed: {self.closed}"))
            self.news.set()

    def take(self, message):
        if "re" in message and (message["re"] is not None
                                or "push" not in message):
            self.take_answer(message)
        if "push" in message:
            message["came"] = time.monotonic()
            self.pushes.append(dict(message))
            del message["came"]
            self.take_push(message)

    def take_answer(self, message):
        answer = dict(message)
        if "push" not in message:
            assert isinstance(message["ok"], bool)
            if not message["ok"]:
                check_keys("answer", message, {"re", "ok", "error"})
                error = message["error"]
                check_keys("error", error, {"code", "message", "retryable"},
                           {"field", "retry_after_ms"})
                assert error["code"] in ERROR_CODES, error
                assert isinstance(error["retryable"], bool)
        answer["came"] = time.monotonic()
        future = self.waiting.pop(message["re"], None)
        if future is None:
            self.orphans.append(answer)
        elif not future.done():
            future.set_result(answer)

    def take_push(self, push):
        kind = push["push"]
        if kind == "welcome":
            check_keys("welcome", push, {
                "push", "connection_id", "resume", "beat_ms", "node",
                "limits"}, {"re", "user", "participant_id", "expires_in_ms"})
            check_keys("limits", push["limits"], {
                "frame_bytes", "sessions", "requests_per_second"})
            self.welcome = push
            self.beat = min(self.beat, push["beat_ms"] / 1000)
        elif kind == "snapshot":
            self.replica(push["session"]).snapshot(push)
        elif kind == "changes":
            assert push["session"] in self.replicas, push
            self.replicas[push["session"]].apply(push)
        elif kind == "direct":
            more = {"removed": {"reason"}, "reminder": {"starts_at", "late"}}
            check_keys("direct", push, {"push", "session", "type",
                                        *more[push["type"]]})
            self.directs.append(push)
        elif kind == "bye":
            check_keys("bye", push, {"push", "code", "reason", "reconnect"},
                       {"after_ms"})
            self.bye = push
        else:
            raise AssertionError(f"unknown push {kind}")

    def replica(self, session):
        if session not in self.replicas:
            self.replicas[session] = Replica(session)
        return self.replicas[session]

    # -- asking ---------------------------------------------------------------

    def post(self, op, **keys):
        """Sends a request; the future has the answer."""
        self.ids += 1
        future = asyncio.get_running_loop().create_future()
        if self.closed is not None:
            future.set_exception(Gone(f"closed: {self.closed}"))
            return future
        self.waiting[self.ids] = future
        message = {"op": op, "id": self.ids, **keys}
        sending = asyncio.ensure_future(self.send(message))
        sending.add_done_callback(lambda task: self.sent(task, future))
        return future

    @staticmethod
    def sent(task, future):
        if not task.cancelled() and task.exception() and not future.done():
            future.set_exception(Gone(str(task.exception())))

    async def ask_any(self, op, **keys):
        return await asyncio.wait_for(self.post(op, **keys), PATIENCE)

    async def ask(self, op, **keys):
        answer = await self.ask_any(op, **keys)
        if answer.get("ok") is False:
            raise Refused(answer["error"])
        if op == "join":
            self.beat = min(self.beat, answer["beat_ms"] / 1000)
        return answer

    async def refused(self, op, **keys):
        """The error of a request that has to be refused."""
        answer = await self.ask_any(op, **keys)
        assert answer.get("ok") is False, answer
        return answer["error"]

    async def join(self, session, **keys):
        answer = await self.ask("join", session=session, **keys)
        if keys.get("view") != "none":
            await self.until(lambda: session in self.replicas
                             and self[session].at is not None
                             and self[session].at >= answer["at"])
        return answer

    async def attach(self, session, **keys):
        known = len(self[session].snapshots) if session in self else 0
        answer = await self.ask("attach", session=session, **keys)
        if "since" not in keys:
            await self.until(
                lambda: session in self
                and len(self[session].snapshots) > known)
        return answer

    def __getitem__(self, session):
        return self.replicas[session]

    def __contains__(self, session):
        return session in self.replicas

    async def until(self, condition, seconds=PATIENCE):
        """Waits until the condition holds; looks at every frame."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            left = deadline - time.monotonic()
            assert left > 0, f"waited {seconds} s in vain: {self.story()}"
            self.news.clear()
            try:
                await asyncio.wait_for(self.news.wait(), left)
            except asyncio.TimeoutError:
                pass
        return value

    def story(self):
        return {"closed": self.closed, "wrong": self.wrong,
                "last": self.pushes[-4:], "orphans": self.orphans[-2:]}

    def changes(self, session, *types):
        return [c for c in self[session].changes if c["type"] in types]

    # -- signs of life, and the end -------------------------------------------

    async def keep_beating(self):
        try:
            while self.closed is None:
                await asyncio.sleep(self.beat * 0.4)
                if self.beating:
                    await self.send({"op": "heartbeat"})
        except (websockets.ConnectionClosed, ConnectionError):
            pass

    def silence(self):
        self.beating = False

    def drop(self):
        """Ends the socket without any goodbye."""
        self.beater.cancel()
        self.socket.transport.abort()

    async def close(self, code=1000):
        self.beater.cancel()
        await self.socket.close(code)
        await asyncio.wait([self.reader], timeout=PATIENCE)

    def check(self):
        assert not self.wrong, "\n".join(self.wrong)
        assert not self.orphans, self.orphans


class Crew:
    """The clients of one test; at its end all have to have seen only what
    the protocol allows."""

    def __init__(self, node, **defaults):
        self.node = node
        self.defaults = defaults
        self.clients = []

    async def connect(self, user=None, claims=None, node=None, **options):
        node = node or self.node
        token = options.pop("token", None)
        if token is None and user is not None:
            token = node.token(user, **(claims or {}))
        client = await Client.open(node.url, token,
                                   **{**self.defaults, **options})
        self.clients.append(client)
        return client

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, *_):
        for client in self.clients:
            client.beater.cancel()
        await asyncio.gather(*(c.close() for c in self.clients
                               if c.closed is None), return_exceptions=True)
        if kind is None:
            for client in self.clients:
                client.check()
