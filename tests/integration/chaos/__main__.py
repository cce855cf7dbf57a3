"""`python3 -m chaos --faults 50 --seed 7`: see README.md beside it."""

import argparse
import asyncio
import os
import pathlib
import random
import sys
import tempfile

from chaos import history, network


def arguments(words):
    parser = argparse.ArgumentParser(prog="tests/run chaos")
    parser.add_argument("--faults", type=int, default=50)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--nats", type=int, choices=(1, 3), default=1)
    parser.add_argument("--brief", action="store_true",
                        help="short faults, no long gaps")
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--sessions", type=int, default=6)
    parser.add_argument("--kinds", help="only these, with commas between")
    parser.add_argument("--other", help="a binary of another version, which "
                        "nodes are upgraded to and back from")
    parser.add_argument("--folder", help="where logs and history are kept")
    parser.add_argument("--check", help="judge a history file, then end")
    return parser.parse_args(words)


def check(path):
    checker = history.replay(path)
    for one in checker.violations:
        print(f"{one.kind} at {one.t:.3f}: {one.text}")
    print(", ".join(f"{k} {n}" for k, n in checker.totals().items()))
    return 1 if checker.violations else 0


def main():
    words = sys.argv[1:]
    options = arguments(words)
    if options.check:
        return check(options.check)
    if options.seed is None:
        options.seed = random.randrange(1 << 32)
        words += ["--seed", str(options.seed)]
    if options.folder is None:
        options.folder = tempfile.mkdtemp(prefix="rollcall-chaos-")
        words += ["--folder", options.folder]
    status = network.enter(words)
    if status is not None:
        return status
    # Late, for it looks for the binary; and proxies are not for us.
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "*"
    from chaos.run import Run
    print(f"seed {options.seed}, logs in {options.folder}", flush=True)
    run = Run(pathlib.Path(options.folder), options.seed, options.faults,
              servers=options.nats, people=options.people,
              sessions=options.sessions, brief=options.brief,
              kinds=options.kinds and options.kinds.split(","),
              other=options.other and os.path.abspath(options.other),
              say=lambda line: print(line, flush=True))
    well = asyncio.run(run.go())
    line = (f"--faults {options.faults} --seed {options.seed} --nats "
            f"{options.nats}")
    more = [f"--{name} {value}"
            for name, usual in (("people", 24), ("sessions", 6),
                                ("kinds", None), ("other", None))
            if (value := getattr(options, name)) != usual]
    if options.brief:
        more.append("--brief")
    if more:
        line += " -- " + " ".join(more)
    print(f"replay: tests/run chaos {line}", flush=True)
    return 0 if well else 1


sys.exit(main())
