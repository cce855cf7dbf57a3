"""Three nodes: lists over all of them, and erasure everywhere. Whoever ends a
node, or NATS, brings it back."""

import contextlib
import signal
import threading
import time

from node import ALL_RIGHTS
from privacy import MARK, USER, found_in
from raw_nats import RawNats
from rest import Rest, ask, in_time, path, there, until

PATIENCE = 30
ADMIN = [*ALL_RIGHTS, "admin"]


@contextlib.contextmanager
def without(trio, n):
    """Killed, and back at the end."""
    trio.nodes[n].end(signal.SIGKILL)
    yield
    trio.nodes[n].start().await_ready()


@contextlib.contextmanager
def without_nats(trio):
    trio.nats.end(signal.SIGKILL)
    try:
        yield
    finally:
        trio.nats.start()


# -- lists --------------------------------------------------------------------

def create(who, *sessions, **settings):
    for session in sessions:
        ask(who, "POST", "v1", "sessions", body={
            "session": session, "kind": "party", "settings": settings})


def listed(who, more=""):
    return ask(who, "GET", "v1", "sessions", query="?mine=true" + more)


def names(page):
    return [one["session"] for one in page["sessions"]]


def turn_pages(whos, limit, meanwhile=lambda page: None):
    """All pages, each asked of another node than the one before."""
    seen, more = [], ""
    for number in range(100):
        page = listed(whos[number % len(whos)], f"&limit={limit}{more}")
        assert page["complete"] is True
        assert abs(page["as_of"] - time.time() * 1000) < 5_000
        seen += names(page)
        if "next" not in page.json:
            return seen
        more = f"&cursor={page['next']}"
        meanwhile(number)
    raise AssertionError("it does not end")


def test_lists_go_over_all_nodes_while_sessions_come_and_go(trio):
    whos = [Rest(node, "lister") for node in trio.nodes]
    stay = [f"list{n:02}s" for n in range(20)]
    gone = [f"list{n:02}c" for n in range(0, 20, 2)]
    new = [f"list{n:02}d" for n in range(1, 20, 2)]
    for n, session in enumerate(sorted(stay + gone)):
        create(whos[n % 3], session)
    for who in whos:
        until(lambda: names(listed(who)) == sorted(stay + gone))
        assert turn_pages(whos, 4) == sorted(stay + gone)

    def churn(page):
        ask(whos[page % 3], "DELETE", *there(gone[page % len(gone)]))
        create(whos[(page + 1) % 3], new[page % len(new)])
        ask(whos[(page + 2) % 3], "POST", *there(stay[page], "join"))
    seen = turn_pages(whos, 4, churn)
    assert seen == sorted(set(seen)), "in order, and nothing twice"
    assert [one for one in seen if one in stay] == stay
    # And when it is over, all say the same.
    until(lambda: len({tuple(names(listed(who))) for who in whos}) == 1)


def test_a_list_without_a_node_says_what_it_lacks(trio):
    whos = [Rest(node, "loser") for node in trio.nodes]
    all_of_it = [f"lose{n:02}" for n in range(24)]
    create(whos[0], *all_of_it)
    until(lambda: names(listed(whos[1])) == all_of_it)
    with without(trio, 2):
        answers = []

        def whole():
            answers.append(listed(whos[len(answers) % 2]))
            return answers[-1]["complete"]
        until(whole)
        for page in answers:
            seen = names(page)
            assert seen == sorted(set(seen)) and set(seen) <= set(all_of_it)
            assert not page["complete"] or seen == all_of_it
        assert names(listed(whos[0])) == names(listed(whos[1])) == all_of_it
    until(lambda: names(listed(whos[2])) == all_of_it)


# -- erasure ------------------------------------------------------------------

def traces(who, sessions, user):
    """Where the user still shows."""
    out = []
    for session in sessions:
        for what in ("participants", "members", "bans", "history", "audit"):
            got = ask(who, "GET", *there(session, what))
            if user in got.body.decode():
                out.append((session, what))
    return out


def test_a_user_is_erased_everywhere_though_a_node_is_killed(trio):
    user = "erased-user-4711"
    roots = [Rest(node, "root", grants=ADMIN) for node in trio.nodes]
    sessions = [f"erase{n:02}" for n in range(9)]
    create(roots[0], *sessions, identity="named")
    gone = [Rest(node, user, name=user) for node in trio.nodes]
    for n, session in enumerate(sessions):
        ask(gone[n % 3], "POST", *there(session, "join"))
        if n % 2:
            ask(gone[n % 3], "POST", *there(session, "leave"))
        ask(roots[n % 3], "POST", *there(session, "invitations"),
            body={"user": "stays"})
    until(lambda: len({session for session, what in traces(
        roots[0], sessions, user) if what == "audit"}) == len(sessions))
    answers = []

    def erase(who):
        got = who("DELETE", path("v1", "users", user))
        answers.append(got)
        assert got.status == 200 or got["retryable"] is True, got
        return got.status == 200 and got["complete"]
    with without(trio, 2):
        first = threading.Thread(target=erase, args=[roots[0]])
        first.start()
        until(lambda: erase(roots[1]))
        first.join()
        assert traces(roots[0], sessions, user) == []
        assert traces(roots[1], sessions, user) == []
    # The one that was away does not bring it back.
    assert traces(roots[2], sessions, user) == []
    again = ask(roots[2], "DELETE", "v1", "users", user)
    assert again.json == {"complete": True, "sessions": 0, "records": 0}
    assert traces(roots[0], sessions, "stays") != []


def test_what_is_cut_off_says_that_something_is_missing(trio):
    """Without NATS a node knows of its own sessions only."""
    who = Rest(trio.nodes[0], "cutter", grants=ADMIN)
    who.patience = PATIENCE
    all_of_it = [f"cut{n:02}" for n in range(24)]
    create(who, *all_of_it)
    until(lambda: names(listed(who)) == all_of_it)
    erased = []
    asking = threading.Thread(target=lambda: erased.append(
        who("DELETE", path("v1", "users", "cutter"))))
    with without_nats(trio):
        asking.start()
        begin = time.monotonic()
        page = who("GET", "/v1/sessions?mine=true")
        took = time.monotonic() - begin
        asking.join()
    assert took < 13, "who lacks much waits no longer"
    assert page["complete"] is False
    assert set(names(page)) < set(all_of_it)
    done = erased[0]
    assert done["retryable"] is True if done.status == 503 \
        else done["complete"] is False, done
    # What is asked too early waits for long: ask anew.
    who.patience = 0.5
    until(lambda: in_time(lambda: names(listed(who)) == all_of_it))
    who.patience = PATIENCE
    until(lambda: ask(who, "DELETE", "v1", "users", "cutter")["complete"])
    until(lambda: names(listed(who)) == [])


# -- between nodes ------------------------------------------------------------

def test_no_name_is_part_of_a_subject(trio):
    spy = RawNats(trio.nats.port)
    spy.write("SUB > 1")
    spy.settle()
    for node in trio.nodes:
        who = Rest(node, USER, name=f"{MARK} name")
        session = f"{MARK}-{node.port}"
        create(who, session)
        ask(who, "POST", *there(session, "join"), body={"device": MARK})
        ask(who, "POST", *there(session, "bans"), body={"user": MARK})
    streams = spy.ask("$JS.API.STREAM.NAMES")["streams"]
    spy.settle()
    subjects = {subject for subject, _ in spy.messages}
    assert len(streams) > 1 and len(subjects) > 3
    for text in (*subjects, *streams):
        assert found_in(text, {MARK}) == set(), text
    assert any(MARK.encode() in payload for _, payload in spy.messages), \
        "what they say to each other is seen by the spy"
    spy.close()
