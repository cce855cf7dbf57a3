"""What a run says: a line for each fault, the totals at its end."""

from chaos.checker import CLASSES


def show(seconds):
    return "-" if seconds is None else f"{seconds:.2f} s"


def line(number, text, seen, times):
    """`seen` counts answers and leaves since the fault before; `times` are
    those of `Run.one`."""
    live, durable, mended, back = times
    facts = ", ".join(f"{what} {n}" for what, n in sorted(seen.items()) if n)
    return (f"{number:4} {text}: recovered {show(live)}, durable "
            f"{show(durable)}, over after {mended:.1f} s, all well "
            f"{back:.2f} s later; {facts}")


def totals(run):
    """Whether nothing was wrong."""
    run.say("")
    run.say(f"{'fault':14} {'count':>5} {'p50':>8} {'p99':>8} {'max':>8} "
            f"{'failed':>6}")
    passed = failed = 0
    for kind, results in sorted(run.results.items()):
        took = sorted(t for t, _ in results if t is not None)
        bad = sum(wrong for _, wrong in results)
        failed, passed = failed + bad, passed + len(results) - bad
        figures = [took[len(took) // 2], took[int(len(took) * 0.99)],
                   took[-1]] if took else [None] * 3
        run.say(f"{kind:14} {len(results):5} "
                f"{' '.join(f'{show(f):>8}' for f in figures)} {bad:6}")
    counted = run.checker.counted
    run.say(f"{counted['committed']} committed, {counted['accepted']} "
            f"accepted, {counted['unavailable']} unavailable, "
            f"{counted['read back']} read back")
    remarks(run)
    found = run.checker.totals()
    run.say(", ".join(f"{kind} {found[kind]}" for kind in CLASSES))
    run.say(f"{passed} passed, {failed} failed")
    return failed == 0


def remarks(run):
    anew = sum(one.fresh_starts for one in run.everyone)
    if anew:
        run.say(f"{anew} resumes refused")
    if run.world.refused_starts:
        run.say(f"{run.world.refused_starts} starts without NATS, tried again")
    if run.world.mended_servers:
        run.say(f"{run.world.mended_servers} restarts of NATS after its disk "
                "was full")
    if not run.world.other:
        run.say("no upgrades: no --other binary was named")
