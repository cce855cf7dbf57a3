"""A few faults of every kind, from a fixed seed; `tests/run chaos` has more.

Runs the program of its own, for it puts itself into namespaces.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
SEED = 20
FAULTS = 14
#: Two minutes is usual; a busy machine may need more.
SECONDS = 400


@pytest.mark.seconds(SECONDS)
def test_chaos(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "chaos", "--brief", "--faults", str(FAULTS),
         "--seed", str(SEED), "--people", "12", "--folder", str(tmp_path)],
        cwd=HERE, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=SECONDS, env={**os.environ, "PYTHONPATH": str(HERE),
                              "PYTHONDONTWRITEBYTECODE": "1"})
    print(done.stdout, done.stderr)
    assert re.search(r"\d+ copies in stores, [1-9]\d* keys compared",
                     done.stdout)
    assert re.search(r"^(\d+) passed, 0 failed$", done.stdout, re.M)
    assert done.returncode == 0
