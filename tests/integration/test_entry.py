"""Who gets in and who is kept out: access, bans, members, what a change of
rights does to connections that stand."""

import asyncio
import signal

from client import Crew
from node import ALL_RIGHTS
from people import FAST, agree, two


async def refused(client, op, **keys):
    return (await client.refused(op, **keys))["code"]


# -- bans ---------------------------------------------------------------------

async def test_ban_removes_keeps_out_and_closes(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        answer = await ann.ask("ban", session=session, user="bob",
                               for_ms=3_600_000, reason="too loud")
        assert answer["level"] == "committed" and answer["present"] == 1
        await bob.until(lambda: bob.closed)
        assert bob.closed == 3503
        assert bob.directs[0]["reason"] == "banned"
        assert bob.bye == {"push": "bye", "code": 3503, "reason": "banned",
                           "reconnect": False}
        again = await crew.connect("bob")
        for op in ("join", "attach", "get_roster"):
            assert await refused(again, op, session=session) == "banned"
        word, = await ann.until(lambda: [
            each for each in ann.changes(session, "member")
            if "banned" in each])
        assert word["changed"] == ["banned"] and word["banned"] is True
        page = await ann.ask("get_bans", session=session)
        ban, = page["bans"]
        assert (ban["user"], ban["by"], ban["reason"]) == (
            "bob", "ann", "too loud")
        assert ban["until_at"] - ban["banned_at"] == 3_600_000
        await ann.ask("unban", session=session, user="bob")
        await again.join(session)


async def test_short_ban_is_over_in_time(node, session):
    async with Crew(node) as crew:
        ann, _ = await two(crew, session)
        await ann.ask("ban", session=session, user="eve", for_ms=700)
        eve = await crew.connect("eve")
        assert await refused(eve, "join", session=session) == "banned"
        await asyncio.sleep(0.8)
        await eve.join(session)


async def test_ban_cuts_one_who_only_watches(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        eve = await crew.connect("eve")
        await eve.attach(session)
        await ann.ask("ban", session=session, user="eve")
        await eve.until(lambda: eve.closed)
        assert eve.closed == 3503
        told = [each["user"] for each in bob.changes(session, "member")]
        assert "eve" not in told, "others are not told"


async def test_bans_survive_kill(make_node):
    node = make_node().start()
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session="s", kind="stage",
                      settings=FAST)
        await ann.ask("ban", session="s", user="eve")
        await ann.ask("invite", session="s", user="bob", role="guest")
        node.end(signal.SIGKILL)
        await ann.until(lambda: ann.closed)
    node.start()
    async with Crew(node) as crew:
        eve = await crew.connect("eve")
        assert await refused(eve, "join", session="s") == "banned"
        ann = await crew.connect("ann")
        page = await ann.ask("get_members", session="s")
        assert [(m["user"], m["status"], m.get("role"))
                for m in page["members"]] == [("bob", "invited", "guest"),
                                              ("eve", "removed", None)]
    assert node.end() == 0


# -- access -------------------------------------------------------------------

async def test_groups_and_roles_admit_by_token(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann", claims={"groups": ["a", "club"],
                                                "role": "tutor"})
        for name, settings in (
                ("g", {"access": "group", "group": "club"}),
                ("r", {"access": "roles", "roles": ["tutor", "head"]})):
            await ann.ask("create_session", session=session + name,
                          kind="board", settings=settings)
            await ann.join(session + name)
        eve = await crew.connect("eve", claims={"groups": ["b"],
                                                "role": "pupil"})
        for name in "gr":
            for op in ("join", "attach", "get_roster", "get_members"):
                error = await eve.refused(op, session=session + name)
                never = await eve.refused(op, session=session + "-never")
                assert error == never, (op, error)


async def test_code_admits_who_knows_it(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session=session, kind="board",
                      settings={"access": "code", "code": "K7QX-2MPD"})
        await ann.join(session)
        assert "K7QX-2MPD" not in str(ann.pushes), "it is shown to nobody"
        eve = await crew.connect("eve")
        assert await refused(eve, "join", session=session) == "not_found"
        assert await refused(eve, "join", session=session,
                             code="K7QX-2MPE") == "not_found"
        await eve.attach(session, code="K7QX-2MPD")
        await eve.join(session, code="K7QX-2MPD")
        await eve.ask("set_live", session=session, live={"step": 2})
        await ann.until(lambda: ann.changes(session, "live"))


async def test_creator_needs_an_invitation_to_a_meeting(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session=session, kind="meeting")
        await ann.attach(session)
        assert await refused(ann, "join", session=session) == "not_invited"
        await ann.ask("invite", session=session, user="ann")
        await ann.join(session)
        await ann.ask("withdraw", session=session)
        await ann.until(lambda: ann.directs)
        assert ann.directs[0]["reason"] == "left"
        assert await refused(ann, "join", session=session) == "not_invited"


# -- standing connections -----------------------------------------------------

async def test_closing_a_session_cuts_those_who_only_watch(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        eve = await crew.connect("eve")
        await eve.attach(session)
        await ann.ask("configure_session", session=session,
                      settings={"access": "members"})
        await eve.until(lambda: eve.directs)
        assert eve.directs[0]["session"] == session
        assert await refused(eve, "attach", session=session) == "not_found"
        await bob.ask("set_live", session=session, live={"step": 1})
        await ann.until(lambda: ann.changes(session, "live"))


async def test_identity_and_rank_change_what_is_shown(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        assert bob[session].who() == ["ann", "bob"]
        await ann.ask("configure_session", session=session,
                      settings={"identity": "pseudonymous"})
        await bob.until(lambda: bob[session].who() == [None, None])
        assert bob[session].snapshots[-1] == "rights_changed"
        assert ann[session].who() == ["ann", "bob"], "a moderator sees"
        await ann.ask("set_member", session=session, user="bob",
                      give=["can_moderate"])
        await bob.until(lambda: bob[session].who() == ["ann", "bob"])
        await ann.ask("set_member", session=session, user="bob",
                      take=["can_moderate"])
        await bob.until(lambda: bob[session].who() == [None, None])
        await ann.ask("configure_session", session=session,
                      settings={"identity": "named"})
        await bob.until(lambda: bob[session].who() == ["ann", "bob"])
        await agree(session, ann, bob)


async def test_taking_a_permission_turns_the_microphone_off(node, session):
    async with Crew(node) as crew:
        ann, bob = await two(crew, session)
        error = await bob.refused("set_live", session=session,
                                  live={"audio": True})
        assert (error["code"], error["field"]) == ("forbidden", "live.audio")
        await ann.ask("set_member", session=session, user="bob",
                      give=["can_speak"])
        await bob.ask("set_live", session=session, live={"audio": True})
        await ann.ask("set_member", session=session, user="bob",
                      take=["can_speak"])
        await ann.until(lambda: (ann[session].one("bob").get("live")
                                 or {}).get("audio") is False)
        change = ann.changes(session, "member")[-1]
        assert change["changed"] == ["permissions"]
        await agree(session, ann, bob)


# -- hidden -------------------------------------------------------------------

async def test_hidden_observer_is_seen_by_nobody(node, session):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        await ann.ask("create_session", session=session, kind="meeting")
        await ann.ask("invite", session=session, user="ann")
        await ann.join(session)
        at = list(ann[session].at)
        spy = await crew.connect(
            "spy", token=node.token("spy", [*ALL_RIGHTS, "observe_hidden"]))
        assert await refused(spy, "attach", session=session) == "not_found"
        await spy.attach(session, hidden=True)
        assert spy[session].who() == ["ann"]
        assert spy[session].present == 1 and spy[session].total == 1
        await ann.ask("set_live", session=session, live={"a": 1})
        await spy.until(lambda: spy.changes(session, "live"))
        await ann.until(lambda: ann.changes(session, "live"))
        assert ann[session].at[1] == at[1] + 1, "the live change alone"
        eve = await crew.connect("eve")
        error = await eve.refused("attach", session=session, hidden=True)
        assert error["code"] == "not_found"


async def test_profile_has_the_claims_that_are_configured(make_node):
    node = make_node("--tokens-profile=image_url=imageUrl,username").start()
    async with Crew(node) as crew:
        ann = await crew.connect("ann", claims={
            "imageUrl": "https://i/a.png", "username": "ann1", "shoe": "42"})
        await ann.join("s", create="board")
        assert ann["s"].one("ann")["profile"] == {
            "image_url": "https://i/a.png", "username": "ann1"}
    assert node.end() == 0
