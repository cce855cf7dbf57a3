// The client against a scripted server: docs/protocol.md, seen from outside.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../../edge/web/rollcall.js";
import { FakeClock, fakeSockets, settle } from "./fake_platform.mjs";

function setUp(options = {}) {
  const clock = new FakeClock();
  const { sockets, WebSocket } = fakeSockets();
  const client = connect({
    url: "http://node.test", token: "t1", WebSocket, clock,
    random: () => 0.5, ...options,
  });
  return { clock, sockets, client };
}

async function welcome(socket, more = {}) {
  await socket.open();
  await socket.say({
    push: "welcome", re: socket.last("hello").id, connection_id: "c",
    resume: "secret", beat_ms: 15000, node: "n", ...more,
  });
}

const ada = { participant_id: "ada", user: "ada", state: "online",
              since_at: 1, connections: 1 };

function snapshot(at, more = {}) {
  return { push: "snapshot", session: "s", view: "roster", at,
           why: "attached", kind: "party", settings: {}, ended: false,
           present: 1, total: 1, host: null, participants: [{ ...ada }],
           ...more };
}

function changes(from, to, list = [], more = {}) {
  return { push: "changes", session: "s", view: "roster", from, to,
           present: 1, total: 1, changes: list, ...more };
}

const join_answer = { session: "s", level: "accepted", at: [1, 1], present: 1,
                      total: 1, participant_id: "ada", beat_ms: 15000,
                      is_reconnection: false, kind: "party", rights: ["join"] };

async function joined(options) {
  const kit = setUp(options);
  await welcome(kit.sockets[0]);
  const promise = kit.client.join("s", { create: "party" });
  await kit.sockets[0].answer("join", join_answer);
  await kit.sockets[0].say(snapshot([1, 1]));
  return { ...kit, session: await promise };
}

// The next connection stands, with everything joined again up to the answer.
async function comeBack({ clock, sockets }) {
  const before = sockets.length;
  await clock.pass(20_000);
  assert.ok(sockets.length > before, "no new connection was tried");
  const socket = sockets.at(-1);
  await welcome(socket);
  return socket;
}

test("says hello with the token and takes the welcome", async () => {
  const { sockets, client } = setUp();
  assert.equal(sockets[0].url, "ws://node.test/v1/connect");
  assert.deepEqual(sockets[0].protocols, ["rollcall.v1.json"]);
  assert.equal(client.state, "connecting");
  await welcome(sockets[0]);
  assert.deepEqual(sockets[0].sent, [{ op: "hello", id: 1, token: "t1" }]);
  assert.equal(await client.ready, client);
  assert.equal(client.state, "online");
});

test("a join resolves with the first state", async () => {
  const { session, sockets } = await joined();
  assert.deepEqual(sockets[0].last("join"), {
    op: "join", id: 2, session: "s", view: "roster", create: "party" });
  assert.equal(session.state, "joined");
  assert.equal(session.me, "ada");
  assert.deepEqual(session.version, [1, 1]);
  assert.ok(session.inStep);
});

test("a snapshot that overtakes the answer counts too", async () => {
  const { sockets, client } = setUp();
  await welcome(sockets[0]);
  const promise = client.join("s");
  await sockets[0].say(snapshot([1, 1]));
  await sockets[0].answer("join", join_answer);
  assert.equal((await promise).state, "joined");
});

test("a refusal rejects with code, field and retryable", async () => {
  const { sockets, client } = setUp();
  await welcome(sockets[0]);
  const promise = client.join("s");
  await sockets[0].refuse("join", { code: "forbidden", message: "no",
                                    field: "session", retryable: false });
  await assert.rejects(promise, { name: "RollcallError", code: "forbidden",
                                  field: "session", retryable: false });
  assert.equal(client.state, "online");
  assert.equal(client.session("s").state, "idle");
});

test("tells every change, and the counts", async () => {
  const { session, sockets } = await joined();
  const seen = [];
  for (const type of ["joined", "left", "live", "count", "update"])
    session.on(type, (event) => seen.push([type, event.participant?.user]));
  const ben = { ...ada, participant_id: "ben", user: "ben" };
  await sockets[0].say(changes([1, 1], [1, 3], [
    { type: "joined", rev: 2, participant: ben, present: 2, total: 2 },
    { type: "live", rev: 3, participant_id: "ben", live: { hand: true } },
  ], { present: 2, total: 2 }));
  assert.deepEqual(seen, [["joined", "ben"], ["live", "ben"],
                          ["count", undefined], ["update", undefined]]);
  assert.deepEqual(session.participants.get("ben").live, { hand: true });
  assert.equal(session.present, 2);
});

test("a gap attaches again with since, once", async () => {
  const { session, sockets } = await joined();
  await sockets[0].say(changes([1, 5], [1, 6]));
  await sockets[0].say(changes([1, 6], [1, 7]));
  const asked = sockets[0].sent.filter(({ op }) => op === "attach");
  assert.equal(asked.length, 1);
  assert.deepEqual(asked[0].since, [1, 1]);
  await sockets[0].answer("attach", { session: "s", view: "roster" });
  await sockets[0].say(changes([1, 1], [1, 7], [
    { type: "live", rev: 6, participant_id: "ada", live: { step: 2 } }]));
  assert.deepEqual(session.version, [1, 7]);
  assert.equal(session.state, "joined");
  assert.ok(session.inStep);
});

test("what is known already is ignored", async () => {
  const { session, sockets } = await joined();
  await sockets[0].say(changes([1, 0], [1, 1], [
    { type: "left", rev: 1, participant_id: "ada", reason: "left" }]));
  assert.equal(session.participants.size, 1);
  assert.equal(sockets[0].last("attach"), undefined);
});

test("pushes and keys of a later server are ignored", async () => {
  const { session, sockets, client } = await joined();
  await sockets[0].say({ push: "weather", session: "s", sunny: true });
  await sockets[0].say({ re: 99, ok: true, more: 1 });
  await sockets[0].say({ re: null, ok: false, error: { code: "bad_request" } });
  assert.equal(client.state, "online");
  assert.deepEqual(session.version, [1, 1]);
});

test("comes back with resume and since, and misses nothing", async () => {
  const kit = await joined();
  const seen = [];
  kit.session.on("live", (event) => seen.push(event.live));
  kit.session.on("sync", ({ why }) => seen.push(why));
  await kit.sockets[0].end(1006);
  assert.equal(kit.client.state, "reconnecting");
  assert.equal(kit.session.inStep, false);
  await kit.clock.pass(375); // 500 ms · (0.5 + 0.5 / 2)
  assert.equal(kit.sockets.length, 2);
  const socket = kit.sockets[1];
  await welcome(socket);
  assert.equal(socket.last("hello").resume, "secret");
  assert.deepEqual(socket.last("join").since, [1, 1]);
  assert.equal(socket.last("join").create, "party");
  await socket.answer("join", join_answer);
  await socket.say(changes([1, 1], [1, 2], [
    { type: "live", rev: 2, participant_id: "ada", live: { step: 3 } }]));
  assert.deepEqual(seen, [{ step: 3 }, "resumed"]);
  assert.equal(kit.session.state, "joined");
});

test("backs off further each time, up to a bound, with jitter", async () => {
  for (const [random, share] of [[0, 0.5], [0.999999, 1]]) {
    const { clock, sockets, client } = setUp({ random: () => random });
    const waits = [];
    for (let i = 0; i < 8; i++) {
      await sockets.at(-1).end(1006);
      waits.push(Math.round(client.retryAt - clock.now()));
      await clock.pass(waits.at(-1) + 1);
    }
    const spans = [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000];
    assert.deepEqual(waits, spans.map((span) => span * share));
  }
});

test("bye.after_ms is waited for, and backoff on top", async () => {
  const { clock, sockets, client } = await joined();
  await sockets[0].say({ push: "bye", code: 3000, reason: "shutdown",
                         reconnect: true, after_ms: 5000 });
  await sockets[0].end(3000);
  assert.equal(client.retryAt - clock.now(), 5375);
  await clock.pass(5374);
  assert.equal(sockets.length, 1);
  await clock.pass(1);
  assert.equal(sockets.length, 2);
});

test("closes 3500, 3501, 3502, 3504 and 3506 are final", async () => {
  const codes = { 3500: ["unauthenticated", "unauthenticated"],
                  3501: ["bad_request", "bad_protocol"],
                  3502: ["forbidden", "kicked"],
                  3504: ["conflict", "replaced"],
                  3506: ["rate_limited", "limit"] };
  for (const [code, [name, reason]] of Object.entries(codes)) {
    const { clock, sockets, client, session } = await joined();
    await sockets[0].end(Number(code));
    assert.equal(client.state, "closed", code);
    assert.equal(client.error.code, name);
    assert.equal(client.error.reason, reason);
    assert.equal(session.state, "left");
    await clock.pass(120_000);
    assert.equal(sockets.length, 1, code);
  }
});

test("closes 3000 to 3003 and lost sockets are not", async () => {
  for (const code of [1001, 1006, 1011, 3000, 3001, 3002, 3003]) {
    const { clock, sockets, client } = await joined();
    await sockets[0].end(code);
    assert.equal(client.state, "reconnecting", code);
    await clock.pass(1000);
    assert.equal(sockets.length, 2, code);
  }
});

test("an expired token is replaced before coming back", async () => {
  let made = 1;
  const { clock, sockets } = await joined({ onToken: () => `t${++made}` });
  await sockets[0].say({ push: "bye", code: 3004, reason: "token_expired",
                         reconnect: true });
  await sockets[0].end(3004);
  await clock.pass(1000);
  await sockets[1].open();
  assert.equal(sockets[1].last("hello").token, "t2");
});

test("an expired token without a way to a new one is final", async () => {
  const { sockets, client } = await joined();
  await sockets[0].end(3004);
  assert.equal(client.state, "closed");
  assert.equal(client.error.code, "token_expired");
});

test("a refused hello is final, and says why", async () => {
  const { sockets, client } = setUp();
  await sockets[0].open();
  await sockets[0].refuse("hello", { code: "unauthenticated",
                                     message: "bad signature", field: "token",
                                     retryable: false });
  await assert.rejects(client.ready, { code: "unauthenticated",
                                       message: "bad signature" });
  assert.equal(client.state, "closed");
});

test("a refused resume secret is dropped, not the user", async () => {
  const kit = await joined();
  await kit.sockets[0].end(1006);
  await kit.clock.pass(1000);
  await kit.sockets[1].open();
  await kit.sockets[1].refuse("hello", { code: "unauthenticated",
                                         field: "resume", retryable: false });
  const socket = await comeBack(kit);
  assert.deepEqual(socket.last("hello"), { op: "hello", token: "t1",
                                           id: socket.last("hello").id });
  assert.ok(socket.last("join"));
});

test("the token is renewed shortly before it ends", async () => {
  const { clock, sockets } = setUp({ onToken: async () => "t2" });
  await welcome(sockets[0], { expires_in_ms: 100_000,
                               beat_ms: 200_000 });
  await clock.pass(69_000);
  assert.equal(sockets[0].last("refresh_token"), undefined);
  await clock.pass(1_000);
  assert.equal(sockets[0].last("refresh_token").token, "t2");
});

test("heartbeats follow the smaller beat_ms", async () => {
  const { clock, sockets, client } = setUp();
  await welcome(sockets[0], { beat_ms: 20_000 });
  client.join("s");
  await sockets[0].answer("join", { ...join_answer, beat_ms: 4000 });
  await sockets[0].say(snapshot([1, 1]));
  const beats = () => sockets[0].sent.filter(({ op }) => op === "heartbeat");
  for (let i = 1; i <= 5; i++) {
    await clock.pass(3000);
    assert.equal(beats().length, i);
    if (beats().at(-1).id) await sockets[0].answer("heartbeat");
  }
  client.session("s").leave().catch(() => {});
  await clock.pass(14_000);
  assert.equal(beats().length, 5, "the session's beat is gone with it");
  await clock.pass(1000);
  assert.equal(beats().length, 6);
});

test("a server that answers no heartbeat is given up", async () => {
  const { clock, sockets, client } = await joined();
  await clock.pass(11_250);
  assert.ok(sockets[0].last("heartbeat").id, "asks for an answer");
  await clock.pass(9_999);
  assert.equal(client.state, "online");
  await clock.pass(1);
  assert.equal(client.state, "reconnecting");
});

test("live values set while offline go out with the latest", async () => {
  const kit = await joined();
  await kit.sockets[0].end(1006);
  const first = kit.session.setLive({ step: 1, hand: true });
  const second = kit.session.setLive({ step: 2 });
  const socket = await comeBack(kit);
  await socket.answer("join", join_answer);
  await socket.say(changes([1, 1], [1, 1]));
  assert.deepEqual(socket.last("set_live").live, { step: 2, hand: true });
  await socket.answer("set_live", { at: [1, 2] });
  assert.deepEqual((await first).at, [1, 2]);
  assert.deepEqual((await second).at, [1, 2]);
});

test("live values are set again after a return that was too late", async () => {
  const kit = await joined();
  kit.session.setLive({ hand: true, step: 2 });
  await kit.sockets[0].answer("set_live");
  await kit.sockets[0].end(1006);
  const socket = await comeBack(kit);
  await socket.answer("join", { ...join_answer, is_reconnection: true });
  await socket.say(snapshot([1, 9], {
    why: "too_old", participants: [{ ...ada, live: { step: 3 } }] }));
  // `step` is there: the user's other connection may have set it since.
  assert.deepEqual(socket.last("set_live").live, { hand: true });
});

test("a durable operation cut off is repeated with its op_id", async () => {
  const kit = await joined();
  const promise = kit.session.kick({ user: "ben" });
  const first = kit.sockets[0].last("kick");
  assert.equal(typeof first.op_id, "string");
  assert.ok(first.op_id.length <= 64);
  await kit.sockets[0].end(1006);
  const socket = await comeBack(kit);
  assert.equal(socket.last("kick"), undefined, "not before its session");
  await socket.answer("join", join_answer);
  assert.equal(socket.last("kick").op_id, first.op_id);
  await socket.answer("kick", { level: "committed", at: [1, 4] });
  assert.equal((await promise).level, "committed");
});

test("other requests cut off say so and may be repeated", async () => {
  const { sockets, session } = await joined();
  const promise = session.roster({ limit: 5 });
  await sockets[0].end(1006);
  await assert.rejects(promise, { code: "unavailable", retryable: true });
});

test("an answer that never comes is not waited for for ever", async () => {
  const { clock, session } = await joined();
  const promise = session.roster();
  const check = assert.rejects(promise, { code: "unavailable" });
  await clock.pass(10_000);
  await check;
});

test("at most 64 requests wait for an answer", async () => {
  const { session, clock } = await joined();
  const first = Array.from({ length: 64 }, () => session.roster());
  await assert.rejects(session.roster(), { code: "rate_limited",
                                           retryable: true });
  const all = Promise.allSettled(first);
  await clock.pass(10_000);
  await all;
});

test("removed from a session, the client does not creep back", async () => {
  const kit = await joined();
  const seen = [];
  kit.session.on("removed", ({ reason }) => seen.push(reason));
  await kit.sockets[0].say({ push: "direct", session: "s", type: "removed",
                             reason: "kicked" });
  assert.deepEqual(seen, ["kicked"]);
  assert.equal(kit.session.state, "removed");
  await kit.sockets[0].end(1006);
  const socket = await comeBack(kit);
  assert.equal(socket.last("join"), undefined);
});

test("a return that is refused for good removes the session", async () => {
  const kit = await joined();
  const seen = [];
  kit.session.on("removed", ({ reason }) => seen.push(reason));
  await kit.sockets[0].end(1006);
  const socket = await comeBack(kit);
  await socket.refuse("join", { code: "session_ended", retryable: false });
  assert.deepEqual(seen, ["session_ended"]);
});

test("a return that is refused for now is tried again", async () => {
  const kit = await joined();
  await kit.sockets[0].end(1006);
  const socket = await comeBack(kit);
  await socket.refuse("join", { code: "rate_limited", retryable: true,
                                retry_after_ms: 700 });
  await kit.clock.pass(700);
  const joins = socket.sent.filter(({ op }) => op === "join");
  assert.equal(joins.length, 2);
});

test("leave says goodbye to the session and stays away", async () => {
  const kit = await joined();
  kit.session.leave().catch(() => {});
  assert.equal(kit.sockets[0].last("leave").session, "s");
  assert.equal(kit.session.state, "left");
  await assert.rejects(kit.session.setLive({ hand: true }),
                       { code: "conflict" });
  await kit.sockets[0].end(1006);
  const socket = await comeBack(kit);
  assert.equal(socket.last("join"), undefined);
});

test("close closes with 1000, drop with neither 1000 nor 1001", async () => {
  const one = await joined();
  one.client.close();
  assert.equal(one.sockets[0].closedWith, 1000);
  assert.equal(one.client.state, "closed");
  const two = await joined();
  two.client.drop(4000);
  assert.equal(two.sockets[0].closedWith, 4000);
  assert.equal(two.client.retryAt - two.clock.now(), 4375);
});

test("a socket given up says nothing any more", async () => {
  const { sockets, client, session } = await joined();
  client.drop();
  await sockets[0].say(snapshot([9, 9]));
  await sockets[0].end(3504);
  assert.equal(client.state, "reconnecting");
  assert.deepEqual(session.version, [1, 1]);
});

test("a welcome that never comes is a lost connection", async () => {
  const { clock, sockets, client } = setUp();
  await sockets[0].open();
  await clock.pass(10_000);
  assert.equal(client.state, "reconnecting");
});

test("pushes promised but not needed end the wait", async () => {
  const kit = await joined();
  const seen = [];
  kit.session.on("sync", ({ why }) => seen.push(why));
  await kit.sockets[0].end(1006);
  const socket = await comeBack(kit);
  await socket.answer("join", join_answer);
  await kit.clock.pass(5000);
  assert.deepEqual(seen, ["resumed"]);
  assert.ok(kit.session.inStep);
});

test("gaps that last are cured by a snapshot", async () => {
  const { clock, sockets, session } = await joined();
  await sockets[0].say(changes([1, 5], [1, 6]));
  await sockets[0].answer("attach");
  await sockets[0].say(changes([1, 6], [1, 7]));
  await clock.pass(5000);
  assert.equal(sockets[0].last("attach").since, undefined);
  await sockets[0].answer("attach");
  await sockets[0].say(snapshot([1, 8]));
  assert.deepEqual(session.version, [1, 8]);
  await settle();
  assert.ok(session.inStep);
});
