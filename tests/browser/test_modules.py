"""The modules that need no browser, in Node."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent


@pytest.mark.parametrize("name", sorted(
    file.name for file in HERE.glob("*.test.mjs")))
def test_module(name):
    run = subprocess.run(["node", "--test", str(HERE / name)], timeout=120,
                         capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
