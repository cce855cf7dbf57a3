"""Two people in a session with short spans: where most tests begin."""

DIALECTS = ["json", "msgpack"]
#: The shortest spans that leave room for a busy machine.
FAST = {"identity": "named", "membership": "durable", "host": "appointed",
        "beat_ms": 1000, "suspect_after_ms": 1200, "timeout_ms": 2500,
        "drop_grace_ms": 1000, "host_reclaim_ms": 300}


async def two(crew, session, settings=FAST, kind="stage", dialects=DIALECTS):
    """Ann, who made the session, and Bob; both have the roster."""
    ann = await crew.connect("ann", dialect=dialects[0])
    answer = await ann.ask("create_session", session=session, kind=kind,
                           settings=settings)
    assert answer["level"] == "committed"
    bob = await crew.connect("bob", dialect=dialects[1])
    await ann.join(session)
    await bob.join(session)
    await ann.until(lambda: ann[session].who() == ["ann", "bob"])
    await bob.until(lambda: bob[session].who() == ["ann", "bob"])
    return ann, bob


async def agree(session, *clients, at=(0, 0)):
    """All are at one version, `at` or later, and hold one roster."""
    def same():
        first = clients[0][session]
        return first.at >= list(at) and all(
            (c[session].at, c[session].people, c[session].host,
             c[session].total, c[session].phase, c[session].barrier,
             c[session].rounds)
            == (first.at, first.people, first.host, first.total, first.phase,
                first.barrier, first.rounds)
            for c in clients)
    for client in clients:
        await client.until(same)
