"""Raw runs in; medians, ratios and a table out."""

import statistics

# The client must not be what is measured.
CLIENT_CPU_LIMIT = 0.9

TITLES = {
    "W1": "W1 join storm: {n} join one room, everyone is told of everyone",
    "W2": "W2 burst fan-out: {events} events at once to {n} members",
    "W3": "W3 paced fan-out: one event per {period} ms to {n} members, "
          "{events} events",
    "W4": "W4 idle memory: slope from {n} to {more} joined connections, "
          "rooms of 10",
}


def good(runs):
    return [run for run in runs if not run["fault"]]


def median(runs, key):
    values = [run[key] for run in good(runs) if key in run]
    return statistics.median(values) if values else None


def record(workload, system, runs):
    """One entry of the JSON output."""
    return {
        "workload": workload,
        "system": system.name,
        "version": runs[0]["version"],
        "n": runs[0]["n"],
        "cpu_s": median(runs, "cpu_s"),
        "wall_s": median(runs, "wall_s"),
        "deliveries": median(runs, "deliveries"),
        "bytes_per_connection": median(runs, "bytes_per_connection"),
        "p50_ms": median(runs, "p50_ms"),
        "p99_ms": median(runs, "p99_ms"),
        "runs": runs,
    }


def ratios(runs, base_runs, key):
    """This system against the base, round by round: above 1, the base uses
    less."""
    base = {run["round"]: run[key] for run in good(base_runs) if key in run}
    return [run[key] / base[run["round"]] for run in good(runs)
            if key in run and base.get(run["round"])]


def spread(values):
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.2f}"
    return (f"{statistics.median(values):.2f} "
            f"({min(values):.2f}-{max(values):.2f})")


def number(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def per_delivery(entry):
    if not entry["cpu_s"] or not entry["deliveries"]:
        return None
    return entry["cpu_s"] / entry["deliveries"] * 1e6


def client_share(runs):
    shares = [run["client_cpu_s"] / run["wall_s"] for run in good(runs)
              if run.get("wall_s")]
    if not shares:
        return "-"
    flag = " !" if max(shares) > CLIENT_CPU_LIMIT else ""
    return f"{max(shares) * 100:.0f} %{flag}"


def speed_rows(entries, base):
    head = ["system", "CPU s", "ratio (range)", "wall s", "us/delivery",
            "frames/client", "p50 ms", "p99 ms", "client CPU"]
    rows = [head]
    for entry in entries:
        frames = median(entry["runs"], "frames")
        rows.append([
            entry["system"], number(entry["cpu_s"], 3),
            spread(ratios(entry["runs"], base["runs"], "cpu_s")),
            number(entry["wall_s"], 3), number(per_delivery(entry), 3),
            number(frames / entry["n"] if frames else None, 1),
            number(entry["p50_ms"], 2), number(entry["p99_ms"], 2),
            client_share(entry["runs"]),
        ])
    return rows


def memory_rows(entries, base):
    head = ["system", "user B/conn", "ratio (range)", "queued B/conn",
            "slab B/conn, both ends"]
    rows = [head]
    for entry in entries:
        runs = entry["runs"]
        rows.append([
            entry["system"], number(entry["bytes_per_connection"], 0),
            spread(ratios(runs, base["runs"], "bytes_per_connection")),
            number(median(runs, "socket_bytes_per_connection"), 0),
            number(median(runs, "slab_bytes_per_connection"), 0),
        ])
    return rows


def print_rows(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [cell.ljust(width) if i == 0 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("  " + "  ".join(cells))


def print_workload(workload, shape, entries):
    print("\n" + TITLES[workload].format(**shape))
    base = next((e for e in entries if e["system"] == "rollcall"), entries[0])
    rows = memory_rows if workload == "W4" else speed_rows
    print_rows(rows(entries, base))
    for entry in entries:
        bad = [run["fault"] for run in entry["runs"] if run["fault"]]
        if bad:
            print(f"  {entry['system']}: {len(bad)} of {len(entry['runs'])} "
                  f"runs broke the gate and do not count: {bad[0]}")
    noise = [run for entry in entries for run in entry["runs"]]
    print(f"  load average {min(r['load_average'] for r in noise):.1f}-"
          f"{max(r['load_average'] for r in noise):.1f}, "
          f"at most {max(r['steal_s'] for r in noise):.2f} s stolen in a run")
