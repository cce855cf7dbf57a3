"""What this machine was doing while something was measured."""

import collections
import os
import platform
import resource
import threading
import time


def load_average():
    return os.getloadavg()[0]


def steal_seconds():
    """Time the hypervisor kept from us so far, over all cores."""
    with open("/proc/stat") as stat:
        ticks = int(stat.readline().split()[8])
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_model():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def memory_gib():
    pages = os.sysconf("SC_PHYS_PAGES")
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30


def description():
    return (f"{os.cpu_count()} cores of {cpu_model()}, "
            f"{memory_gib():.0f} GiB, Linux {platform.release()}")


# -- neighbours ---------------------------------------------------------------

TICK = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 2


def process_times():
    """Every process: (name, parent, CPU seconds so far)."""
    found = {}
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        try:
            with open(f"/proc/{entry.name}/stat") as stat:
                head, _, tail = stat.read().rpartition(")")
        except OSError:
            continue
        fields = tail.split()
        spent = (int(fields[11]) + int(fields[12])) / TICK
        found[int(entry.name)] = (head.split("(", 1)[1], int(fields[1]), spent)
    return found


def busy_seconds():
    """CPU time that all processes together have used, over all cores."""
    with open("/proc/stat") as stat:
        fields = [int(field) for field in stat.readline().split()[1:]]
    user, nice, system, _, _, irq, softirq = fields[:7]
    return (user + nice + system + irq + softirq) / TICK


class Neighbours:
    """What else ran while something was measured; use it with `with`.

    A process that came and went between two looks is missing by name, but
    not in `others_cores`."""

    def __enter__(self):
        self._end = threading.Event()
        self._spent = collections.Counter()
        self._loads = [load_average()]
        self._begin = (time.monotonic(), busy_seconds(), self._ours())
        self._steal = steal_seconds()
        self._last = process_times()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
        self._look()
        wall = time.monotonic() - self._begin[0]
        busy = busy_seconds() - self._begin[1]
        ours = self._ours() - self._begin[2]
        self.report = {
            "wall_s": round(wall, 1),
            "load_average": [round(min(self._loads), 1),
                             round(max(self._loads), 1)],
            "steal_s": round(steal_seconds() - self._steal, 2),
            "our_cores": round(ours / wall, 2),
            "others_cores": round(max(0, busy - ours) / wall, 2),
            "busiest_others": {name: round(spent / wall, 2) for name, spent
                               in self._spent.most_common(4)
                               if spent / wall >= 0.01},
        }

    def _ours(self):
        """Ourselves, our living children, and those that have ended."""
        me = os.getpid()
        living = sum(spent for _, parent, spent in process_times().values()
                     if parent == me)
        return living + sum(
            usage.ru_utime + usage.ru_stime
            for usage in map(resource.getrusage, (resource.RUSAGE_SELF,
                                                  resource.RUSAGE_CHILDREN)))

    def _watch(self):
        while not self._end.wait(LOOK_SECONDS):
            self._look()

    def _look(self):
        me = os.getpid()
        now = process_times()
        for pid, (name, parent, spent) in now.items():
            if pid != me and parent != me:
                before = self._last.get(pid, (name, parent, 0))[2]
                self._spent[name] += max(0, spent - before)
        self._last = now
        self._loads.append(load_average())


def tell_neighbours(report):
    low, high = report["load_average"]
    names = ", ".join(f"{name} {cores:.2f}" for name, cores
                      in report["busiest_others"].items())
    return (f"load average {low}-{high}; cores used: {report['our_cores']} by "
            f"this benchmark, {report['others_cores']} by others"
            + (f" ({names})" if names else ""))
