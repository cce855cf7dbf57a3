"""The name that people choose for themselves."""

import asyncio
import json

import pytest

from client import Crew
from people import agree
from rest import Rest, path
from test_boards import Person


def there(session, *more):
    return path("v1", "sessions", session, *more)


async def test_a_new_name_reaches_everyone(node, session):
    ann = Rest(node, "ann", name="Ann")
    ann.create(session, kind="party")
    async with Crew(node) as crew:
        ada, ben = [await crew.connect(who, {"name": who.title()}, dialect=how)
                    for who, how in (("ada", "json"), ("ben", "msgpack"))]
        for person in (ada, ben):
            await person.join(session)
        await ben.until(lambda: len(ben[session].who()) == 2)
        assert ben[session].one("ada")["name"] == "Ada"
        answer = await ada.ask("set_name", session=session,
                               name="Ada \u00e9 L.")
        assert answer["level"] == "committed"
        await agree(session, ada, ben, at=answer["at"])
        assert ben[session].one("ada")["name"] == "Ada \u00e9 L."
        change, = [each for each in ben.changes(session, "member")
                   if each.get("name")]
        assert change["changed"] == ["name"]
        assert change["user"] == "ada"
        # Over HTTP, too; and back to what the token says.
        rest = Rest(node, "ada", name="Ada")
        named = rest("PUT", there(session, "name"), {"name": "Countess"})
        assert named.status == 200 and named["level"] == "committed"
        await agree(session, ada, ben, at=named["at"])
        assert ben[session].one("ada")["name"] == "Countess"
        seen = ann.session(session, "participants", "ada")
        assert seen["name"] == "Countess"
        await ada.ask("leave", session=session)
        await ada.join(session)
        await ben.until(lambda: "ada" in ben[session].who())
        assert ben[session].one("ada")["name"] == "Countess"
        late = await crew.connect("cid")
        await late.join(session)
        assert late[session].one("ada")["name"] == "Countess"
        back = rest("PUT", there(session, "name"), {"name": None})
        assert back.status == 200
        await agree(session, ada, ben, late, at=back["at"])
        assert ben[session].one("ada")["name"] == "Ada"
    members = {each["user"]: each for each in
               ann.session(session, "members")["members"]}
    assert members["ada"]["name"] == "Ada"
    actions = [each["action"] for each in
               ann.session(session, "audit")["entries"]]
    assert actions.count("set_name") == 3


@pytest.mark.parametrize("identity", ["pseudonymous", "count_only"])
async def test_those_who_see_no_names_hear_nothing(node, session, identity):
    ann = Rest(node, "ann")
    ann.create(session, kind="board", own_names=True, identity=identity)
    async with Crew(node) as crew:
        ada, eve = [await crew.connect(who, {"name": who.title()})
                    for who in ("ada", "eve")]
        for person in (ada, eve):
            await person.join(session)
        boss = await crew.connect("ann")
        await boss.attach(session)
        answer = await ada.ask("set_name", session=session, name="Xanthippe")
        await boss.until(
            lambda: boss[session].one("ada")["name"] == "Xanthippe")
        await eve.until(lambda: eve[session].at >= answer["at"])
        assert not eve.changes(session, "member")
        assert "Xanthippe" not in json.dumps(
            [eve.pushes, ada.pushes], default=str)
        newcomer = await crew.connect("cid")
        await newcomer.join(session)
        assert "Xanthippe" not in json.dumps(newcomer.pushes, default=str)


async def test_boards_hear_it_in_their_words(node, session):
    ann = Rest(node, "ann")
    ann.create(session, kind="board", own_names=True)
    ada = await Person.open(node, session, "ada")
    await ada.join()
    ben = await Person.open(node, session, "ben")
    await ben.join()
    answer = await asyncio.to_thread(
        Rest(node, "ada"), "PUT", there(session, "name"), {"name": "Ada"})
    assert answer.status == 200
    told = await ben.hear("status-update")
    while "name" not in told["updates"]:
        told = await ben.hear("status-update")
    assert told["updates"] == {"name": "Ada"}
    for one in (ada, ben):
        await one.socket.close()


def test_who_may(node, session):
    ann = Rest(node, "ann")
    ann.create(session, kind="stage")
    ada = Rest(node, "ada", name="Ada")
    wanted = {"name": "Countess"}
    assert ada("PUT", there(session, "name"), wanted).problem() == (
        409, "conflict", "session")
    ada("POST", there(session, "join"))
    assert ada("PUT", there(session, "name"), wanted).problem() == (
        403, "forbidden", "name")
    ann("PUT", there(session, "members", "ada"), {"give": ["own_name"]})
    assert ada("PUT", there(session, "name"), wanted).status == 200
    assert Rest(node)("PUT", there(session, "name"), wanted
                      ).problem()[0] == 401


@pytest.mark.parametrize("body", [
    {}, {"name": ""}, {"name": 5}, {"name": "x" * 129},
    {"name": "a\nb"}, {"name": ["x"]}], ids=str)
def test_bad_names(node, session, body):
    ann = Rest(node, "ann")
    ann.create(session, kind="party")
    ann("POST", there(session, "join"))
    assert ann("PUT", there(session, "name"), body).problem() == (
        400, "bad_request", "name")


def test_a_name_is_kept(make_node):
    node = make_node().start()
    ann = Rest(node, "ann", name="Ann")
    ann.create("s", kind="party")
    ann("POST", "/v1/sessions/s/join", {"lease_ms": 60000})
    assert ann("PUT", "/v1/sessions/s/name", {"name": "Queen"}).status == 200
    assert node.end() == 0
    node.start()
    node.await_ready()
    assert ann.session("s", "participants", "ann")["name"] == "Queen"
