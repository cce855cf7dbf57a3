"""Groups over HTTP: who changes them, what their sessions admit, and what
becomes of those when somebody is taken out or the group is deleted."""

import asyncio
import signal
import time

import pytest

from client import Client, Crew
from rest import Rest, path
from test_streams import Listener

#: No group may be made with it.
PLAIN = ["observe_count", "observe_roster", "join", "publish", "moderate",
         "host", "configure"]
#: Longer than the rounds in which a deletion is told.
ROUNDS = 25


def at(group, *more):
    return path("v1", "groups", group, *more)


def members_of(rest, group, **query):
    where = at(group, "members")
    if query:
        where += "?" + "&".join(f"{k}={v}" for k, v in query.items())
    return rest("GET", where)


async def until(condition, what, seconds=8):
    """Waits for something that only asking shows."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never came true: {what}")


@pytest.fixture
def ann(node):
    return Rest(node, "ann")


@pytest.fixture
def club(ann, session):
    """A group of Ann's."""
    group = f"club-{session}"
    assert ann("PUT", at(group), {"name": "Film club"}).status == 201
    return group


def party(rest, session, group, kind="party", **settings):
    rest.create(session, kind=kind, access="group", group=group, **settings)


# -- a group's life ----------------------------------------------------------


def test_a_life(node, ann, session):
    group = f"g-{session}"
    made = ann("PUT", at(group), {"name": "Film club"})
    assert made.status == 201
    assert made.headers["Location"] == at(group)
    assert made.json == {"group": group, "at": made["at"],
                         "level": "committed", "members": 1}
    seen = ann("GET", at(group))
    assert seen.status == 200
    assert {key: seen[key] for key in (
        "group", "name", "members", "created_by", "is_member", "role")} == {
            "group": group, "name": "Film club", "members": 1,
            "created_by": "ann", "is_member": True, "role": "owner"}
    tag = seen.headers["ETag"]
    assert ann("GET", at(group),
               headers={"If-None-Match": tag}).status == 304
    changed = ann("PUT", at(group), {"name": "Cinema club"})
    assert changed.status == 200
    again = ann("GET", at(group), headers={"If-None-Match": tag})
    assert (again.status, again["name"]) == (200, "Cinema club")

    assert ann("PUT", at(group, "members", "bob")).status == 200
    mo = ann("PUT", at(group, "members", "mo"), {"role": "moderator"})
    assert mo["members"] == 3
    bob, moderator = Rest(node, "bob"), Rest(node, "mo")
    assert bob("GET", at(group))["role"] == "member"
    assert [(each["user"], each["role"])
            for each in members_of(bob, group)["members"]] == [
                ("ann", "owner"), ("bob", "member"), ("mo", "moderator")]
    page = members_of(bob, group, limit=2)
    rest = members_of(bob, group, limit=2, cursor=page["next"])
    assert [each["user"] for each in rest["members"]] == ["mo"]
    assert "next" not in rest.json

    # Who may.
    cyd = at(group, "members", "cyd")
    assert bob("PUT", cyd).problem()[:2] == (403, "forbidden")
    assert moderator("PUT", cyd, {"role": "owner"}).problem()[:2] \
        == (403, "forbidden")
    assert moderator("PUT", cyd).status == 200
    assert moderator("DELETE", at(group, "members", "ann")).status == 403
    assert moderator("DELETE", at(group)).status == 403
    assert moderator("PUT", at(group), {"name": "Ours"}).status == 403
    assert moderator("DELETE", cyd).status == 200
    assert moderator("DELETE", cyd).problem() == (404, "not_found", "user")
    assert bob("DELETE", at(group, "members", "bob")).status == 200
    assert bob("GET", at(group)).status == 404
    # An administrator of the namespace may everything.
    root = Rest(node, "root", grants=["admin"])
    assert root("GET", at(group))["is_member"] is False
    assert root("PUT", at(group, "members", "dan")).status == 200


def test_audit_log(node, ann, club):
    bob, mo = at(club, "members", "bob"), at(club, "members", "mo")
    ann("PUT", at(club), {"name": "Cinema club"})
    ann("PUT", bob)
    ann("PUT", mo, {"role": "moderator"})
    ann("DELETE", bob, headers={"X-Request-Id": "out-7"})

    def log(query=""):
        return ann("GET", at(club, "audit") + query)

    whole = log()
    assert whole.status == 200
    assert set(whole.json) == {"group", "at", "as_of", "entries"}
    assert [(each["action"], each["actor"], each.get("target"))
            for each in whole["entries"]] == [
                ("put_group", "ann", None), ("put_group", "ann", None),
                ("set_member", "ann", "bob"), ("set_member", "ann", "mo"),
                ("kick", "ann", "bob")]
    assert whole["entries"][-1]["request"] == "out-7"
    first, second = whole["entries"][:2]
    assert first["after"] == "name=Film_club role=owner"
    assert second["before"] == "name=Film_club"
    assert second["after"] == "name=Cinema_club"
    assert len(log("?user=bob")["entries"]) == 2
    assert len(log("?action=set_member")["entries"]) == 2
    page = log("?limit=3")
    assert log(f"?limit=3&cursor={page['next']}")["entries"] \
        == whole["entries"][3:]
    lines = log("?limit=2&format=ndjson")
    assert lines.body.count(b"\n") == 2
    assert lines.headers["Link"].startswith(f"<{at(club, 'audit')}?limit=2&")
    # A moderator changes members, and does not read who did what.
    assert Rest(node, "mo")("GET", at(club, "audit")).problem()[:2] \
        == (403, "forbidden")
    assert log("?user=%01").problem() == (400, "bad_request", "user")
    assert ann("GET", at("x" * 128, "audit")).problem() \
        == (400, "bad_request", "group")


def test_outsiders_find_nothing(node, ann, club):
    eve = Rest(node, "eve", grants=PLAIN)
    for method, where, body in (
            ("GET", at(club), None), ("GET", at(club, "members"), None),
            ("GET", at(club, "audit"), None),
            ("PUT", at(club), {"name": "Mine"}), ("DELETE", at(club), None),
            ("PUT", at(club, "members", "eve"), None),
            ("DELETE", at(club, "members", "ann"), None)):
        refused = eve(method, where, body).problem()
        nowhere = eve(method, where.replace(club, "nowhere"), body).problem()
        assert refused == nowhere == (404, "not_found", "group")
    # Who may make groups learns that the id is taken.
    assert Rest(node, "eve")("PUT", at(club), {"name": "Mine"}).problem() \
        == (409, "conflict", "group")
    assert Rest(node)("GET", at(club)).status == 401
    assert ann("GET", at(club))["members"] == 1


def test_idempotency_key(ann, club):
    where = at(club, "members", "bob")
    key = {"Idempotency-Key": "k1"}
    first = ann("PUT", where, {"role": "member"}, key)
    again = ann("PUT", where, {"role": "member"}, key)
    assert first.json == again.json
    assert ann("PUT", where, {"role": "owner"}, key).problem() \
        == (409, "conflict", "Idempotency-Key")


def test_listing(node, session):
    ann, bob = Rest(node, f"ann-{session}"), Rest(node, f"bob-{session}")
    names = [f"l-{session}-{n}" for n in range(5)]
    for name in names:
        assert ann("PUT", at(name), {"name": name.upper()}).status == 201
    assert ann("PUT", at(names[3], "members", f"bob-{session}")).status == 200

    def listed(rest, **query):
        found, cursor = [], {}
        while True:
            query = {**query, **cursor}
            page = rest("GET", "/v1/groups?" + "&".join(
                f"{k}={v}" for k, v in query.items()))
            assert page["complete"]
            found += page["groups"]
            if "next" not in page.json:
                return found
            cursor = {"cursor": page["next"]}

    assert [one["group"] for one in listed(ann, limit=2)] == names
    mine = listed(bob, mine="true")
    assert [(one["group"], one["name"], one["members"], one["is_member"])
            for one in mine] == [(names[3], names[3].upper(), 2, True)]
    root = Rest(node, "root", grants=["admin"])
    assert set(names) <= {one["group"] for one in listed(root, limit=100)}
    assert listed(root, mine="true") == []
    # Groups are no sessions.
    assert "\\u0001" not in root("GET", "/v1/sessions?limit=100").body.decode()


def bad_requests(group):
    member = at(group, "members", "bob")
    return [
        ("PUT", at(group), None, "body"), ("PUT", at(group), {}, "name"),
        ("PUT", at(group), {"name": ""}, "name"),
        ("PUT", at(group), {"name": "a\nb"}, "name"),
        ("PUT", at(group), {"name": "x" * 129}, "name"),
        ("PUT", at(group), {"name": 7}, "name"),
        ("PUT", at(group), {"name": "x", "more": 1}, "more"),
        ("PUT", at("g" * 128), {"name": "x"}, "group"),
        ("GET", at("g" * 128), None, "group"),
        ("GET", "/v1/groups/%01" + group, None, "path"),
        ("PUT", member, {"role": "king"}, "role"),
        ("PUT", member, {"role": ""}, "role"),
        ("PUT", member, {"role": 1}, "role"),
        ("PUT", member, {"permissions": ["can_speak"]}, "permissions"),
        ("PUT", at(group, "members", "u" * 129), {}, "path"),
        ("GET", at(group, "members") + "?limit=0", None, "limit"),
        ("GET", at(group, "members") + "?limit=1001", None, "limit"),
        ("GET", at(group, "members") + "?cursor=", None, "cursor"),
        ("GET", at(group, "members") + "?before=x", None, "before"),
        ("GET", "/v1/groups?mine=maybe", None, "mine"),
        ("GET", "/v1/groups?limit=101", None, "limit"),
        ("GET", "/v1/groups?cursor=" + "g" * 128, None, "cursor"),
        ("GET", "/v1/groups?kind=stage", None, "kind"),
        ("DELETE", at(group), {"name": "x"}, "body"),
    ]


def test_bad_input(ann, club):
    before = ann("GET", at(club)).body
    for method, where, body, field in bad_requests(club):
        assert ann(method, where, body).problem() \
            == (400, "bad_request", field), (method, where, body)
    assert ann("POST", at(club), {"name": "x"}).status == 405
    assert ann("PUT", at(club), raw=b"[]").problem()[2] == "body"
    assert ann("PUT", at(club), raw=b'{"name": "x"}',
               headers={"Content-Type": "text/plain"}).status == 415
    assert ann("GET", at(club)).body == before


async def test_no_client_can_name_where_groups_are_kept(node, club):
    async with Crew(node) as crew:
        ann = await crew.connect("ann")
        for op, more in (("join", {}), ("attach", {}), ("get_members", {}),
                         ("delete_session", {}), ("get_audit", {}),
                         ("create_session", {"kind": "stage"})):
            refused = await ann.refused(op, session=f"\x01{club}", **more)
            assert (refused["code"], refused["field"]) \
                == ("bad_request", "session"), op
        refused = await ann.refused("create_session", session="s",
                                    kind=":group")
        assert (refused["code"], refused["field"]) == ("bad_request", "kind")
        refused = await ann.refused("put_group", session="s", name="x")
        assert refused["code"] == "bad_request"


# -- what a group admits to ---------------------------------------------------


async def test_members_enter_and_others_do_not(node, ann, club, session):
    party(ann, session, club)
    ann("PUT", at(club, "members", "bob"))
    async with Crew(node) as crew:
        bob, eve = await crew.connect("bob"), await crew.connect("eve")
        dan = await crew.connect("dan", claims={"groups": [club]})
        joined = await bob.join(session)
        assert "join" in joined["rights"]
        await dan.join(session)
        assert bob[session].who() == ["bob", "dan"]
        await bob.ask("set_live", session=session, live={"hand": True})
        for op in ("join", "attach", "get_roster", "get_members",
                   "get_history", "withdraw"):
            refused = await eve.refused(op, session=session)
            assert (refused["code"], refused["field"]) \
                == ("not_found", "session"), op
        # Over HTTP alike.
        rest = Rest(node, "bob")
        assert rest.session(session)["is_present"] is True
        assert len(rest.session(session, "participants")["participants"]) == 2
        assert Rest(node, "eve").session(session).status == 404
        # The one who made the session is no member just for that.
        assert "join" in ann.session(session)["rights"]
        ann("DELETE", at(club, "members", "ann"))
        assert "join" not in ann.session(session)["rights"]
        maker = await crew.connect("ann")
        assert (await maker.refused("join", session=session))["code"] \
            == "not_invited"


async def test_members_enter_over_http(node, ann, club, session):
    party(ann, session, club)
    ann("PUT", at(club, "members", "bob"))
    bob, eve = Rest(node, "bob"), Rest(node, "eve")
    where = path("v1", "sessions", session)
    assert eve("POST", where + "/join", {}).status == 404
    assert bob("POST", where + "/join", {}).status == 200
    assert bob("POST", where + "/heartbeat", {}).status == 200
    assert bob("GET", where + "/members").status == 200
    assert bob("GET", where + "/history?user=bob").status == 200
    assert bob("PUT", where + "/reminder", {"enabled": True}).status == 200
    assert bob("GET", where + "/course").status == 200
    assert eve("GET", where + "/course").status == 404
    entry = bob("GET", where + "/members/bob")
    assert entry["reminder"] == {"enabled": True, "lead_ms": 0}
    assert bob("POST", where + "/leave", {}).status == 200
    # Not here any more: the group is asked again.
    assert bob("GET", where + "/participants").status == 200


async def test_members_find_the_sessions_of_their_group(
        node, ann, club, session):
    soon = int(time.time() * 1000) + 3_600_000
    assert ann("POST", "/v1/sessions", {
        "session": session, "kind": "party", "starts_at": soon,
        "settings": {"access": "group", "group": club}}).status == 201
    ann("PUT", at(club, "members", "bob"))
    seen = ann("GET", path("v1", "sessions", session))
    assert seen["starts_at"] == soon

    def lists(who):
        page = who("GET", "/v1/sessions?upcoming=true&limit=100")
        assert page["complete"] is True
        return session in [one["session"] for one in page["sessions"]]

    bob, eve = Rest(node, "bob"), Rest(node, "eve")
    claims = Rest(node, "cyd", groups=[club])
    await until(lambda: lists(bob), "a member finds it")
    assert lists(claims) and not lists(eve)
    ann("DELETE", at(club, "members", "bob"))
    await until(lambda: not lists(bob), "who is taken out finds it no more")


async def test_other_words_admit_members_too(node, ann, club, session):
    party(ann, session, club, kind="stream")
    ann("PUT", at(club, "members", "bob"))
    bearer = {"Authorization": f"Bearer {node.token('bob')}"}
    page = await Listener.open(node, session, extra_headers=bearer)
    assert (await page.next())["type"] == "participant_count"
    bob = Rest(node, "bob")
    assert bob("POST", path("streams", session, "join")).status == 200
    assert (await page.next())["type"] == "participant_joined"
    eve = {"Authorization": f"Bearer {node.token('eve')}"}
    assert await (await Listener.open(
        node, session, extra_headers=eve)).closed() == 3507
    # Whoever looks on is cut off, and the lease ends.
    ann("DELETE", at(club, "members", "bob"))
    assert await page.closed() == 3507
    await until(lambda: ann.session(session)["present"] == 0,
                "the lease has ended")
    assert bob("POST", path("streams", session, "join")).status == 404


async def test_a_group_of_another_name_says_nothing(node, ann, club, session):
    party(ann, session, "nobody-keeps-this-one")
    ann("PUT", at(club, "members", "bob"))
    assert Rest(node, "bob").session(session).status == 404
    claims = Rest(node, "bob", groups=["nobody-keeps-this-one"])
    assert claims.session(session).status == 200


# -- what follows a group -----------------------------------------------------


async def test_who_is_taken_out_is_out_at_once(node, ann, club, session):
    party(ann, session, club)
    ann.create(session + "-open", kind="stage")
    for user in ("bob", "cyd", "dan"):
        ann("PUT", at(club, "members", user))
    async with Crew(node) as crew:
        bob, cyd = await crew.connect("bob"), await crew.connect("cyd")
        dan = await crew.connect("dan", claims={"groups": [club]})
        for one in (bob, dan):
            await one.join(session)
            await one.join(session + "-open")
        await cyd.attach(session)
        await cyd.join(session + "-open")
        for user in ("bob", "cyd", "dan"):
            assert ann("DELETE", at(club, "members", user)).status == 200
        await bob.until(lambda: bob.directs)
        assert bob.directs[0]["session"] == session
        assert bob.directs[0]["reason"] == "kicked"
        await cyd.until(lambda: cyd.directs)
        assert cyd.directs[0]["session"] == session
        await dan.until(lambda: dan[session].who() == ["dan"])
        assert [c["reason"] for c in dan.changes(session, "left")] \
            == ["kicked"]
        for one in (bob, cyd):
            refused = await one.refused("get_roster", session=session)
            assert refused["code"] == "not_found"
            assert (await one.refused("join", session=session))["code"] \
                == "not_found"
            await one.ask("get_roster", session=session + "-open")
        # The token of Dan says it still.
        await dan.ask("set_live", session=session, live={"hand": True})
        assert not dan.directs
        # And whoever is taken in again may come again.
        ann("PUT", at(club, "members", "bob"))
        await bob.join(session)
        await dan.until(lambda: dan[session].who() == ["dan", "bob"])


async def test_a_removal_is_told_although_the_node_is_killed(make_node):
    node = make_node().start()
    ann = Rest(node, "ann")
    ann("PUT", at("club"), {"name": "Club"})
    ann("PUT", at("club", "members", "bob"))
    party(ann, "s", "club", drop_grace_ms=60_000)
    bob = Rest(node, "bob")
    assert bob("POST", "/v1/sessions/s/join",
               {"lease_ms": 3_600_000}).status == 200
    await until(lambda: any(
        one["session"] == "s" and one["present"] == 1
        for one in Rest(node, "root", grants=["admin"])(
            "GET", "/v1/sessions?occupied=true")["sessions"]),
        "the roster is kept")
    assert ann("DELETE", at("club", "members", "bob")).status == 200
    node.end(signal.SIGKILL)
    node.start()
    await until(lambda: ann.session("s")["present"] == 0, "Bob is out")
    assert bob.session("s").status == 404


async def test_deleting_a_group_deletes_its_sessions(node, ann, club, session):
    names = [f"{session}-{n}" for n in range(8)]
    for name in names:
        party(ann, name, club)
    ann.create(session, kind="stage")
    party(ann, session + "-other", club + "-other")
    ann("PUT", at(club, "members", "bob"))
    async with Crew(node) as crew:
        bob = await crew.connect("bob")
        await bob.join(names[0])
        deleted = ann("DELETE", at(club))
        assert deleted.status == 202
        assert deleted["level"] == "committed"
        assert ann("GET", at(club)).problem() == (404, "not_found", "group")
        assert ann("DELETE", at(club)).status == 404
        assert members_of(Rest(node, "bob"), club).status == 404
        assert ann("PUT", at(club), {"name": "x"}).problem()[:2] \
            == (503, "unavailable")
        await bob.until(lambda: bob.directs)
        assert bob.directs[0]["reason"] == "session_ended"
        for name in names:
            await until(lambda: ann.session(name).status == 404, name)
    assert ann.session(session).status == 200
    assert ann.session(session + "-other").status == 200
    # One that was made meanwhile goes, too.
    party(ann, session + "-late", club)
    await until(lambda: ann.session(session + "-late").status == 404,
                "the late one", ROUNDS)


@pytest.mark.seconds(60)
async def test_the_id_is_free_when_all_has_gone(node, ann, club):
    ann("DELETE", at(club))
    await until(lambda: ann("PUT", at(club), {"name": "x"}).status == 201,
                "made anew", ROUNDS)
    assert ann("GET", at(club))["members"] == 1


def owners_of(cluster, groups):
    """A session for each group, so that every node owns some of both."""
    ann = Rest(cluster.nodes[0], "ann")
    for group in groups:
        assert ann("PUT", at(group), {"name": group}).status == 201
        for n in range(3):
            party(ann, f"{group}-s{n}", group)


@pytest.mark.seconds(120)
async def test_a_cascade_outlives_its_owners(cluster):
    """Whoever owns the groups, and their sessions, is killed at once."""
    for node in cluster.nodes:
        node.await_ready()
    groups = [f"g{n}" for n in range(12)]
    owners_of(cluster, groups)
    first, second, last = cluster.nodes
    ann = Rest(first, "ann")
    assert ann("PUT", at("g0", "members", "bob")).status == 200
    async with Crew(last) as crew:
        bob = await crew.connect("bob")
        await bob.join("g0-s0")
        # Every node owns some of the groups.
        for group in groups:
            assert ann("DELETE", at(group)).status == 202
        second.end(signal.SIGKILL)
        ann.node = last
        await until(
            lambda: all(ann.session(f"{group}-s{n}").status == 404
                        for group in groups for n in range(3)),
            "all sessions have gone", 40)
        await bob.until(lambda: bob.directs)
        assert bob.directs[0]["session"] == "g0-s0"

    def made_anew(group):
        return ann("PUT", at(group), {"name": "x"}).status in (200, 201)
    for group in groups:
        await until(lambda: made_anew(group), f"{group} made anew", 40)
        assert ann.session(f"{group}-s0").status == 404


@pytest.mark.seconds(120)
async def test_a_removal_outlives_the_owner_of_the_group(cluster):
    for node in cluster.nodes:
        node.await_ready()
    groups = [f"g{n}" for n in range(12)]
    owners_of(cluster, groups)
    first, second, last = cluster.nodes
    ann = Rest(first, "ann")
    async with Crew(last) as crew:
        bob = await crew.connect("bob")
        for group in groups:
            assert ann("PUT", at(group, "members", "bob")).status == 200
            await bob.join(f"{group}-s0")
        for group in groups:
            assert ann("DELETE", at(group, "members", "bob")).status == 200
        second.end(signal.SIGKILL)
        await bob.until(lambda: {word["session"] for word in bob.directs}
                        == {f"{group}-s0" for group in groups}, 40)
        ann.node = last
        for group in groups:
            await until(lambda: ann.session(f"{group}-s0").status == 200,
                        group, 20)
            assert ann.session(f"{group}-s0")["present"] == 0
