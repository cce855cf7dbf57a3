"""What this machine was doing while something was measured."""

import os
import platform


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
