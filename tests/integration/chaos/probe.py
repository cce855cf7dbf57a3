"""One client at each node that never leaves: observes, asks, measures."""

import asyncio
import contextlib
import itertools
import time

from chaos.person import Person
from client import Gone

#: For so long an answer is waited for; the same is asked again, elsewhere,
#: much sooner, so that the time measured is the cluster's and not ours.
PATIENCE = 1.5
SPACING = 0.25
_numbers = itertools.count(1 << 40)


class Probe(Person):
    """Stays at its node, whatever happens to it; does nothing by itself."""

    def places(self):
        return [self.world.nodes[self.home]]

    async def question(self, op, session, register=None, op_id=None,
                       again=False, **keys):
        """Whether it was answered in short time, and well."""
        client = self.client
        if client is None or client.closed is not None \
                or session not in self.inside:
            return False
        number = next(_numbers)
        key, value = register or (None, None)
        self.note("asked", number=number, user=self.user, session=session,
                  op=op, key=key, value=value, op_id=op_id, again=again)
        if op_id:
            keys["op_id"] = op_id
        try:
            answer = await asyncio.wait_for(
                client.post(op, session=session, **keys), PATIENCE)
        except (Gone, asyncio.TimeoutError):
            self.note("unanswered", number=number, node=self.node.name,
                      open_still=False)
            return False
        if not answer["ok"]:
            self.note("refused", number=number, code=answer["error"]["code"])
            return False
        self.note("answered", number=number, at=answer["at"],
                  level=answer["level"])
        return True


async def first_answer(probes, session, number, durable, begin, limit):
    """Seconds since `begin` until one of the probes was told yes; None if
    none was."""
    keys = {"op": "set_live", "live": {"probe": number}}
    if durable:
        value = f"q{number}"
        keys = {"op": "set_member", "user": "m-probe", "role": value,
                "register": ("m-probe", value), "op_id": f"q.{number}"}
    answered = asyncio.Event()

    async def attempt(probe, again):
        if await probe.question(session=session, again=again, **keys):
            answered.set()

    attempts = []
    while not answered.is_set() and time.monotonic() - begin < limit:
        probe = probes[len(attempts) % len(probes)]
        attempts.append(asyncio.create_task(
            attempt(probe, bool(attempts))))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(answered.wait(), SPACING)
    took = time.monotonic() - begin
    await asyncio.gather(*attempts)
    return took if answered.is_set() else None


async def slowest(probes, sessions, number, durable, begin=None, limit=60.0):
    """The slowest session's first answer; None if one had none."""
    begin = begin or time.monotonic()
    took = await asyncio.gather(*(
        first_answer(probes, session, number, durable, begin, limit)
        for session in sessions))
    return None if None in took else max(took)
