"""The systems under test: how each is started, and spoken to."""

import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

BENCH = pathlib.Path(__file__).resolve().parent.parent
PEERS = BENCH / "peers"
START_SECONDS = 20
STOP_SECONDS = 15

ROLLCALL_CONFIG = """\
name = "bench"
data_dir = "{data}"

[server]
listen = "127.0.0.1:{port}"

[limits]
connections_per_address = 100000
requests_per_second = 100000
request_burst = 100000

[tokens]
secret = "{secret}"

[ids]
secret = "{id_secret}"

[log]
level = "warn"
format = "text"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def command_output(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True,
                                check=True)
    except (OSError, subprocess.CalledProcessError):
        return "?"
    return result.stdout.strip().splitlines()[0]


class Server:
    """A fresh process of one system; use it with `with`."""

    def __init__(self, system, pin, quiet_joins):
        self.secret = secrets.token_hex(32)
        self.port = free_port()
        self._system = system
        self._pin = pin
        self._quiet = quiet_joins
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="rollcall-bench-"))
        self._log = self._folder / "log"
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def __enter__(self):
        command = self._system.command(self, self._folder, self._quiet)
        if self._pin:
            command = ["taskset", "-c", "0", *command]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, cwd=self._folder)
        try:
            self._await_listening()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def last_words(self):
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-10:])

    def _await_listening(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self._system.name} did not start:\n"
                           f"{self.last_words()}")


class Rollcall:
    name = "rollcall"
    dialect = "rollcall"

    def __init__(self, binary):
        self._binary = binary

    def missing(self):
        return None if self._binary.exists() else f"no {self._binary}"

    def version(self):
        return command_output(self._binary, "--version")

    def command(self, server, folder, _quiet):
        config = folder / "rollcall.toml"
        config.touch(mode=0o600)
        config.write_text(ROLLCALL_CONFIG.format(
            data=folder / "data", port=server.port, secret=server.secret,
            id_secret=secrets.token_hex(32)))
        return [str(self._binary), "--config", str(config)]


class Peer:
    """A server of peers/, under Node or Bun."""

    def __init__(self, name, dialect, runtime, folder, *arguments):
        self.name = name
        self.dialect = dialect
        self._runtime = runtime
        self._folder = folder
        self._arguments = arguments

    def missing(self):
        if not (PEERS / "node_modules").exists():
            return "no peers: run tests/bench/install-peers"
        return None if shutil.which(self._runtime) else f"no {self._runtime}"

    def version(self):
        runtime = command_output(self._runtime, "--version").lstrip("v")
        if self._folder == "bun":
            return f"Bun {runtime}"
        package = {"socketio": "socket.io"}.get(self._folder, self._folder)
        version = command_output(
            "node", "-p", f"require('{PEERS}/node_modules/{package}"
            "/package.json').version")
        return f"{package} {version} on Node {runtime}"

    def command(self, server, _folder, quiet):
        script = PEERS / self._folder / "server.js"
        return [self._runtime, str(script), str(server.port),
                *self._arguments, *(["quiet"] if quiet else [])]


def all_systems(rollcalld):
    # The package's launcher is a link to the program itself: no process more.
    bun = str(PEERS / "node_modules" / ".bin" / "bun")
    return [
        Rollcall(rollcalld),
        Peer("socketio", "socketio", "node", "socketio"),
        Peer("ws", "plain", "node", "ws"),
        Peer("bun", "plain", bun, "bun"),
        Peer("bun_batched", "plain", bun, "bun", "batched"),
    ]
