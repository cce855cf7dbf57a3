// A client's copy of one session: snapshot + changes = a later snapshot.
// Pure: no socket, no clock of its own, no DOM. docs/protocol.md is its law.

/**
 * Orders two versions `[epoch, rev]`, epoch first.
 * @returns {number} below, equal to or above zero
 */
export function compareVersions(a, b) {
  return a[0] - b[0] || a[1] - b[1];
}

// What `member` sets; an absent key means "none".
function withMember(participant, change) {
  const next = { ...participant };
  delete next.role;
  delete next.permissions;
  if (change.role) next.role = change.role;
  if (change.permissions?.length) next.permissions = change.permissions;
  if (change.changed?.includes("name")) {
    delete next.name;
    if (change.name) next.name = change.name;
  }
  return next;
}

function withLive(participant, update) {
  const live = { ...participant.live };
  for (const [key, value] of Object.entries(update)) {
    if (value === null) delete live[key];
    else live[key] = value;
  }
  const next = { ...participant, live };
  if (Object.keys(live).length === 0) delete next.live;
  return next;
}

/**
 * The state of one session as its observers see it.
 *
 * Participants are frozen-by-convention values: a change replaces the object,
 * so `===` tells whether a participant has changed. A suspected one carries
 * `expires_at`, the moment on the caller's clock at which `left` is due.
 */
export class Replica {
  /** @type {[number, number] | null} null until the first snapshot */
  version = null;
  view = null;
  kind = null;
  settings = {};
  ended = false;
  /** The node is cut off from the others: they may know better. */
  stale = false;
  present = 0;
  total = 0;
  host = null;
  /** Unix milliseconds, or null. */
  starts_at = null;
  /** `{phase, status?, until_at?, next?}`, or null while nobody has set one. */
  phase = null;
  /** `{barrier, until_at?, opened_at?, timed_out?, ready: [...]}`, or null. */
  barrier = null;
  /** By name, as the page of the protocol describes a round. */
  rounds = new Map();
  /** By participant_id, in order of joining. */
  participants = new Map();

  /** Replaces everything. `now` is the caller's clock in milliseconds. */
  applySnapshot(push, now) {
    this.version = push.at;
    this.view = push.view;
    this.kind = push.kind;
    this.settings = push.settings ?? {};
    this.ended = push.ended ?? false;
    this.stale = push.stale ?? false;
    this.present = push.present;
    this.total = push.total;
    this.host = push.host ?? null;
    this.starts_at = push.starts_at ?? null;
    this.phase = push.phase ?? null;
    this.barrier = push.barrier ?? null;
    this.rounds = new Map();
    for (const round of push.rounds ?? []) this.rounds.set(round.round, round);
    this.participants = new Map();
    for (const participant of push.participants ?? [])
      this.#add(participant, now);
  }

  /**
   * Applies one `changes` push, if it follows on what is here.
   *
   * @returns {{outcome: "applied" | "stale" | "gap", events: object[]}}
   *   `stale`: already known, nothing done. `gap`: something is missing,
   *   nothing done, attach again. `events` has one entry per change, with the
   *   participant it is about (for `left`, as it was).
   */
  applyChanges(push, now) {
    if (this.version === null) return { outcome: "gap", events: [] };
    if (compareVersions(push.from, this.version) !== 0) {
      const known = compareVersions(this.version, push.to) >= 0;
      return { outcome: known ? "stale" : "gap", events: [] };
    }
    const events = [];
    for (const change of push.changes ?? []) {
      const event = this.#apply(change, now);
      if (event) events.push(event);
    }
    this.version = push.to;
    this.stale = push.stale ?? false;
    this.present = push.present;
    this.total = push.total;
    return { outcome: "applied", events };
  }

  #add(participant, now) {
    const added = { ...participant };
    if (added.state === "suspected")
      added.expires_at = now + (added.expires_in_ms ?? 0);
    this.participants.delete(added.participant_id);
    this.participants.set(added.participant_id, added);
    return added;
  }

  // Replaces the participant a change is about by `edit` of it.
  #edit(change, edit) {
    const old = this.participants.get(change.participant_id);
    if (!old) return undefined;
    const next = edit(old);
    this.participants.set(change.participant_id, next);
    return next;
  }

  #setReady(participant_id, ready) {
    if (!this.barrier) return;
    const others = this.barrier.ready.filter((id) => id !== participant_id);
    if (ready) others.push(participant_id);
    this.barrier = { ...this.barrier, ready: others };
  }

  #apply(change, now) {
    switch (change.type) {
      case "joined": {
        // The view `events` names a participant without describing it.
        const participant = change.participant
          ? this.#add(change.participant, now)
          : undefined;
        return { ...change, participant };
      }
      case "left": {
        const participant = this.participants.get(change.participant_id);
        this.participants.delete(change.participant_id);
        this.#setReady(change.participant_id, false);
        return { ...change, participant };
      }
      case "suspected": {
        const expires_in_ms = change.expires_in_ms ?? 0;
        const participant = this.#edit(change, (old) => ({
          ...old,
          state: "suspected",
          expires_in_ms,
          expires_at: now + expires_in_ms,
        }));
        return { ...change, participant };
      }
      case "resumed": {
        const participant = this.#edit(change, (old) => {
          const next = { ...old, state: "online" };
          delete next.expires_in_ms;
          delete next.expires_at;
          return next;
        });
        return { ...change, participant };
      }
      case "live": {
        const live = change.live ?? {};
        const participant = this.#edit(change, (old) => withLive(old, live));
        return { ...change, participant };
      }
      case "connection": {
        const { connections, devices } = change;
        const participant = this.#edit(change, (old) => {
          const next = { ...old, connections };
          delete next.devices;
          return devices ? { ...next, devices } : next;
        });
        return { ...change, participant };
      }
      case "activity": {
        const { last_active_at } = change;
        const participant = this.#edit(change, (old) => {
          const next = { ...old, last_active_at };
          // As a snapshot has it: nothing where that is the join itself.
          if (last_active_at <= old.since_at) delete next.last_active_at;
          return next;
        });
        return { ...change, participant };
      }
      case "member": {
        const previous = this.participants.get(change.participant_id);
        const participant = this.#edit(change, (old) => (
          withMember(old, change)
        ));
        return { ...change, participant, previous };
      }
      case "host": {
        const previous = this.host;
        this.host = change.host ?? null;
        return { ...change, previous };
      }
      case "session":
        this.kind = change.kind;
        this.settings = change.settings ?? {};
        this.ended = change.ended ?? false;
        this.starts_at = change.starts_at ?? null;
        return { ...change };
      case "phase": {
        const { type, rev, ...phase } = change;
        this.phase = phase;
        return { ...change };
      }
      case "submission": {
        const { type, rev, ...round } = change;
        const before = this.rounds.get(round.round)?.participants ?? [];
        if (round.participants)
          round.participants = [...new Set([...before, ...round.participants])];
        this.rounds.set(round.round, round);
        return { ...change };
      }
      case "barrier": {
        const { type, rev, participant_id, ready, ...barrier } = change;
        if (participant_id === undefined || !this.barrier)
          this.barrier = { ...barrier, ready: [] };
        else this.#setReady(participant_id, ready);
        return { ...change };
      }
      default:
        return null; // a later server's change; its version still counts
    }
  }
}
