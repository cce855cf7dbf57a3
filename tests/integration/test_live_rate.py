"""A rate for the live updates of one participant, whatever way they come."""

import asyncio
import json
import time
from functools import partial

import pytest

from client import Crew
from people import DIALECTS
from rest import Rest, path
from test_boards import Person

# So slow that a test which takes a second or two gains nothing by it.
SLOW = {"live_rate": 1, "live_burst": 6}


def there(session, *more):
    return path("v1", "sessions", session, *more)


async def until_refused(send):
    """How many were taken before one was not, and how that was said."""
    for taken in range(20):
        refusal = await send(taken)
        if refusal:
            return taken, refusal
    raise AssertionError("never refused")


async def test_over_every_way_in(node, session):
    ada = Rest(node, "ada")
    ada.create(session, kind="board", identity="named", **SLOW)
    assert ada.session(session)["settings"]["live_rate"] == 1
    async with Crew(node) as crew:
        one, two = [await crew.connect("ada", dialect=each)
                    for each in DIALECTS]
        ben = await crew.connect("ben")
        for person in (one, two, ben):
            await person.join(session)
        assert ada("POST", there(session, "join")).status == 200
        page = await Person.open(node, session, "ada")
        await page.join()

        async def by_socket(socket, n):
            answer = await socket.ask_any("set_live", session=session,
                                          live={"n": n})
            return answer.get("error")

        async def by_rest(n):
            answer = await asyncio.to_thread(
                ada, "PATCH", there(session, "live"), {"live": {"n": n}})
            if answer.status == 200:
                return None
            assert answer.problem() == (429, "rate_limited", "live")
            assert int(answer.headers["Retry-After"]) == 1
            return answer.json

        async def by_words(n):
            await page.say("status-update", participantId="ada",
                           updates={"n": 100 + n})
            while True:
                said = json.loads(await page.socket.recv())
                if said["name"] == "error":
                    return said["data"]
                if said["data"].get("updates", {}).get("n") == 100 + n:
                    return None

        began, taken = time.monotonic(), 0
        for way in (partial(by_socket, one), partial(by_socket, two),
                    by_rest, by_words):
            more, refusal = await until_refused(way)
            taken += more
            assert (refusal["code"], refusal["field"]) == (
                "rate_limited", "live")
            assert 1 <= refusal["retry_after_ms"] <= 1000
        assert 6 <= taken <= 6 + 1 + (time.monotonic() - began)
        # Others have a budget of their own, and nobody has left.
        await ben.ask("set_live", session=session, live={"n": 1})
        assert ben[session].one("ada")["connections"] == 4
        await asyncio.sleep(refusal["retry_after_ms"] / 1000 + 0.05)
        await two.ask("set_live", session=session, live={"n": "again"})
        await ben.until(
            lambda: ben[session].one("ada")["live"]["n"] == "again")
        await page.socket.close()


async def test_it_is_kept_and_may_be_changed(make_node):
    node = make_node().start()
    ada = Rest(node, "ada")
    ada.create("s", kind="board")
    settings = ada.session("s")["settings"]
    assert (settings["live_rate"], settings["live_burst"]) == (10, 20)
    changed = ada("PATCH", there("s"), {"settings": {"live_rate": 3,
                                                     "live_burst": 4}})
    assert changed.status == 200
    assert node.end() == 0
    node.start()
    node.await_ready()
    settings = ada.session("s")["settings"]
    assert (settings["live_rate"], settings["live_burst"]) == (3, 4)
    assert ada("PATCH", there("s"), {"settings": {"live_rate": 0}}
               ).status == 200
    assert "live_rate" not in ada.session("s")["settings"]


@pytest.mark.parametrize("key, wrong", [
    ("live_rate", 1001), ("live_rate", -1), ("live_rate", "5"),
    ("live_burst", 0), ("live_burst", 1001)])
def test_bounds(node, session, key, wrong):
    refused = Rest(node, "ada")("POST", "/v1/sessions", {
        "session": session, "kind": "board", "settings": {key: wrong}})
    assert refused.problem() == (400, "bad_request", f"settings.{key}")
