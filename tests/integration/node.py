"""A rollcalld of its own: started, measured, signalled and always ended."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(
    os.environ.get("ROLLCALLD", ROOT / "build/release/rollcalld")).resolve()
START_SECONDS = 20
STOP_SECONDS = 20
TICKS = os.sysconf("SC_CLK_TCK")
ALL_RIGHTS = ["observe_count", "observe_roster", "join", "publish", "moderate",
              "host", "configure", "create"]


def encode64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(signing_input, secret):
    digest = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
    return encode64(digest)


def raw_token(header, payload, secret):
    """A token of texts, however wrong they are."""
    signing_input = encode64(header) + "." + encode64(payload)
    return signing_input + "." + sign(signing_input, secret)


def make_token(secret, claims, header=None):
    header = {"alg": "HS256", "typ": "JWT"} if header is None else header
    return raw_token(json.dumps(header).encode(), json.dumps(claims).encode(),
                     secret)


class Node:
    """One process on one data directory; may be started again and again."""

    def __init__(self, folder, *flags, prefix=(), environment=None,
                 secret=None, host="127.0.0.1"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "data"
        self.flags = list(flags)
        self.prefix = list(prefix)
        self.environment = {**os.environ, **(environment or {})}
        self.host = host
        self.port = 0
        self.scheme = "http"
        self.process = None
        self.secret = secret
        #: what the next start runs
        self.binary = BINARY

    def start(self):
        assert self.process is None
        self.output = self.folder / f"output.{time.monotonic_ns()}"
        with open(self.output, "wb") as out:
            self.process = subprocess.Popen(
                [*self.prefix, self.binary, "--quickstart",
                 "--data-dir", self.data,
                 "--server-listen", f"{self.host}:{self.port}", *self.flags],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                env=self.environment)
        deadline = time.monotonic() + START_SECONDS
        address = re.escape(self.host)
        while not (link := re.search(rf"(https?)://{address}:(\d+)/\S+",
                                     self.said())):
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.01)
        self.scheme, self.port = link[1], int(link[2])
        if self.secret is None:
            made = (self.data / "token.secret").read_bytes()
            self.secret = made.rstrip(b"\r\n")
        return self

    def await_ready(self, seconds=START_SECONDS):
        """Until every session has an owner that this node knows."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(
                        f"{self.scheme}://127.0.0.1:{self.port}/readyz",
                        timeout=5):
                    return self
            except urllib.error.HTTPError as refused:
                assert refused.code == 503
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.05)

    def said(self):
        return self.output.read_text(errors="replace")

    @property
    def url(self):
        return (f"{self.scheme.replace('http', 'ws')}://{self.host}:{self.port}"
                "/v1/connect")

    def token(self, user, grants=ALL_RIGHTS, **claims):
        """A token for a user; a claim that is None is left out."""
        now = int(time.time())
        claims = {"sub": user, "aud": "rollcall", "iat": now,
                  "exp": now + 3600, "grants": grants, **claims}
        return make_token(self.secret, {k: v for k, v in claims.items()
                                        if v is not None})

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def end(self, how=signal.SIGTERM, seconds=STOP_SECONDS):
        """Ends the process and returns its exit status."""
        process, self.process = self.process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(how)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def signal(self, how):
        self.process.send_signal(how)

    def wait(self, seconds=STOP_SECONDS):
        status = self.process.wait(seconds)
        self.process = None
        return status

    def rss_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def run(*arguments, environment=None, seconds=20):
    """Runs the program to its end: (status, standard output, errors)."""
    done = subprocess.run(
        [BINARY, *map(str, arguments)], capture_output=True, text=True,
        timeout=seconds, stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr
