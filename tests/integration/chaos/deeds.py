"""What people do: each deed by its share of all."""

import asyncio

#: A short drop is resumed before, a long one after the grace of a drop.
SHORT, LONG = (0.0, 0.5), (2.5, 5.0)


def some_session(person):
    return person.pick.choice(sorted(person.inside))


async def set_live(person):
    await person.ask("set_live", some_session(person),
                     live={"step": next(person.values)})


async def set_member(person):
    """A role that was never set before, of someone who is never there but to
    read it; at times the same request again, late."""
    session, value = some_session(person), f"r{next(person.values)}"
    member = f"m-{person.user}"
    keys = {"register": (member, value), "user": member, "role": value,
            "op_id": f"{person.user}.{session}.{value}"}
    answer = await person.insist("set_member", session, **keys)
    if answer and answer["ok"] and person.pick.random() < 0.3:
        await person.ask("set_member", session, again=True, **keys)


async def configure(person):
    """Capacities that bar nobody."""
    mine = [s for s in sorted(person.inside)
            if s == f"s{person.user[1:]}"]
    if not mine:
        return await set_live(person)
    value = 1000 + next(person.values)
    await person.insist("configure_session", mine[0],
                        register=("capacity", value),
                        settings={"capacity": value})


async def leave(person):
    session = some_session(person)
    person.wants[session] = False
    await person.leave(session)
    await asyncio.sleep(person.pick.uniform(0, 3))
    person.wants[session] = True


async def drop_shortly(person):
    person.drop()
    await asyncio.sleep(person.pick.uniform(*SHORT))


async def drop_for_long(person):
    person.drop()
    await asyncio.sleep(person.pick.uniform(*LONG))


async def close(person):
    await person.goodbye()
    await asyncio.sleep(person.pick.uniform(0, 3))


async def fall_silent(person):
    """Open, but without a sign of life, until the server has enough."""
    client = person.client
    client.silence()
    for session in person.inside:
        person.note("ended", user=person.user, session=session,
                    participant=person.participant, how="silence")
    try:
        await client.until(lambda: client.closed, seconds=12)
    except AssertionError:
        pass
    if person.client is client:
        person.drop("silence")
        person.begin_anew()


async def kick(person):
    """Someone else, who will come back."""
    session = some_session(person)
    others = [who for who, one in person.client[session].people.items()
              if who != person.participant
              and not str(one.get("user", "")).startswith("probe")]
    if not others:
        return
    who = person.pick.choice(sorted(others))
    person.note("kick_asked", session=session, participant=who)
    answer = await person.insist("kick", session, participant_id=who)
    if answer and answer["ok"]:
        person.note("kicked", session=session, participant=who,
                    at=answer["at"])


async def transfer_host(person):
    session = some_session(person)
    others = sorted(who for who in person.client[session].people)
    if others:
        await person.insist("transfer_host", session,
                            participant_id=person.pick.choice(others))


DEEDS = {set_live: 46, set_member: 18, configure: 5, leave: 8,
         drop_shortly: 7, drop_for_long: 4, close: 4, fall_silent: 2,
         kick: 3, transfer_host: 3}


async def deed(person):
    if not person.inside:
        return
    one = person.pick.choices(list(DEEDS), list(DEEDS.values()))[0]
    await one(person)
