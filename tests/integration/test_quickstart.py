"""The command line: what a person meets first."""

import re
import signal
import socket

import pytest

from client import Crew
from node import run


def write(folder, text):
    path = folder / "rollcall.toml"
    path.write_text(text)
    return path


def test_version():
    status, out, errors = run("--version")
    assert status == 0 and errors == ""
    assert re.fullmatch(r"rollcalld \d+\.\d+\.\d+\S*\n", out)


def test_help_names_every_flag():
    status, out, _ = run("--help")
    assert status == 0
    for flag in ("--config", "--quickstart", "--server-listen"):
        assert flag in out


def test_default_config_feeds_back(tmp_path):
    status, out, errors = run("--print-default-config")
    assert status == 0 and errors == ""
    for name in ("token", "ids"):
        secret = tmp_path / f"{name}.secret"
        secret.write_text("x" * 40)
        secret.chmod(0o600)
    path = write(tmp_path, out)
    status, out, errors = run(
        "--config", path, "--check-config",
        "--tokens-secret-file", tmp_path / "token.secret",
        "--ids-secret-file", tmp_path / "ids.secret")
    assert (status, out, errors) == (0, "ok\n", "")


def test_check_config_asks_for_secrets(tmp_path):
    status, _, errors = run("--check-config", "--data-dir", tmp_path / "d")
    assert status != 0
    assert "tokens.secret" in errors and "ids.secret" in errors
    assert not (tmp_path / "d").exists(), "starts nothing"


BAD = {
    "unknown-key": ("[server]\nlisen = \"127.0.0.1:1\"\n",
                    ["lisen", "listen"]),
    "unknown-table": ("[sever]\nlisten = \"127.0.0.1:1\"\n", ["sever"]),
    "unit": ("shutdown_grace = \"10\"\n", ["shutdown_grace"]),
    "range": ("[engine]\ntick = \"50ms\"\n", ["engine.tick", "5ms"]),
    "type": ("[engine]\npartitions = \"64\"\n", ["partitions"]),
    "syntax": ("[engine\n", ["1"]),
    "twice": ("name = \"a\"\nname = \"b\"\n", ["name"]),
    "kind": ("[kinds.board]\nbeat = \"1m\"\nsuspect_after = \"30s\"\n",
             ["suspect_after"]),
    "kind-key": ("[kinds.board]\ncapasity = 1\n", ["capasity", "capacity"]),
    "base": ("[kinds.x]\nbase = \"bord\"\n", ["bord"]),
}


@pytest.mark.parametrize("name", BAD)
def test_check_config_names_what_is_wrong(tmp_path, name):
    text, words = BAD[name]
    path = write(tmp_path, text)
    status, out, errors = run("--config", path, "--check-config",
                              "--quickstart")
    assert status != 0 and "ok\n" not in out
    said = out + errors
    for word in [*words, path.name]:
        assert word in said, said


def test_all_errors_at_once(tmp_path):
    path = write(tmp_path, "nme = \"a\"\n[engine]\ntick = \"1s\"\n")
    _, out, errors = run("--config", path, "--check-config", "--quickstart")
    assert "nme" in out + errors and "tick" in out + errors


def test_missing_config_file(tmp_path):
    status, _, errors = run("--config", tmp_path / "none.toml",
                            "--check-config")
    assert status != 0 and "none.toml" in errors


def test_unknown_flag_suggests_the_nearest():
    status, _, errors = run("--server-lisen", "127.0.0.1:0")
    assert status != 0 and "--server-lisen" in errors
    assert "--server-listen" in errors


def test_world_readable_secret_is_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x" * 40)
    secret.chmod(0o644)
    status, out, errors = run("--check-config", "--tokens-secret-file",
                              secret, "--ids-secret-file", secret)
    assert status != 0 and str(secret) in out + errors
    assert "chmod" in out + errors


def test_short_secret_is_refused(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("x" * 31)
    secret.chmod(0o600)
    status, out, errors = run("--check-config", "--tokens-secret-file",
                              secret, "--ids-secret-file", secret)
    assert status != 0 and "32" in out + errors
    assert "x" * 31 not in out + errors


def test_port_in_use(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, errors = run(
            "--quickstart", "--data-dir", tmp_path / "d",
            "--server-listen", f"127.0.0.1:{port}")
    assert status != 0
    assert str(port) in errors and "in use" in errors
    assert len(errors.splitlines()) == 1, errors


def test_beyond_loopback_without_tls_is_refused(tmp_path):
    status, out, errors = run("--check-config", "--quickstart",
                              "--data-dir", tmp_path / "d",
                              "--server-listen", "0.0.0.0:0")
    assert status != 0 and "allow_plaintext" in out + errors


def test_unwritable_data_directory():
    status, _, errors = run("--quickstart", "--data-dir", "/proc/rollcall",
                            "--server-listen", "127.0.0.1:0")
    assert status != 0 and "/proc/rollcall" in errors


async def test_printed_links_let_three_people_in(node):
    links = re.findall(r"#session=(\w+)\S*&token=(\S+)", node.said())
    assert len(links) == 3 and {s for s, _ in links} == {"demo"}
    async with Crew(node) as crew:
        people = [await crew.connect(token=token) for _, token in links]
        for person in people:
            await person.join("demo", create="party")
        await people[0].until(lambda: people[0]["demo"].present == 3)
        names = [one["name"]
                 for one in people[0]["demo"].people.values()]
        assert sorted(names) == ["Alex", "Kim", "Robin"]


def test_restart_keeps_secrets(make_node):
    node = make_node().start()
    secret, ids = node.secret, (node.data / "id.secret").read_bytes()
    assert (node.data / "token.secret").stat().st_mode & 0o077 == 0
    node.end()
    node.start()
    assert node.secret == secret
    assert (node.data / "id.secret").read_bytes() == ids


def test_sigint_ends_it(make_node):
    node = make_node().start()
    assert node.end(signal.SIGINT) == 0
