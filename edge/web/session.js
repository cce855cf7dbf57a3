// One session as this client takes part in it, kept in step with the server.

import { Emitter } from "./emitter.js";
import { RollcallError, connectionLost } from "./errors.js";
import { Replica } from "./replica.js";

// How long pushes may stay away after an answer that promised them.
const sync_timeout_ms = 5000;
const retry_ms = 1000;

function deferred() {
  const out = {};
  out.promise = new Promise((resolve, reject) => {
    Object.assign(out, { resolve, reject });
  });
  out.promise.catch(() => {}); // whoever asks still sees the refusal
  return out;
}

/**
 * A session that was joined or is watched. Made by `Client`.
 *
 * Events: one per change (`joined`, `left`, `suspected`, `resumed`, `live`,
 * `connection`, `member`, `host`, `session`), `count` when a number moved,
 * `update` once after every push, `sync` ({why, at}) when in step again after
 * entering or a gap, `state`, `removed` ({reason, error?}).
 */
export class Session extends Emitter {
  #link;
  #view;
  #create;
  #intent = null; // "join", "attach" or null: what a new connection asks for
  #replica = new Replica();
  #bare = null; // present and total where no pushes come (view `none`)
  #turn = 0;
  #ready = null;
  #syncing = false;
  #gaps = 0;
  #timer = null;
  #wanted = {};
  #unsent = null;
  #sending = false;

  /** `idle`, `opening`, `joined`, `watching`, `left` or `removed`. */
  state = "idle";
  /** This user's participant_id here; null until joined. */
  me = null;
  /** What this client may do here, as the server said when it joined. */
  rights = [];
  /** The span within which a sign of life is due; 0 until joined. */
  beatMs = 0;

  constructor(link, id) {
    super();
    this.#link = link;
    this.id = id;
  }

  get participants() { return this.#replica.participants; }
  get present() { return this.#bare?.present ?? this.#replica.present; }
  get total() { return this.#bare?.total ?? this.#replica.total; }
  get host() { return this.#replica.host; }
  get version() { return this.#replica.version; }
  get kind() { return this.#replica.kind; }
  get settings() { return this.#replica.settings; }
  get ended() { return this.#replica.ended; }
  /** Whether the node is cut off from the others, who may know better. */
  get stale() { return this.#replica.stale; }
  /** The view the server grants, which may be less than was asked for. */
  get view() { return this.#replica.view ?? this.#view; }
  /** Whether what is shown here is known to be up to date. */
  get inStep() { return this.#intent !== null && !this.#syncing; }

  /** Enters as a participant; resolves when the first state is here. */
  join({ view = "roster", create, live } = {}) {
    this.#create = create;
    if (live) Object.assign(this.#wanted, live);
    return this.#start("join", view);
  }

  /** Observes without taking part. */
  watch({ view = "roster" } = {}) {
    return this.#start("attach", view);
  }

  /** Leaves on purpose. The last state stays readable. */
  async leave() {
    const joined = this.#intent === "join";
    this.#stop("left");
    if (!this.#link.online()) return null;
    return this.#ask(joined ? "leave" : "detach");
  }

  /**
   * Sets own live keys; `null` removes one. While offline the latest values
   * wait, and go out with the next connection.
   */
  setLive(update) {
    if (this.#intent !== "join") {
      return Promise.reject(new RollcallError({
        code: "conflict", message: "not in the session",
      }));
    }
    Object.assign(this.#wanted, update);
    this.#unsent ??= { ...deferred(), live: {} };
    Object.assign(this.#unsent.live, update);
    this.#unsent.at = this.#link.now();
    const { promise } = this.#unsent;
    this.#pump();
    return promise;
  }

  /** One page of the roster; also for views that do not carry it. */
  roster({ after, limit } = {}) {
    return this.#ask("get_roster", { after, limit });
  }

  /** What was: `{what, from, until, bucket_ms, user, order, after, limit}`. */
  history(wish = {}) { return this.#ask("get_history", wish); }
  audit(wish = {}) { return this.#ask("get_audit", wish); }

  // Durable operations: `who` is {user} or {participant_id}. They carry an
  // op_id, so that one repeated after a lost connection counts once.
  configure(settings) { return this.#durable("configure_session", { settings }); }
  end() { return this.#durable("end_session", {}); }
  delete() { return this.#durable("delete_session", {}); }
  kick(who) { return this.#durable("kick", who); }
  transferHost(who) { return this.#durable("transfer_host", who); }
  setMember(who, { role, permissions, give, take } = {}) {
    return this.#durable("set_member",
                         { ...who, role, permissions, give, take });
  }
  invite(user, { role } = {}) { return this.#durable("invite", { user, role }); }
  uninvite(who) { return this.#durable("uninvite", who); }
  withdraw() { return this.#durable("withdraw", {}); }
  ban(who, { for_ms, reason } = {}) {
    return this.#durable("ban", { ...who, for_ms, reason });
  }
  unban(who) { return this.#durable("unban", who); }

  // -- called by the client ---------------------------------------------------

  /** A new connection stands: take the place in the session again. */
  resync() {
    return this.#intent ? this.#enter() : Promise.resolve();
  }

  /** The connection is gone; answers to older questions no longer count. */
  disconnected() {
    this.#turn++;
    this.#disarm();
    if (this.#intent) this.#syncing = true;
  }

  /** The client has ended for good. */
  closed(error) {
    if (this.#intent) this.#stop("left", error);
  }

  receive(push) {
    if (push.push === "direct") {
      if (push.type === "removed") this.#removed(push.reason);
    } else if (this.#intent && push.push === "snapshot") {
      const before = [this.present, this.total];
      this.#replica.applySnapshot(push, this.#link.now());
      this.#synced(push.why);
      this.#applied(before);
    } else if (this.#intent && push.push === "changes") {
      this.#changes(push);
    }
  }

  // -- entering and staying in step -------------------------------------------

  #start(intent, view) {
    if (this.#link.ended()) return Promise.reject(connectionLost());
    this.#intent = intent;
    this.#view = view;
    this.#ready?.reject(connectionLost());
    this.#ready = deferred();
    this.#become("opening");
    if (this.#link.online()) this.#enter();
    return this.#ready.promise;
  }

  // `op` is "attach" where the place is kept and only pushes went missing.
  async #enter({ op = this.#intent, fresh = false } = {}) {
    const turn = ++this.#turn;
    const body = { view: this.#view };
    if (this.version && !fresh) body.since = this.version;
    if (op === "join") {
      body.create = this.#create;
      if (this.state === "opening" && Object.keys(this.#wanted).length > 0)
        body.live = this.#wanted;
    }
    this.#disarm();
    this.#syncing = true;
    this.#gaps = 0;
    try {
      const answer = await this.#ask(op, body);
      if (turn === this.#turn) this.#entered(op, answer);
    } catch (error) {
      if (turn === this.#turn) this.#refused(error);
    }
  }

  #entered(op, answer) {
    if (op === "join") {
      this.me = answer.participant_id;
      this.rights = answer.rights ?? [];
      this.beatMs = answer.beat_ms ?? 0;
      this.#link.beatChanged();
    }
    this.#bare = this.#view === "none" ? answer : null;
    this.#become(this.#intent === "join" ? "joined" : "watching");
    if (this.#bare) this.#synced("attached");
    else if (this.#syncing) this.#arm(sync_timeout_ms, () => this.#overdue());
    else this.#settle();
    this.#pump();
  }

  #refused(error) {
    if (error.lost) return; // the next connection asks again
    if (error.retryable) {
      this.#arm(error.retryAfterMs ?? retry_ms, () => this.#enter());
      this.emit("refused", error);
      return;
    }
    const known = this.state !== "opening";
    this.#stop(known ? "removed" : "idle", error);
    if (known) this.emit("removed", { reason: error.code, error });
  }

  // The answer promised pushes that did not come.
  #overdue() {
    if (this.version === null || this.#gaps > 0)
      this.#enter({ op: "attach", fresh: true });
    else this.#synced("resumed"); // nothing was missed
  }

  #changes(push) {
    const before = [this.present, this.total];
    const { outcome, events } = this.#replica.applyChanges(
      push, this.#link.now());
    if (outcome === "gap") {
      this.#gaps++;
      if (!this.#syncing) this.#enter({ op: "attach" });
      return;
    }
    if (outcome === "stale") return;
    for (const event of events) this.emit(event.type, event);
    if (this.#syncing) this.#synced("resumed");
    this.#applied(before);
  }

  #synced(why) {
    this.#syncing = false;
    this.#disarm();
    this.#settle();
    this.emit("sync", { why, at: this.version });
  }

  // Answer and first state may come in either order; both must be here.
  #settle() {
    if (this.state === "opening" || this.#syncing) return;
    this.#ready?.resolve(this);
    this.#ready = null;
    this.#restoreLive();
  }

  #applied([present, total]) {
    if (present !== this.present || total !== this.total)
      this.emit("count", { present: this.present, total: this.total });
    this.emit("update", {});
  }

  #removed(reason) {
    if (!this.#intent) return;
    this.#stop("removed", new RollcallError({
      code: reason === "session_ended" ? "session_ended" : "forbidden",
      message: `removed from the session: ${reason}`,
    }));
    this.emit("removed", { reason });
  }

  #stop(state, error) {
    this.#turn++;
    this.#intent = null;
    this.#syncing = false;
    this.#wanted = {};
    this.beatMs = 0;
    this.#disarm();
    const reason = error ?? connectionLost();
    this.#ready?.reject(reason);
    this.#ready = null;
    this.#unsent?.reject(reason);
    this.#unsent = null;
    this.#link.beatChanged();
    this.#become(state);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", { state });
  }

  // -- live state --------------------------------------------------------------

  // A return that came too late starts without the keys set before. Those
  // that are there may be newer, from the same user's other connection.
  #restoreLive() {
    const own = this.me && this.participants.get(this.me);
    if (this.state !== "joined" || !own) return;
    const missing = Object.entries(this.#wanted).filter(([key, value]) => (
      value !== null && own.live?.[key] === undefined
    ));
    if (missing.length > 0) this.setLive(Object.fromEntries(missing));
  }

  async #pump() {
    if (this.#sending || !this.#unsent || this.state !== "joined") return;
    if (!this.#link.online()) return;
    const batch = this.#unsent;
    this.#unsent = null;
    this.#sending = true;
    try {
      const age = this.#link.now() - batch.at;
      batch.resolve(await this.#ask("set_live", {
        live: batch.live, age_ms: age > 0 ? Math.round(age) : undefined,
      }));
    } catch (error) {
      this.#unsettled(batch, error);
    }
    this.#sending = false;
    this.#pump();
  }

  #unsettled(batch, error) {
    if (!error.lost || this.#intent !== "join") {
      batch.reject(error);
    } else if (this.#unsent) {
      this.#unsent.live = { ...batch.live, ...this.#unsent.live };
      batch.resolve(this.#unsent.promise);
    } else {
      this.#unsent = batch;
    }
  }

  // -- helpers -------------------------------------------------------------------

  #ask(op, body = {}) {
    return this.#link.request(op, { session: this.id, ...body });
  }

  #durable(op, body) {
    return this.#link.durable(op, { session: this.id, ...body });
  }

  #arm(ms, action) {
    this.#disarm();
    this.#timer = this.#link.setTimeout(action, ms);
  }

  #disarm() {
    this.#link.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
