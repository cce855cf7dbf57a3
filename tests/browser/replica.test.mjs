// The replica against docs/protocol.md: snapshot + changes = later snapshot.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Replica, compareVersions } from "../../edge/web/replica.js";

const seed = Number(process.env.ROLLCALL_SEED)
  || Math.floor(Math.random() * 2 ** 31);

// mulberry32: small, and the same everywhere for the same seed.
function generator(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A session as a server would keep it, that records what it tells. */
class Server {
  epoch = 5;
  rev = 1;
  kind = "party";
  settings = { capacity: 0 };
  ended = false;
  host = null;
  here = new Map();
  members = new Map();
  phase = null;
  barrier = null;
  rounds = new Map();

  constructor(random) {
    this.random = random;
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  total() {
    const ids = new Set([...this.here.keys(), ...this.members.keys()]);
    return ids.size;
  }

  counts() {
    return { present: this.here.size, total: this.total() };
  }

  snapshot() {
    return structuredClone({
      push: "snapshot", session: "s", view: "roster", why: "attached",
      at: [this.epoch, this.rev], kind: this.kind, settings: this.settings,
      ended: this.ended, host: this.host, ...this.counts(),
      participants: [...this.here.values()],
      ...(this.phase && { phase: this.phase }),
      ...(this.barrier && { barrier: this.barrier }),
      ...(this.rounds.size > 0 && { rounds: [...this.rounds.values()] }),
    });
  }

  tick(steps) {
    const from = [this.epoch, this.rev];
    const changes = [];
    for (let i = 0; i < steps; i++) {
      const change = this.step();
      if (change) changes.push({ ...structuredClone(change), rev: ++this.rev });
    }
    // What an audience may not see still moves the version.
    if (this.random() < 0.1) this.rev++;
    return { push: "changes", session: "s", view: "roster", from,
             to: [this.epoch, this.rev], ...this.counts(), changes };
  }

  step() {
    if (this.random() < 0.2) return this.course();
    const roll = this.random();
    const id = `p${Math.floor(this.random() * 12)}`;
    if (!this.here.has(id)) return roll < 0.8 ? this.join(id) : this.member(id);
    const who = this.here.get(id);
    if (roll < 0.2) return this.leave(id);
    if (roll < 0.35) return this.suspectOrResume(who);
    if (roll < 0.65) return this.live(who);
    if (roll < 0.75) {
      who.connections = 1 + Math.floor(this.random() * 4);
      return { type: "connection", participant_id: id,
               connections: who.connections };
    }
    if (roll < 0.85) return this.member(id);
    if (roll < 0.93) {
      this.host = this.random() < 0.2 ? null : id;
      return { type: "host", host: this.host };
    }
    if (roll < 0.97) {
      this.settings = { capacity: Math.floor(this.random() * 9) };
      return { type: "session", kind: this.kind, settings: this.settings,
               ended: this.ended };
    }
    return { type: "of_a_later_server", participant_id: id, anything: [1] };
  }

  course() {
    const roll = this.random();
    if (roll < 0.3) {
      this.phase = this.pick([{ phase: "a" }, { phase: "b", status: "x" }]);
      return { type: "phase", ...this.phase };
    }
    if (roll < 0.4 || !this.barrier) {
      this.barrier = { barrier: "go", until_at: this.rev, ready: [] };
      return { type: "barrier", barrier: "go", until_at: this.rev };
    }
    const id = this.pick([...this.here.keys()]);
    if (roll < 0.7 && id) {
      const ready = this.random() < 0.7;
      this.barrier.ready = this.barrier.ready.filter((one) => one !== id);
      if (ready) this.barrier.ready.push(id);
      return { type: "barrier", barrier: "go",
               until_at: this.barrier.until_at, participant_id: id, ready };
    }
    const round = this.pick(["r1", "r2"]);
    const old = this.rounds.get(round) ?? { round, answers: 0,
                                            participants: [] };
    const fresh = `q${old.answers}`;
    const next = { ...old, answers: old.answers + 1,
                   participants: [...old.participants, fresh] };
    this.rounds.set(round, next);
    return { type: "submission", ...next, participants: [fresh] };
  }

  join(id) {
    const who = { participant_id: id, user: id, state: "online",
                  since_at: this.rev, connections: 1 };
    const member = this.members.get(id);
    if (member) Object.assign(who, member);
    if (this.random() < 0.3) who.live = { step: 1 };
    this.here.set(id, who);
    return { type: "joined", participant: who, ...this.counts() };
  }

  leave(id) {
    this.here.delete(id);
    if (this.barrier)
      this.barrier.ready = this.barrier.ready.filter((one) => one !== id);
    return { type: "left", participant_id: id, reason: "left",
             ...this.counts() };
  }

  suspectOrResume(who) {
    const participant_id = who.participant_id;
    if (who.state === "suspected") {
      who.state = "online";
      delete who.expires_in_ms;
      return { type: "resumed", participant_id };
    }
    who.state = "suspected";
    who.expires_in_ms = 10000;
    return { type: "suspected", participant_id, expires_in_ms: 10000 };
  }

  live(who) {
    const update = {};
    for (const key of ["hand", "audio", "step"])
      if (this.random() < 0.5)
        update[key] = this.pick([true, false, 3, "text", null]);
    who.live = { ...who.live, ...update };
    for (const [key, value] of Object.entries(who.live))
      if (value === null) delete who.live[key];
    if (Object.keys(who.live).length === 0) delete who.live;
    return { type: "live", participant_id: who.participant_id, live: update };
  }

  member(id) {
    const facts = {};
    if (this.random() < 0.6) facts.role = this.pick(["owner", "guest"]);
    if (this.random() < 0.4) facts.permissions = ["draw"];
    this.members.set(id, facts);
    const who = this.here.get(id);
    if (who) {
      delete who.role;
      delete who.permissions;
      Object.assign(who, facts);
    }
    const news = { type: "member", participant_id: id, ...facts,
                   total: this.total() };
    if (!who || this.random() < 0.7) return news;
    // A new name, or none any more.
    news.changed = ["name"];
    delete who.name;
    if (this.random() < 0.7) who.name = news.name = `name ${this.random()}`;
    return news;
  }
}

function state(replica) {
  const { version, kind, settings, ended, present, total, host } = replica;
  const participants = [...replica.participants.values()].map((p) => {
    const copy = { ...p };
    delete copy.expires_at; // of the client's own making
    return copy;
  });
  const { starts_at, phase, barrier } = replica;
  const rounds = [...replica.rounds.values()]
    .sort((a, b) => (a.round < b.round ? -1 : 1));
  return { version, kind, settings, ended, present, total, host, starts_at,
           phase, barrier, rounds, participants };
}

function after(snapshot) {
  const replica = new Replica();
  replica.applySnapshot(structuredClone(snapshot), 0);
  return replica;
}

test(`a snapshot and its changes make the later one (seed ${seed})`, () => {
  for (let run = 0; run < 200; run++) {
    const server = new Server(generator(seed + run));
    server.tick(20);
    const replica = after(server.snapshot());
    for (let i = 0; i < 40; i++) {
      const push = server.tick(Math.floor(server.random() * 5));
      const { outcome } = replica.applyChanges(push, 0);
      assert.equal(outcome, "applied", `seed ${seed + run}, tick ${i}`);
      assert.deepEqual(state(replica), state(after(server.snapshot())),
                       `seed ${seed + run}, tick ${i}`);
      assert.equal(replica.participants.size, replica.present);
    }
  }
});

test(`repeated, late and missing changes do no harm (seed ${seed})`, () => {
  for (let run = 0; run < 100; run++) {
    const server = new Server(generator(seed + run));
    const replica = after(server.snapshot());
    const seen = [];
    for (let i = 0; i < 30; i++) {
      const push = server.tick(1 + Math.floor(server.random() * 3));
      if (server.random() < 0.2 && compareVersions(push.from, push.to) !== 0) {
        // This one is lost: whatever follows must be refused untouched.
        const before = JSON.stringify(state(replica));
        const next = server.tick(2);
        if (compareVersions(next.from, next.to) === 0) continue;
        assert.equal(replica.applyChanges(next, 0).outcome, "gap");
        assert.equal(JSON.stringify(state(replica)), before);
        replica.applySnapshot(server.snapshot(), 0);
        seen.push(push, next);
        continue;
      }
      replica.applyChanges(push, 0);
      seen.push(push);
      const old = server.pick(seen);
      const before = JSON.stringify(state(replica));
      const { outcome, events } = replica.applyChanges(old, 0);
      // Only an empty push that ends where we stand may apply once more.
      if (outcome === "applied") assert.equal(old.changes.length, 0);
      else assert.equal(outcome, "stale");
      assert.deepEqual(events, []);
      assert.equal(JSON.stringify(state(replica)), before);
    }
  }
});

test("changes before the first snapshot are a gap", () => {
  const push = { from: [1, 0], to: [1, 1], present: 0, total: 0, changes: [] };
  assert.equal(new Replica().applyChanges(push, 0).outcome, "gap");
});

test("versions are ordered by epoch first", () => {
  assert.ok(compareVersions([2, 1], [1, 99]) > 0);
  assert.ok(compareVersions([1, 2], [1, 10]) < 0);
  assert.equal(compareVersions([3, 3], [3, 3]), 0);
  const big = 2 ** 53 - 1;
  assert.ok(compareVersions([big, 0], [big - 1, big]) > 0);
});

test("a newer epoch is a gap, an older one is stale", () => {
  const server = new Server(generator(1));
  const replica = after(server.snapshot());
  const base = { present: 0, total: 0, changes: [] };
  assert.equal(replica.applyChanges(
    { ...base, from: [6, 1], to: [6, 2] }, 0).outcome, "gap");
  assert.equal(replica.applyChanges(
    { ...base, from: [4, 800], to: [4, 900] }, 0).outcome, "stale");
});

test("a suspected participant expires on the caller's clock", () => {
  const server = new Server(generator(2));
  server.join("ada");
  const replica = after(server.snapshot());
  const from = replica.version;
  replica.applyChanges({
    from, to: [5, from[1] + 1], present: 1, total: 1,
    changes: [{ type: "suspected", rev: from[1] + 1, participant_id: "ada",
                expires_in_ms: 8000 }],
  }, 1000);
  assert.equal(replica.participants.get("ada").expires_at, 9000);
  const { events } = replica.applyChanges({
    from: [5, from[1] + 1], to: [5, from[1] + 2], present: 1, total: 1,
    changes: [{ type: "resumed", rev: from[1] + 2, participant_id: "ada" }],
  }, 2000);
  assert.equal(events[0].participant.state, "online");
  assert.ok(!("expires_at" in replica.participants.get("ada")));
});

test("an activity that is the join itself is none", () => {
  const server = new Server(generator(5));
  server.join("ada");
  const replica = after(server.snapshot());
  const from = replica.version;
  const since = replica.participants.get("ada").since_at;
  for (const [step, later] of [[1, 7], [2, 0]]) {
    replica.applyChanges({
      from: [5, from[1] + step - 1], to: [5, from[1] + step],
      present: 1, total: 1,
      changes: [{ type: "activity", rev: from[1] + step,
                  participant_id: "ada", last_active_at: since + later }],
    }, 0);
    assert.equal(replica.participants.get("ada").last_active_at,
                 later > 0 ? since + later : undefined);
  }
});

test("left tells who it was", () => {
  const server = new Server(generator(3));
  server.join("ada");
  const replica = after(server.snapshot());
  const from = replica.version;
  const { events } = replica.applyChanges({
    from, to: [5, from[1] + 1], present: 0, total: 0,
    changes: [{ type: "left", rev: from[1] + 1, participant_id: "ada",
                reason: "network", present: 0, total: 0 }],
  }, 0);
  assert.equal(events[0].participant.user, "ada");
  assert.equal(events[0].reason, "network");
  assert.equal(replica.participants.size, 0);
});

test("changes of an unknown kind or participant are skipped", () => {
  const replica = after(new Server(generator(4)).snapshot());
  const from = replica.version;
  const { outcome, events } = replica.applyChanges({
    from, to: [5, from[1] + 3], present: 0, total: 0,
    changes: [
      { type: "weather", rev: from[1] + 1, sky: "blue" },
      { type: "live", rev: from[1] + 2, participant_id: "x", live: { a: 1 } },
      { type: "member", rev: from[1] + 3, participant_id: "x", role: "r" },
    ],
  }, 0);
  assert.equal(outcome, "applied");
  assert.deepEqual(events.map((event) => event.type), ["live", "member"]);
  assert.equal(replica.participants.size, 0);
  assert.deepEqual(replica.version, [5, from[1] + 3]);
});
