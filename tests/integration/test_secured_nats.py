"""Nodes and a NATS server that trusts nobody: TLS, users, least rights."""

import asyncio
import contextlib
import re
import signal

import pytest

from cluster import Cluster
from node import Node, run
from nats_operator import OperatedNats
from raw_nats import RawNats
from secured import EXAMPLE, SecuredNats, make_authority
from test_cluster import ask_until
from test_roles import start_aside

SETTINGS = {"identity": "named", "membership": "durable", "host": "appointed"}
ODD = ["a.b", "*", ">", "x y", "$JS.API.STREAM.PURGE.x", "a\u00e9\u4f60",
       "..", "%0d%0aPUB z 0", "rc.rollcall.all", "\"'\\", "a" * 120]
TOKEN = r"[\w-]{22}"
KNOWN_SUBJECTS = re.compile(
    rf"rc\.rollcall\.(all|n\.{TOKEN})"
    rf"|rcj\.rollcall\.(probe|\d{{3}}\.\d+\.(e|s\.{TOKEN}(\.\d+)?|g\.\d+\.\d+))"
    rf"|_INBOX\.{TOKEN}\.(probe|\d+|c\w+)"
    r"|\$JS\.API\.STREAM\.NAMES"
    r"|\$JS\.API\.(STREAM|CONSUMER)(\.[A-Z]+)+\.RC_rollcall_\d{3}_\d+(\.\w+)?"
    r"|\$JS\.EVENT\.ADVISORY\.[A-Z.]+(\.RC_rollcall_\d{3}_\d+(\.\w+)?)?")


@pytest.fixture
def secured(tmp_path):
    """A server that a test may mistreat."""
    one = SecuredNats(tmp_path / "nats")
    try:
        yield one.start()
    finally:
        one.end(signal.SIGKILL)


@contextlib.contextmanager
def nodes_at(folder, nats):
    """Two nodes that own partitions and one that serves clients only."""
    one = Cluster(folder, nats=nats, roles=[
        ("core,edge", *nats.flags("core")), ("core,edge", *nats.flags("core")),
        ("edge", *nats.flags("edge"))])
    try:
        yield one.start()
    finally:
        one.end()


@pytest.mark.seconds(60)
async def test_nodes_work_with_least_rights(tmp_path):
    nats = SecuredNats(tmp_path / "nats")
    with nodes_at(tmp_path / "nodes", nats) as cluster:
        async with contextlib.AsyncExitStack() as stack:
            crews = [await stack.enter_async_context(cluster.crew(n))
                     for n in range(3)]
            them = [await crew.connect(f"u{n}")
                    for n, crew in enumerate(crews)]
            sessions = [f"s{n}" for n in range(8)]
            for session in sessions:
                await ask_until(them[2], "create_session", session=session,
                                kind="stage", settings=SETTINGS)
                for one in them:
                    await one.join(session)
                for one in them:
                    await one.until(lambda: one[session].present == 3)
            # Others take over what it owned, which is read from its streams.
            cluster.nodes[1].end(signal.SIGKILL)
            for session in sessions:
                await ask_until(them[2], "set_member", session=session,
                                user="kept", role="guest")
        for node in cluster.nodes:
            assert "not_permitted" not in node.said(), node.said()
        assert not (cluster.nodes[2].data / "store").exists()


# -- what is wrong is said ----------------------------------------------------

def start_refused(tmp_path, nats, *flags):
    """What a node says that must not start."""
    status, out, errors = run(
        "--quickstart", "--data-dir", tmp_path / "data", "--listen",
        "127.0.0.1:0", "--cluster-nats", nats.url, *flags)
    assert status != 0
    assert "http://" not in out
    # Never a password.
    for password in nats.passwords.values():
        assert password not in out + errors
    return errors


def test_a_wrong_authority_is_named(tmp_path, secured):
    other = make_authority(tmp_path, "other")
    said = start_refused(tmp_path, secured, "--cluster-ca", other,
                         "--cluster-credentials", secured.credentials("core"))
    assert "certificate" in said and "cluster.ca" in said, said


def test_no_authority_is_asked_for(tmp_path, secured):
    said = start_refused(tmp_path, secured, "--cluster-credentials",
                         secured.credentials("core"))
    assert "set cluster.ca" in said, said


def test_a_certificate_for_another_name_is_refused(tmp_path):
    nats = SecuredNats(tmp_path / "nats", host="nats.example.org").start()
    try:
        said = start_refused(tmp_path, nats, *nats.flags("core"))
        assert "not for that name" in said and "cluster.ca" in said, said
    finally:
        nats.end(signal.SIGKILL)


def test_missing_credentials_are_asked_for(tmp_path, secured):
    said = start_refused(tmp_path, secured, "--cluster-ca", secured.ca)
    assert "set cluster.credentials" in said, said


def test_a_wrong_password_is_named(tmp_path, secured):
    said = start_refused(
        tmp_path, secured, "--cluster-ca", secured.ca, "--cluster-credentials",
        secured.credentials("core", "no-such-password"))
    assert "refuses the user" in said, said
    assert "cluster.credentials" in said, said
    assert "no-such-password" not in said


def test_a_user_without_rights_is_told_which(tmp_path, secured):
    said = start_refused(tmp_path, secured, *secured.flags("edge"))
    assert "$JS.API.STREAM.INFO." in said and "rcj.rollcall." in said, said
    assert "cluster.credentials" in said and "cluster.roles" in said, said
    assert "rc.rollcall.all" not in said, "that one it may"


def test_files_are_checked_before_anything_is_started(tmp_path, secured):
    public = secured.credentials("core")
    public.chmod(0o644)
    bad = {"cluster.credentials": [
        ("--cluster-credentials", tmp_path / "none"),
        ("--cluster-credentials", public)],
        "cluster.ca": [("--cluster-ca", tmp_path / "none"),
                       ("--cluster-ca", public)]}
    for key, cases in bad.items():
        for flags in cases:
            status, _, errors = run("--quickstart", "--check-config", *flags)
            assert status == 2 and key in errors, errors
    neither = tmp_path / "neither"
    neither.write_text("what is this\n")
    neither.chmod(0o600)
    said = start_refused(tmp_path, secured, "--cluster-ca", secured.ca,
                         "--cluster-credentials", neither)
    assert "cluster.credentials" in said and "user:password" in said, said


def test_a_server_that_is_not_there_is_named(tmp_path, secured):
    url = f"tls://user:{secured.passwords['core']}@localhost:1"
    node = Node(tmp_path / "node", "--cluster-nats", url,
                *secured.flags("core"))
    waiting = start_aside(node)
    node.process.send_signal(signal.SIGTERM)
    waiting.join()
    assert node.end() == 0
    said = node.said()
    assert "tls://localhost:1" in said and "cluster.nats" in said, said
    # Never a password.
    for password in secured.passwords.values():
        assert password not in said


@pytest.mark.seconds(60)
async def test_a_user_who_is_shut_out_ends_the_node(tmp_path):
    nats = SecuredNats(tmp_path / "nats")
    with nodes_at(tmp_path / "nodes", nats) as cluster:
        nats.passwords["edge"] = "another-password"
        nats.write_accounts()
        nats.process.send_signal(signal.SIGHUP)
        edge = cluster.nodes[2]
        status = await asyncio.to_thread(edge.wait, 20)
        assert status == 1, edge.said()
        assert "gave_up" in edge.said() and "NATS" in edge.said()
        assert cluster.nodes[0].alive() and cluster.nodes[1].alive()


@pytest.mark.seconds(60)
async def test_a_node_that_may_not_listen_ends_and_one_that_may_not_speak_waits(
        tmp_path):
    nats = SecuredNats(tmp_path / "nats")
    accounts = nats.folder / "accounts.conf"
    whole = accounts.read_text()
    with nodes_at(tmp_path / "nodes", nats) as cluster:
        core, edge = cluster.nodes[0], cluster.nodes[2]
        async with cluster.crew(0) as crew:
            ada = await crew.connect("ada")
            await ask_until(ada, "create_session", session="s", kind="stage",
                            settings=SETTINGS)
        mute = whole.replace('            "rcj.rollcall.>"\n', "")
        deaf = mute.replace('between_nodes: ["rc.rollcall.all", ',
                            "between_nodes: [")
        assert len({whole, mute, deaf}) == 3
        accounts.write_text(deaf)
        nats.process.send_signal(signal.SIGHUP)
        assert await asyncio.to_thread(edge.wait, 20) == 1, edge.said()
        assert "gave_up" in edge.said(), edge.said()
        async with cluster.crew(0) as crew:
            ada = await crew.connect("ada")
            answer = await ada.refused("set_member", session="s", user="ben",
                                       role="guest")
            assert answer["code"] == "unavailable"
            assert "rcj.rollcall." in core.said()
            # Given back, it needs nobody's help.
            accounts.write_text(whole)
            nats.process.send_signal(signal.SIGHUP)
            await ask_until(ada, "set_member", session="s", user="ben",
                            role="guest")


# -- what the server allows ---------------------------------------------------

@pytest.mark.seconds(60)
async def test_an_edge_cannot_touch_a_stream(tmp_path):
    nats = SecuredNats(tmp_path / "nats")
    with nodes_at(tmp_path / "nodes", nats) as cluster:
        async with cluster.crew(0) as crew:
            ada = await crew.connect("ada")
            await ask_until(ada, "create_session", session="s", kind="stage",
                            settings=SETTINGS)
        core = await asyncio.to_thread(
            RawNats, nats.port, "rollcall-core", nats.passwords["core"],
            nats.ca)
        core.write("SUB _INBOX.raw.1 1")
        state = core.ask("$JS.API.STREAM.INFO.RC_rollcall_000_1")["state"]
        assert state["messages"] > 0
        edge = RawNats(nats.port, "rollcall-edge", nats.passwords["edge"],
                       nats.ca)
        for subject in ("rcj.rollcall.000.e", "rcj.rollcall.000.g.0.0",
                        "rcj.rollcall.probe", "rc.other.all", "any.thing",
                        "rc.rollcall.n.a.b"):
            assert edge.refused(f"PUB {subject} 2", b"{}"), subject
        for call in ("INFO", "NAMES", "LIST"):
            assert edge.refused(f"PUB $JS.API.STREAM.{call} _INBOX.a.1 0", b"")
        for call in ("INFO", "DELETE", "PURGE", "UPDATE", "CREATE",
                     "MSG.GET", "MSG.DELETE", "SNAPSHOT", "LEADER.STEPDOWN"):
            assert edge.refused(
                f"PUB $JS.API.STREAM.{call}.RC_rollcall_000_1 _INBOX.a.1 2",
                b"{}"), call
        assert edge.refused("PUB $JS.API.DIRECT.GET.RC_rollcall_000_1 2", b"{}")
        for subject in (">", "*", "$JS.>", "rcj.>", "rcj.rollcall.000.e",
                        "rc.>", "_INBOX.>", "$SYS.>"):
            assert edge.refused(f"SUB {subject} 9"), subject
        # What it may do, so that the above is no accident.
        assert not edge.refused("SUB rc.rollcall.all 10")
        assert not edge.refused("PUB rc.rollcall.all 0", b"")
        again = core.ask("$JS.API.STREAM.INFO.RC_rollcall_000_1")["state"]
        assert again["messages"] == state["messages"]
        # The core's user may not destroy or read beyond its own either.
        for subject in ("$JS.API.STREAM.DELETE.RC_rollcall_000_1",
                        "$JS.API.STREAM.PURGE.RC_rollcall_000_1",
                        "$JS.API.STREAM.MSG.DELETE.RC_rollcall_000_1"):
            assert core.refused(f"PUB {subject} 2", b"{}"), subject
        for subject in (">", "$JS.>", "rcj.>", "_INBOX.>"):
            assert core.refused(f"SUB {subject} 9"), subject
        edge.close()
        core.close()


@pytest.mark.seconds(60)
async def test_no_id_reaches_a_subject(tmp_path):
    nats = SecuredNats(
        tmp_path / "nats",
        more_users='      { user: watcher, password: "watch-only" }\n')
    with nodes_at(tmp_path / "nodes", nats) as cluster:
        watcher = RawNats(nats.port, "watcher", "watch-only", nats.ca)
        watcher.write("SUB > 1")
        watcher.settle()
        async with contextlib.AsyncExitStack() as stack:
            crews = [await stack.enter_async_context(cluster.crew(n))
                     for n in range(3)]
            for n, odd in enumerate(ODD):
                one = await crews[n % 3].connect(odd)
                other = await crews[(n + 1) % 3].connect("other" + odd)
                session = "id" + odd
                await ask_until(one, "create_session", session=session,
                                kind="stage", settings=SETTINGS)
                await one.join(session)
                await other.join(session)
                await one.until(lambda: one[session].present == 2)
                await one.ask("set_member", session=session, user=odd + "m",
                              role="guest")
                await one.ask("leave", session=session)
        await asyncio.to_thread(watcher.settle)
        seen = {subject for subject, _ in watcher.messages}
        watcher.close()
    assert {"rc.rollcall.all"} < seen
    assert any(one.startswith("rcj.rollcall.") for one in seen)
    assert any(".n." in one for one in seen)
    strange = [one for one in seen if not KNOWN_SUBJECTS.fullmatch(one)]
    assert strange == [], strange


def example_rights():
    """What deploy/nats lets a node publish and hear that owns partitions."""
    text = (EXAMPLE / "accounts.conf").read_text()
    text = text[text.index("rollcall-core\n"):text.index("rollcall-edge\n")]
    lists = re.search(r"publish: \[(.*?)\].*subscribe: \[(.*?)\]", text,
                      re.DOTALL)
    return [re.findall(r'"([^"]+)"', part) for part in lists.groups()]


class Refusing:
    """Stands before a server; the first `times` users are refused as that
    would do it."""

    def __init__(self, server, times):
        self.server, self.left = server, times
        self.writers = []

    async def listen(self):
        self.listener = await asyncio.start_server(self.one, "127.0.0.1", 0)
        port = self.listener.sockets[0].getsockname()[1]
        return f"nats://localhost:{port}"

    async def one(self, reader, writer):
        self.writers.append(writer)
        behind, before = await asyncio.open_connection(
            "127.0.0.1", self.server.port)
        self.writers.append(before)
        if self.left > 0:
            writer.write(await behind.readline())
            while not (await reader.readline()).startswith(b"CONNECT"):
                pass
            self.left -= 1
            writer.write(b"-ERR 'Authorization Violation'\r\n")
            before.close()
            writer.close()
            return
        await asyncio.gather(self.copy(reader, before),
                             self.copy(behind, writer))

    @staticmethod
    async def copy(source, sink):
        with contextlib.suppress(OSError):
            while text := await source.read(1 << 16):
                sink.write(text)
                await sink.drain()
        sink.close()

    async def end(self):
        self.listener.close()
        for writer in self.writers:
            writer.close()


# nats.c 3.4.1 sends a signature that no server takes about once in 300 times.
@pytest.mark.seconds(60)
async def test_one_refused_signature_is_not_the_last_word(tmp_path):
    nats = OperatedNats(tmp_path / "nats", *example_rights()).start()
    refusing = Refusing(nats, 2)
    url = await refusing.listen()
    node = Node(tmp_path / "node", "--cluster-nats", url,
                "--cluster-credentials", str(nats.credentials))
    try:
        await asyncio.to_thread(node.start)
        assert refusing.left == 0
    finally:
        await asyncio.to_thread(node.end)
        await refusing.end()
        nats.end()


@pytest.mark.seconds(60)
async def test_a_creds_file_works(tmp_path):
    nats = OperatedNats(tmp_path / "nats", *example_rights())
    flags = ("--cluster-credentials", str(nats.credentials))
    one = Cluster(tmp_path / "nodes", *flags, nats=nats,
                  roles=[("core,edge",)] * 2)
    try:
        one.start()
        async with one.crew(0) as first, one.crew(1) as second:
            ada, ben = await first.connect("ada"), await second.connect("ben")
            await ask_until(ada, "create_session", session="s", kind="stage",
                            settings=SETTINGS)
            await ada.join("s")
            await ben.join("s")
            await ada.until(lambda: ada["s"].present == 2)
        # Another operator's file is refused.
        nats.end()
        other = OperatedNats(tmp_path / "other", [">"], [">"])
        status, _, errors = await asyncio.to_thread(
            run, "--quickstart", "--data-dir", tmp_path / "data",
            "--cluster-nats", nats.start().url, "--cluster-credentials",
            other.credentials)
        assert status == 1 and "refuses the user" in errors, errors
    finally:
        one.end()
