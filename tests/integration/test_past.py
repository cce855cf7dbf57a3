"""The past of a session on a real node: history, audit log, listings,
deletion and erasure; also after the node was killed."""

import asyncio
import signal

from client import Crew

#: Only its admins may erase users.
ADMIN = {"*": ["observe_count", "observe_roster", "join", "publish", "moderate",
               "host", "configure", "create", "admin"]}


async def soon(condition, what, seconds=5):
    """Waits for something that only asking shows."""
    for _ in range(int(seconds / 0.05)):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came true: {what}")


async def stays(client, session, **wish):
    answer = await client.ask("get_history", session=session, **wish)
    return [(one["user"], one.get("reason")) for one in answer["stays"]]


async def test_history_and_audit_outlive_a_kill(make_node):
    node = make_node().start()
    async with Crew(node) as crew:
        owner = await crew.connect("owner")
        await owner.ask("create_session", session="s", kind="board")
        ada = await crew.connect("ada")
        bob = await crew.connect("bob")
        await ada.join("s")
        await bob.join("s")
        await ada.ask("leave", session="s")
        assert await stays(owner, "s") == [("ada", "left"), ("bob", None)]

        async def written():
            log = await owner.ask("get_audit", session="s")
            return any(one["action"] == "leave" for one in log["entries"])
        await soon(written, "the leave is in the log")
        node.end(signal.SIGKILL)
        for client in (owner, ada, bob):
            await client.until(lambda: client.closed)
    node.start()
    async with Crew(node) as crew:
        owner = await crew.connect("owner")
        assert await stays(owner, "s") == [("ada", "left"), ("bob", None)]
        ada = await crew.connect("ada")
        joined = await ada.join("s")
        assert joined["is_reconnection"]
        people = await owner.ask("get_history", session="s", what="people")
        by_user = {one["user"]: one for one in people["people"]}
        assert by_user["ada"]["stays"] == 2
        assert by_user["ada"]["reconnections"] == 1
        assert by_user["ada"]["here"]
        summary = (await owner.ask("get_history", session="s", what="summary",
                                   bucket_ms=60_000))["summary"]
        assert summary["unique"] == 2
        assert summary["peak"] == 2
        assert sum(one["joins"] for one in summary["timeline"]) == 3
        log = await owner.ask("get_audit", session="s", order="newest")
        actions = [one["action"] for one in log["entries"]]
        assert actions[-1] == "create_session"
        assert actions.count("leave") == 1
        entry = next(one for one in log["entries"] if one["action"] == "leave")
        assert entry["actor"] == entry["target"] == "ada"
        assert entry["after"] == "reason=left"
        assert entry["request"]


async def test_pages_of_the_past(node, session):
    async with Crew(node) as crew:
        owner = await crew.connect("owner")
        await owner.ask("create_session", session=session, kind="board")
        for number in range(7):
            one = await crew.connect(f"u{number}")
            await one.join(session)
            await one.ask("leave", session=session)
        for order in ("oldest", "newest"):
            seen, after = [], {}
            while True:
                page = await owner.ask("get_history", session=session, limit=3,
                                       order=order, **after)
                seen += [one["user"] for one in page["stays"]]
                if "next" not in page:
                    break
                after = {"after": page["next"]}
            want = [f"u{n}" for n in range(7)]
            assert seen == (want if order == "oldest" else want[::-1])


async def test_others_see_their_own_past_and_figures(node, session):
    async with Crew(node) as crew:
        owner = await crew.connect("owner")
        await owner.ask("create_session", session=session, kind="board")
        ada = await crew.connect("ada", claims={"grants": None})
        await ada.join(session)
        refused = await ada.refused("get_history", session=session)
        assert refused["code"] == "forbidden"
        refused = await ada.refused("get_audit", session=session)
        assert refused["code"] == "forbidden"
        own = await ada.ask("get_history", session=session, user="ada")
        assert [one["user"] for one in own["stays"]] == ["ada"]
        figures = await ada.ask("get_history", session=session, what="summary")
        assert figures["summary"]["peak"] == 1
        assert "ada" not in str(figures)
        refused = await ada.refused("get_history", session="nowhere")
        assert refused["code"] == "not_found"
        refused = await owner.refused("get_history", session=session,
                                      after="zzz")
        assert (refused["code"], refused["field"]) == ("bad_request", "after")


async def test_sessions_are_listed(make_node):
    node = make_node().start()
    async with Crew(node) as crew:
        ada = await crew.connect("ada")
        for number in range(12):
            await ada.ask("create_session", session=f"open{number}",
                          kind="board")
        bob = await crew.connect("bob")
        await bob.ask("create_session", session="private", kind="meeting")
        await bob.ask("set_member", session="private", user="cyd")
        await bob.join("open3")
        seen, after = [], {}
        while True:
            page = await ada.ask("list_sessions", limit=5, **after)
            assert page["complete"]
            seen += [one["session"] for one in page["sessions"]]
            if "next" not in page:
                break
            after = {"after": page["next"]}
        assert seen == sorted((f"open{n}" for n in range(12)),
                              key=lambda id: (len(id), id))
        cyd = await crew.connect("cyd", claims={"grants": None})
        mine = await cyd.ask("list_sessions", mine=True)
        assert [one["session"] for one in mine["sessions"]] == ["private"]

        async def counted():
            page = await ada.ask("list_sessions", occupied=True)
            return [(one["session"], one["present"])
                    for one in page["sessions"]] == [("open3", 1)]
        await soon(counted, "open3 is occupied")
        await ada.ask("end_session", session="open5")
        ended = await ada.ask("list_sessions", ended=True)
        assert [one["session"] for one in ended["sessions"]] == ["open5"]


async def test_a_deleted_session_is_gone_for_everybody(node, session):
    async with Crew(node) as crew:
        owner = await crew.connect("owner")
        await owner.ask("create_session", session=session, kind="board")
        ada = await crew.connect("ada", claims={"grants": None})
        await ada.join(session)
        refused = await ada.refused("delete_session", session=session)
        assert refused["code"] == "forbidden"
        answer = await owner.ask("delete_session", session=session)
        assert answer["level"] == "committed"
        refused = await owner.refused("get_history", session=session)
        assert refused["code"] == "not_found"

        async def free():
            made = await owner.ask_any("create_session", session=session,
                                       kind="board")
            return made["ok"]
        await soon(free, "the id is free again")
        assert await stays(owner, session) == []


async def test_nothing_of_an_erased_user_is_left(make_node):
    node = make_node().start()
    marked = "marked-user-7391"
    async with Crew(node) as crew:
        root = await crew.connect("root", claims={"grants": ADMIN})
        for number in range(3):
            await root.ask("create_session", session=f"s{number}",
                           kind="stage")
            await root.ask("set_member", session=f"s{number}", user=marked,
                           role="speaker")
        user = await crew.connect(marked)
        await user.join("s0")
        await user.ask("leave", session="s0")
        await user.join("s1")
        other = await crew.connect("other")
        refused = await other.refused("erase_user", user=marked)
        assert refused["code"] == "forbidden"
        answer = await root.ask("erase_user", user=marked)
        assert answer["complete"], answer
        assert answer["sessions"] >= 3
        await user.until(lambda: user.closed)
        for number in range(3):
            history = await root.ask("get_history", session=f"s{number}")
            log = await root.ask("get_audit", session=f"s{number}")
            roster = await root.ask("get_roster", session=f"s{number}")
            assert marked not in str((history, log, roster))
        again = await root.ask("erase_user", user=marked)
        assert (again["complete"], again["sessions"], again["records"]) \
            == (True, 0, 0)
    node.end(signal.SIGKILL)
    node.start()
    async with Crew(node) as crew:
        root = await crew.connect("root", claims={"grants": ADMIN})
        for number in range(3):
            history = await root.ask("get_history", session=f"s{number}")
            assert marked not in str(history)
