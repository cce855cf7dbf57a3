"""Who may see and do what: views, roles, hosts, locks, ends, pages."""

import asyncio

import pytest

from client import Crew
from people import DIALECTS, FAST, agree, two


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_views_events_and_count(node, session, dialect):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.join(session, create="stream")
        events = await crew.connect("eve", dialect=dialect)
        count = await crew.connect("cat", dialect=dialect)
        answer = await events.attach(session, view="events")
        assert answer["view"] == "events"
        await count.attach(session, view="count")
        assert (count[session].present, count[session].total) == (1, 1)
        bob = await crew.connect("bob")
        joined = await bob.join(session)
        await count.until(lambda: count[session].present == 2)
        await events.until(lambda: events.changes(session, "joined"))
        change, = events.changes(session, "joined")
        assert change["participant_id"] == joined["participant_id"]
        assert change["present"] == 2
        await bob.ask("leave", session=session)
        await events.until(lambda: events.changes(session, "left"))
        assert events.changes(session, "left")[0]["reason"] == "left"
        await count.until(lambda: count[session].present == 1)
        await count.ask("detach", session=session)


async def test_pseudonymous_hides_users(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.join(session, create="stream")
        bob = await crew.connect("bob", claims={"name": "Bob"})
        await bob.join(session)
        await ann.until(lambda: ann[session].present == 2)
        assert ann[session].one("bob")["name"] == "Bob", "a moderator sees"
        assert all("user" not in one and "name" not in one
                   for one in bob[session].people.values())
        page = await bob.ask("get_roster", session=session)
        assert all("user" not in one for one in page["participants"])


async def test_count_only_reduces_the_view(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session=session, kind="stream",
                      settings={"identity": "count_only"})
        bob = await crew.connect("bob")
        answer = await bob.attach(session)
        assert answer["view"] == "count"
        assert bob[session].view == "count"
        await bob.join(session)
        assert bob[session].view == "count"
        error = await bob.refused("get_roster", session=session)
        assert error["code"] == "forbidden"


async def test_kick(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        error = await bob.refused("kick", session=session, user="ann")
        assert error["code"] == "forbidden"
        answer = await ann.ask("kick", session=session, user="bob")
        assert answer["present"] == 1
        await ann.until(lambda: ann[session].who() == ["ann"])
        assert ann.changes(session, "left")[0]["reason"] == "kicked"
        await bob.until(lambda: bob.directs)
        assert bob.directs[0] == {"push": "direct", "session": session,
                                  "type": "removed", "reason": "kicked"}
        await bob.until(lambda: bob.closed)
        assert bob.closed == 3502 and bob.bye["reason"] == "kicked"
        assert bob.bye["reconnect"] is False


async def test_kick_leaves_other_sessions_alone(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await bob.join(session + "b", create="board")
        await ann.ask("kick", session=session, user="bob")
        await bob.until(lambda: bob.directs)
        await bob.ask("set_live", session=session + "b", live={"a": 1})
        await bob.until(lambda: bob.changes(session + "b", "live"))
        assert bob.closed is None


async def test_kick_by_participant_id(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await ann.ask("kick", session=session,
                      participant_id=bob.welcome["participant_id"])
        await ann.until(lambda: ann[session].who() == ["ann"])
        error = await ann.refused("kick", session=session, user="bob",
                                  participant_id="x")
        assert error["code"] == "bad_request"
        error = await ann.refused("kick", session=session)
        assert error["code"] == "bad_request"


async def test_duplicates_kick_old(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session,
                             {**FAST, "duplicates": "kick_old"})
        again = await crew.connect("bob")
        await again.join(session)
        await bob.until(lambda: bob.directs or bob.closed)
        if bob.directs:
            assert bob.directs[0]["reason"] == "replaced"
        await agree(session, ann, again)
        assert ann[session].one("bob")["connections"] == 1
        assert ann[session].types("left", "joined") == ["joined"]


async def test_duplicates_reject_new(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session,
                             {**FAST, "duplicates": "reject_new"})
        again = await crew.connect("bob")
        error = await again.refused("join", session=session)
        assert error["code"] == "conflict"
        await bob.ask("heartbeat")
        bob.drop()
        await ann.until(lambda: ann.changes(session, "suspected"))
        await again.join(session)
        await ann.until(lambda: ann.changes(session, "resumed"))
        assert ann[session].types("left") == []


async def test_transfer_host(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        answer = await ann.ask("transfer_host", session=session, user="bob")
        assert answer["level"] == "committed"
        host = bob.welcome["participant_id"]
        await ann.until(lambda: ann[session].host == host)
        await bob.until(lambda: bob[session].host == host)
        answer = await bob.ask("transfer_host", session=session, user="ann")
        await agree(session, ann, bob, at=answer["at"])
        assert ann[session].host == ann.welcome["participant_id"]


async def test_oldest_present_becomes_host(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session,
                             {**FAST, "host": "oldest_present"})
        await bob.until(lambda: bob[session].host
                        == ann.welcome["participant_id"])
        await ann.close()
        await bob.until(lambda: bob[session].host
                        == bob.welcome["participant_id"])


async def test_roles(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        answer = await ann.ask("set_member", session=session, user="bob",
                               role="moderator", permissions=["draw", "talk"])
        assert answer["level"] == "committed"
        await bob.until(lambda: bob[session].one("bob").get("role")
                        == "moderator")
        assert sorted(bob[session].one("bob")["permissions"]) == [
            "draw", "talk"]
        eve = await crew.connect("eve")
        joined = await eve.join(session)
        assert "moderate" not in joined["rights"]
        await bob.ask("kick", session=session, user="eve")
        await eve.until(lambda: eve.directs)
        await ann.ask("set_member", session=session, user="bob", role="guest")
        await bob.until(
            lambda: bob[session].one("bob").get("role") == "guest")
        error = await bob.refused("kick", session=session, user="ann")
        assert error["code"] == "forbidden"
        await agree(session, ann, bob)


async def test_private_session_does_not_exist_for_outsiders(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session=session, kind="meeting")
        await ann.ask("set_member", session=session, user="bob",
                      role="guest")
        bob = await crew.connect("bob")
        await bob.join(session)
        eve = await crew.connect("eve")
        never = await eve.refused("attach", session=session + "-never")
        for op in ("attach", "join", "get_roster"):
            error = await eve.refused(op, session=session)
            assert error["code"] == "not_found", (op, error)
        error = await eve.refused("attach", session=session)
        assert error == never


async def test_capacity(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session, {**FAST, "capacity": 2})
        eve = await crew.connect("eve")
        error = await eve.refused("join", session=session)
        assert error["code"] == "session_full"
        other = await crew.connect("bob")
        await other.join(session)
        await other.close()
        await bob.ask("leave", session=session)
        await eve.join(session)
        await ann.until(lambda: ann[session].who() == ["ann", "eve"])


async def test_locked(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        await ann.ask("configure_session", session=session,
                      settings={"locked": True})
        await bob.until(lambda: bob[session].settings["locked"])
        eve = await crew.connect("eve")
        error = await eve.refused("join", session=session)
        assert error["code"] == "session_locked"
        error = await bob.refused("configure_session", session=session,
                                  settings={"locked": False})
        assert error["code"] == "forbidden"
        await agree(session, ann, bob)


async def test_end_session(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        eve = await crew.connect("eve")
        await eve.attach(session)
        answer = await ann.ask("end_session", session=session)
        assert answer["level"] == "committed" and answer["present"] == 0
        await bob.until(lambda: bob.directs)
        assert bob.directs[0]["reason"] == "session_ended"
        await eve.until(lambda: eve[session].ended)
        assert eve[session].who() == [] and eve[session].host is None
        assert {c["reason"] for c in eve.changes(session, "left")} == {
            "session_ended"}
        error = await bob.refused("join", session=session)
        assert error["code"] == "session_ended"
        error = await ann.refused("configure_session", session=session,
                                  settings={"locked": True})
        assert error["code"] == "session_ended"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_roster_pages(node, session, dialect):
    async with Crew(node) as crew:
        ann, _ = await two(crew, session)
        others = await asyncio.gather(
            *(crew.connect(f"u{n}") for n in range(23)))
        await asyncio.gather(*(c.join(session, view="none") for c in others))
        await ann.until(lambda: ann[session].present == 25)
        reader = await crew.connect("bob", dialect=dialect)
        seen, pages, after = [], 0, {}
        while True:
            page = await reader.ask("get_roster", session=session, limit=10,
                                    **after)
            assert page["present"] == 25 and len(page["participants"]) <= 10
            seen += [one["participant_id"] for one in page["participants"]]
            pages += 1
            if "next" not in page:
                break
            after = {"after": page["next"]}
        assert pages == 3 and len(set(seen)) == 25
        assert seen == list(ann[session].people)


async def test_op_id_has_one_effect(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        keys = dict(session=session, user="bob", role="moderator", op_id="o1")
        first = await ann.ask("set_member", **keys)
        then = await ann.ask("set_member", session=session, user="bob",
                             role="guest")
        again = await ann.ask("set_member", **keys)
        assert first["at"] <= again["at"] <= then["at"]
        await agree(session, ann, bob, at=then["at"])
        assert ann[session].one("bob")["role"] == "guest"
        made = await ann.ask("create_session", session=session + "b",
                             kind="board", op_id="c1")
        remade = await ann.ask("create_session", session=session + "b",
                               kind="board", op_id="c1")
        assert made["at"] == remade["at"]
        error = await ann.refused("create_session", session=session + "b",
                                  kind="board", op_id="c2")
        assert error["code"] == "conflict"


async def test_op_id_repetition_has_the_same_answer(node, session):
    async with Crew(node) as crew:
        ann, _ = await two(crew, session)
        keys = dict(session=session, user="bob", role="moderator", op_id="o1")
        first = await ann.ask("set_member", **keys)
        await ann.ask("set_member", session=session, user="bob", role="guest")
        again = await ann.ask("set_member", **keys)
        assert again["at"] == first["at"]


async def test_create_needs_the_right(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann", claims={"grants": None})
        error = await ann.refused("create_session", session=session,
                                  kind="board")
        assert error["code"] == "forbidden"
        # Not forbidden, which would tell this one from a private session.
        error = await ann.refused("join", session=session, create="board")
        assert error["code"] == "not_found"
        error = await ann.refused("join", session=session)
        assert error["code"] == "not_found"
