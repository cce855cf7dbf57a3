"""The load client that asks every few milliseconds, and what it saw."""

import json
import subprocess
import threading
import time


def load_command(binary, secret, workload, port, **options):
    command = [str(binary), "--dialect", "rollcall", "--secret", secret,
               "--workload", workload, "--port", str(port)]
    for key, value in options.items():
        flag = "--" + key.replace("_", "-")
        command += [flag] if value is True else [flag, str(value)]
    return command


def run_load(binary, secret, workload, port, **options):
    """Plays a workload to its end."""
    done = subprocess.run(
        load_command(binary, secret, workload, port, **options),
        capture_output=True, text=True)
    try:
        result = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        raise RuntimeError(f"the client died: {done.stderr.strip()}") from None
    if result["fault"]:
        raise RuntimeError(result["fault"])
    return result


class Answer:
    """One answered question; times in seconds of the steady clock."""

    __slots__ = ("due", "came", "epoch", "code")

    def __init__(self, due, came, epoch, code):
        self.due = due
        self.came = came
        self.epoch = epoch
        self.code = code


class Probe:
    """Started when everyone is in; use it with `with`."""

    def __init__(self, binary, secret, port, observer_port, rooms, period,
                 prefix="probe"):
        self.rooms = rooms
        self.prefix = prefix
        self.answers = [[] for _ in range(rooms)]
        self.epochs = [0] * rooms
        #: The last time that a room's epoch changed.
        self.moved = time.monotonic()
        self.refused = 0
        self.surprises = []
        self.result = None
        run_load(binary, secret, "rooms", port, rooms=rooms, prefix=prefix)
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            load_command(binary, secret, "probe", port, rooms=rooms,
                         prefix=prefix, observer_port=observer_port,
                         period_ms=period),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        self._reader.start()
        self._ready.wait(60)
        self._check()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.finish()
        elif self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def finish(self):
        """Ends the questions; raises where the client saw a fault."""
        if self.result is None:
            self._process.stdin.close()
            self._reader.join(60)
            self._process.wait()
        self._check()
        if self.result is None:
            raise RuntimeError("the client did not end")

    def wait(self, what, condition, seconds=40):
        """Until `condition`, asked again and again."""
        deadline = time.monotonic() + seconds
        while not condition():
            self._check()
            if time.monotonic() > deadline:
                raise RuntimeError(f"waited {seconds} s in vain for {what}")
            time.sleep(0.02)

    def wait_quiet(self, seconds):
        """Until no room has moved for so long, and all are answered."""
        self.wait("quiet", lambda: time.monotonic() - self.moved > seconds
                  and self.all_answered_since(time.monotonic() - 0.5))

    def all_answered_since(self, when):
        """Whether each room has had an answer to a question that was due
        then, or later."""
        return all(one and one[-1].due >= when for one in self.answers)

    def between(self, room, begin, end):
        """The answers to questions that were due then."""
        return [one for one in self.answers[room] if begin <= one.due < end]

    def forget(self):
        """What was answered long ago."""
        for one in self.answers:
            del one[:-100]

    def _check(self):
        if self.result is not None and self.result["fault"]:
            raise RuntimeError(self.result["fault"])
        if self.result is None and self._process.poll() is not None \
                and not self._reader.is_alive():
            raise RuntimeError("the client died")

    def _read(self):
        for line in self._process.stdout:
            if line[0] == "A":
                self._take_answer(line.split())
            elif line[0] == "E":
                _, member, when, what, text = line.rstrip().split(" ", 4)
                self.surprises.append((int(member), int(when) / 1e9, what,
                                       text))
            elif line[0] == "{":
                self.result = json.loads(line)
            else:
                self._ready.set()
        self._ready.set()

    def _take_answer(self, fields):
        room, epoch = int(fields[1]), int(fields[4])
        came = int(fields[3]) / 1e9
        one = Answer(int(fields[2]) / 1e9, came, epoch, fields[5])
        if one.code != "ok":
            self.refused += 1
            return
        if epoch != self.epochs[room]:
            self.epochs[room] = epoch
            self.moved = came
        self.answers[room].append(one)
