"""Two people in a session who do nothing but be there, and look."""

import asyncio
import threading
import time

from client import Client

SETTINGS = {"identity": "named", "live_rate": 0, "beat_ms": 1000,
            "suspect_after_ms": 5000,
            "timeout_ms": 10000, "drop_grace_ms": 1000}
SLOW_SECONDS = 3


class Bystanders:
    def __init__(self, node):
        self.node = node
        self.rounds = 0
        self.slowest = 0
        self.stopping = False
        self.trouble = None
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()
        assert self.ready.wait(10) and self.trouble is None, self.trouble
        return self

    def run(self):
        try:
            asyncio.run(self.watch())
        except BaseException as e:  # told to whoever stops us
            self.trouble = e
        self.ready.set()

    async def watch(self):
        url, token = self.node.url, self.node.token
        one = await Client.open(url, token("one"), "json")
        two = await Client.open(url, token("two"), "msgpack")
        await one.ask("create_session", session="bystanders", kind="board",
                      settings=SETTINGS)
        await one.join("bystanders")
        await two.join("bystanders")
        await one.until(lambda: one["bystanders"].present == 2)
        self.ready.set()
        while not self.stopping:
            began = time.monotonic()
            self.rounds += 1
            await one.ask("set_live", session="bystanders",
                          live={"round": self.rounds})
            await two.until(lambda: two["bystanders"].one("one").get(
                "live", {}).get("round") == self.rounds)
            self.slowest = max(self.slowest, time.monotonic() - began)
            await asyncio.sleep(0.05)
        for client in (one, two):
            client.check()
            assert client.closed is None, client.closed
            types = set(client["bystanders"].types())
            assert types <= {"live", "joined", "activity"}, types
            assert client["bystanders"].who() == ["one", "two"]
            assert client["bystanders"].snapshots == ["attached"]
        await asyncio.gather(one.close(), two.close())

    def stop(self):
        """Ends the watch; raises what the two have noticed."""
        self.stopping = True
        self.thread.join(15)
        assert not self.thread.is_alive()
        if self.trouble is not None:
            raise self.trouble
        assert self.rounds > 0 and self.slowest < SLOW_SECONDS, self.slowest
