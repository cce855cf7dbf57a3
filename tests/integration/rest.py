"""A client of the HTTP interface, written from docs/rest.md alone."""

import http.client
import json
import time
import urllib.parse

PATIENCE = 12


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __getitem__(self, key):
        return self.json[key]

    def problem(self):
        """(status, code, field) of a refusal, whose form is checked."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        body = self.json
        assert body["status"] == self.status
        assert body["type"] == "about:blank"
        assert body["title"] and body["detail"], body
        if "retry_after_ms" in body:
            assert int(self.headers["Retry-After"]) * 1000 \
                >= body["retry_after_ms"]
        return self.status, body["code"], body.get("field")

    def __repr__(self):
        return f"{self.status} {self.body!r}"


def path(*segments):
    return "/" + "/".join(urllib.parse.quote(s, safe="") for s in segments)


class Rest:
    """One user, or nobody."""

    def __init__(self, node, user=None, token=None, **claims):
        self.node = node
        if user is not None:
            token = node.token(user, **claims)
        self.token = token
        #: how long an answer may take
        self.patience = PATIENCE

    def __call__(self, method, target, body=None, headers=None, raw=None):
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        wire = http.client.HTTPConnection(self.node.host, self.node.port,
                                          timeout=self.patience)
        try:
            wire.request(method, target, raw,
                         {k: v for k, v in sent.items() if v is not None})
            got = wire.getresponse()
            return Answer(got.status, got.headers, got.read())
        finally:
            wire.close()

    def create(self, session, kind="stage", **settings):
        made = self("POST", "/v1/sessions", {
            "session": session, "kind": kind, "settings": settings})
        assert made.status == 201, made
        return made

    def session(self, session, *more):
        return self("GET", path("v1", "sessions", session, *more))


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not (got := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return got


def in_time(condition):
    """What it says, or no if an answer took longer than its patience."""
    try:
        return condition()
    except TimeoutError:
        return False


def ask(who, method, *where, body=None, query=""):
    """Asks until there is an owner."""
    def once():
        got = who(method, path(*where) + query, body)
        if got.status == 503:
            assert got["retryable"] is True, got
            return None
        assert got.status in (200, 201), (where, got)
        return got
    return until(once)


def there(session, *more):
    """The segments of what a session has."""
    return ("v1", "sessions", session, *more)
