"""What the pages show is what happens: the conversation of docs/protocol.md
and the commands of the README."""

import json
import re
import shlex
import subprocess

import websockets

from node import ROOT
from rest import PATIENCE

PAGE = (ROOT / "docs/protocol.md").read_text()
README = (ROOT / "README.md").read_text()


def lines():
    """(who, what) of the conversation; in a map `…` stands for more keys."""
    text = PAGE.split("## A conversation", 1)[1].split("```")[1]
    for line in text.strip().splitlines():
        yield line[0], json.loads(line[2:].replace(", …}", ', "…": 0}'))


def fits(want, got):
    """Whether this is what the page says; numbers are of their moment."""
    if isinstance(want, dict):
        keys = set(want) - {"…"}
        known = keys < set(got) if "…" in want else keys == set(got)
        return known and all(fits(want[key], got[key]) for key in keys)
    if isinstance(want, list):
        return len(want) == len(got) and all(map(fits, want, got))
    if isinstance(want, str) and want.endswith("…"):
        return isinstance(got, str) and len(got) > len(want)
    if isinstance(want, int) and not isinstance(want, bool):
        return isinstance(got, int) and (want > 1_000_000 or want == got)
    return want == got


async def test_the_conversation_is_what_happens(node):
    said = list(lines())
    assert [who for who, _ in said].count(">") >= 4
    async with websockets.connect(
            node.url, subprotocols=["rollcall.v1.json"],
            extra_headers={"Authorization": "Bearer " + node.token(
                "ada", name="Ada")}) as socket:
        for who, what in said:
            if who == ">":
                await socket.send(json.dumps(what))
            else:
                got = json.loads(await socket.recv())
                assert fits(what, got), (what, got)


def test_what_does_not_fit_is_noticed():
    want = {"a": 1, "b": {"c": "x…", "…": 0}, "d": [True, None]}
    assert fits(want, {"a": 1, "b": {"c": "xyz", "e": 5}, "d": [True, None]})
    for wrong in ({"a": 2}, {"b": {"c": "xyz"}}, {"b": {"e": 5}},
                  {"d": [True]}, {"d": [False, None]}, {"f": 1}):
        assert not fits(want, {"a": 1, "b": {"c": "xyz", "e": 5},
                               "d": [True, None], **wrong}), wrong


def test_the_commands_of_the_readme(node):
    """With the token of a printed link."""
    token = re.search(r"token=(\S+)", node.said())[1]
    block = next(one for one in README.split("```sh\n")[1:] if "curl" in one)
    commands = [re.sub(r"\s+# .*", "", line) for line in block.split("```")[
        0].replace("\\\n", " ").strip().splitlines()]
    answers = []
    for command in commands:
        words = shlex.split(command.replace("$token", token).replace(
            "localhost:7400", f"127.0.0.1:{node.port}"))
        done = subprocess.run([*words, "--silent", "--noproxy", "*",
                               "--max-time", str(PATIENCE)],
                              capture_output=True, check=True)
        answers.append(json.loads(done.stdout))
    joined, page = answers
    assert joined["kind"] == "party" and joined["lease_ms"] == 45_000
    assert [one["participant_id"] for one in page["participants"]] == [
        joined["participant_id"]]
