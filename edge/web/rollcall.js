// The client of the native protocol (JSON dialect) for browsers and Node.

import { Emitter } from "./emitter.js";
import {
  RollcallError, connectionLost, finalClose, token_expired_close,
} from "./errors.js";
import { Requests } from "./requests.js";
import { Session } from "./session.js";

export { RollcallError } from "./errors.js";
export { Replica, compareVersions } from "./replica.js";

const answer_timeout_ms = 10_000;
const durable_timeout_ms = 30_000;
const first_backoff_ms = 500;
const max_backoff_ms = 15_000;
const stable_after_ms = 10_000;
const default_beat_ms = 15_000;
const refresh_lead_ms = 30_000;
const drop_close = 4000; // any close but 1000 and 1001 says no goodbye

const real_clock = {
  now: () => Date.now(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

function socketUrl(url) {
  const out = new URL(url, globalThis.location?.href);
  out.protocol = out.protocol.replace(/^http/, "ws");
  if (out.pathname === "/") out.pathname = "/v1/connect";
  out.hash = "";
  return out.href;
}

/**
 * Connects, and stays connected until `close` or a refusal that is final.
 *
 * @param {object} options
 * @param {string} options.url the node: http(s) or ws(s), with or without path
 * @param {string} [options.token] a JWT; none for an anonymous connection
 * @param {() => string | Promise<string>} [options.onToken] called for a
 *   fresh token shortly before and after the present one expires
 * @param {Function} [options.WebSocket] where the platform has none
 * @param {object} [options.clock] now, setTimeout, clearTimeout
 * @param {() => number} [options.random] for the jitter
 * @returns {Client}
 */
export function connect(options) {
  return new Client(options);
}

/**
 * One connection to a node, remade as often as needed.
 *
 * Events: `state` ({state, retryAt?, error?}), `bye`, `token_refused`.
 */
export class Client extends Emitter {
  #url;
  #token;
  #onToken;
  #WebSocket;
  #clock;
  #random;
  #socket = null;
  #welcomed = false;
  #resume = null;
  #staleToken = false;
  #bye = null;
  #attempts = 0;
  #onlineSince = 0;
  #requests;
  #sessions = new Map();
  #beatMs = default_beat_ms;
  #lastSent = 0;
  #lastReceived = 0;
  #timers = { hello: null, beat: null, retry: null, refresh: null };
  #ready = {};

  /** `connecting`, `online`, `reconnecting` or `closed` (for good). */
  state = "connecting";
  /** The last `welcome`. */
  welcome = null;
  /** When the next attempt is due, while `reconnecting`. */
  retryAt = null;
  /** Why it is `closed`, unless by `close()`. */
  error = null;

  constructor({ url, token, onToken, WebSocket = globalThis.WebSocket,
                clock = real_clock, random = Math.random }) {
    super();
    this.#url = socketUrl(url);
    this.#token = token;
    this.#onToken = onToken;
    this.#WebSocket = WebSocket;
    this.#clock = clock;
    this.#random = random;
    this.#requests = new Requests((message) => this.#transmit(message), clock);
    /** Settles with the first `welcome` or the final refusal. */
    this.ready = new Promise((resolve, reject) => {
      this.#ready = { resolve, reject };
    });
    this.ready.catch(() => {});
    this.#open();
  }

  /** Joins a session: `{view, create, live}`. Resolves once it is in step. */
  join(session, options) {
    return this.session(session).join(options);
  }

  /** Watches a session without joining: `{view}`. */
  watch(session, options) {
    return this.session(session).watch(options);
  }

  /** The one `Session` object of that id, entered or not. */
  session(id) {
    let session = this.#sessions.get(id);
    if (!session) {
      session = new Session(this.#link(), id);
      this.#sessions.set(id, session);
    }
    return session;
  }

  createSession(session, kind, settings) {
    return this.#durable("create_session", { session, kind, settings });
  }

  /** One page of the sessions there are. */
  sessions(wish = {}) {
    return this.request("list_sessions", wish);
  }

  /** Asks the server something; rejects with a `RollcallError`. */
  request(op, body = {}) {
    if (!this.#welcomed) return Promise.reject(connectionLost());
    return this.#requests.ask(op, body, { ms: answer_timeout_ms });
  }

  /** Leaves everything and stays away. */
  close() {
    this.#finish(null);
  }

  /** Cuts the socket without a goodbye, as a failing network would. */
  drop(retry_after_ms = 0) {
    if (this.state !== "online") return;
    this.#bye = { after_ms: retry_after_ms };
    this.#lost(drop_close);
  }

  /** Tries at once instead of at `retryAt`. */
  retryNow() {
    if (this.state === "reconnecting") this.#open();
  }

  /**
   * Sends the heartbeat that is due, if one is. Runs by itself; call it too
   * from a timer that browsers do not slow down in hidden pages.
   */
  tick() {
    if (!this.#welcomed) return;
    const now = this.#clock.now();
    if (now - this.#lastSent >= this.#beatMs * 0.75) this.#beat(now);
    this.#armBeat();
  }

  // -- the socket --------------------------------------------------------------

  #open() {
    this.#clearTimers();
    this.#bye = null;
    this.retryAt = null;
    this.#become("connecting");
    const socket = new this.#WebSocket(this.#url, ["rollcall.v1.json"]);
    this.#socket = socket;
    const mine = (action) => (event) => {
      if (this.#socket === socket) action(event);
    };
    socket.onopen = mine(() => this.#hello(socket));
    socket.onmessage = mine((event) => this.#receive(event.data));
    socket.onclose = mine((event) => this.#lost(event.code));
    socket.onerror = () => {}; // a close follows
    this.#timers.hello = this.#clock.setTimeout(
      mine(() => this.#lost(1006)), answer_timeout_ms);
  }

  // The token goes in `hello` and not into the handshake: a browser cannot
  // tell a handshake refused with 401 from a network that is down.
  async #hello(socket) {
    if (this.#staleToken && this.#onToken) {
      try {
        this.#token = await this.#onToken();
        this.#staleToken = false;
      } catch {
        if (this.#socket === socket) this.#lost(1006);
        return;
      }
    }
    if (this.#socket !== socket) return;
    const body = { token: this.#token, resume: this.#resume ?? undefined };
    try {
      await this.#requests.ask("hello", body, { ms: answer_timeout_ms });
    } catch (error) {
      if (this.#socket === socket) this.#refused(error);
    }
  }

  #refused(error) {
    const token = error.code === "unauthenticated"
      || error.code === "token_expired";
    if (error.field === "resume" && this.#resume) {
      this.#resume = null;
      this.#lost(1006);
    } else if (token && this.#onToken && !this.#staleToken) {
      this.emit("token_refused", error);
      this.#staleToken = true;
      this.#lost(1006);
    } else if (error.retryable) {
      this.#bye = { after_ms: error.retryAfterMs ?? 0 };
      this.#lost(1006);
    } else {
      this.#finish(error);
    }
  }

  #welcome(push) {
    this.welcome = push;
    this.#resume = push.resume ?? null;
    this.#welcomed = true;
    this.#onlineSince = this.#clock.now();
    this.#clock.clearTimeout(this.#timers.hello);
    this.#armRefresh(push.expires_in_ms);
    this.#beatChanged();
    this.#become("online");
    this.#ready.resolve(this);
    const resyncs = [...this.#sessions.values()].map((s) => s.resync());
    const socket = this.#socket;
    Promise.all(resyncs).then(() => {
      if (this.#socket === socket) this.#requests.resend();
    });
  }

  #lost(code) {
    const bye = this.#bye;
    const final = finalClose(code, bye);
    if (final) return this.#finish(final);
    if (code === token_expired_close || bye?.code === token_expired_close) {
      if (!this.#onToken) {
        return this.#finish(new RollcallError({
          code: "token_expired", message: "the token has expired",
        }));
      }
      this.#staleToken = true;
    }
    const now = this.#clock.now();
    this.#disconnect(code);
    if (this.#onlineSince && now - this.#onlineSince >= stable_after_ms)
      this.#attempts = 0;
    this.#onlineSince = 0;
    const span = Math.min(max_backoff_ms,
                          first_backoff_ms * 2 ** this.#attempts++);
    const wait = (bye?.after_ms ?? 0) + span * (0.5 + this.#random() / 2);
    this.retryAt = now + wait;
    this.#timers.retry = this.#clock.setTimeout(() => this.#open(), wait);
    this.#become("reconnecting");
  }

  // Lets go of the socket, and of what only it could have answered.
  #disconnect(code) {
    const socket = this.#socket;
    this.#socket = null;
    this.#welcomed = false;
    this.#clearTimers();
    if (socket && socket.readyState <= 1)
      socket.close(code === 1000 ? 1000 : drop_close);
    this.#requests.lost();
    for (const session of this.#sessions.values()) session.disconnected();
  }

  #finish(error) {
    if (this.state === "closed") return;
    this.error = error;
    this.#disconnect(1000);
    const reason = error ?? connectionLost();
    this.#requests.abandon(reason);
    this.#become("closed");
    for (const session of this.#sessions.values()) session.closed(reason);
    this.#ready.reject(reason);
  }

  // -- frames ------------------------------------------------------------------

  #send(message) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify(message));
    this.#lastSent = this.#clock.now();
    return true;
  }

  // Before the welcome there is nothing to say but hello.
  #transmit(message) {
    return (this.#welcomed || message.op === "hello") && this.#send(message);
  }

  #receive(data) {
    this.#lastReceived = this.#clock.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return this.#lost(1007);
    }
    if (message.push === "welcome") this.#welcome(message);
    else if (message.push === "bye") this.#goodbye(message);
    else if (message.push) this.#sessions.get(message.session)?.receive(message);
    if ("re" in message) this.#requests.answered(message);
  }

  #goodbye(push) {
    this.#bye = push;
    this.emit("bye", push);
  }

  #durable(op, body) {
    const op_id = globalThis.crypto?.randomUUID?.()
      ?? `${this.#clock.now().toString(36)}-${this.#random().toString(36)}`;
    return this.#requests.ask(op, { ...body, op_id },
                              { ms: durable_timeout_ms, durable: true });
  }

  // -- signs of life, tokens -----------------------------------------------------

  #beatChanged() {
    const spans = [this.welcome?.beat_ms ?? default_beat_ms];
    for (const session of this.#sessions.values())
      if (session.beatMs > 0) spans.push(session.beatMs);
    this.#beatMs = Math.min(...spans);
    if (this.#welcomed) this.#armBeat();
  }

  #armBeat() {
    this.#clock.clearTimeout(this.#timers.beat);
    const due = this.#lastSent + this.#beatMs * 0.75 - this.#clock.now();
    this.#timers.beat = this.#clock.setTimeout(
      () => this.tick(), Math.max(1, due));
  }

  // Asks for an answer only where the server has been silent: that is what
  // tells a quiet session from a dead network.
  #beat(now) {
    this.#lastSent = now;
    if (now - this.#lastReceived < this.#beatMs * 0.5) {
      this.#send({ op: "heartbeat" });
      return;
    }
    const socket = this.#socket;
    this.request("heartbeat").catch((error) => {
      const silent = this.#lastReceived <= now;
      if (error.lost && silent && this.#socket === socket) this.#lost(1006);
    });
  }

  #armRefresh(expires_in_ms) {
    this.#clock.clearTimeout(this.#timers.refresh);
    if (!this.#onToken || !expires_in_ms) return;
    const wait = Math.max(expires_in_ms - refresh_lead_ms, expires_in_ms / 2);
    this.#timers.refresh = this.#clock.setTimeout(() => this.#refresh(), wait);
  }

  async #refresh() {
    try {
      const token = await this.#onToken();
      const answer = await this.request("refresh_token", { token });
      this.#token = token;
      this.#armRefresh(answer.expires_in_ms);
    } catch (error) {
      this.emit("token_refused", error); // the server's 3004 decides
    }
  }

  #link() {
    return {
      request: (op, body) => this.request(op, body),
      durable: (op, body) => this.#durable(op, body),
      online: () => this.#welcomed,
      ended: () => this.state === "closed",
      beatChanged: () => this.#beatChanged(),
      now: () => this.#clock.now(),
      setTimeout: (action, ms) => this.#clock.setTimeout(action, ms),
      clearTimeout: (timer) => this.#clock.clearTimeout(timer),
    };
  }

  #clearTimers() {
    for (const name of Object.keys(this.#timers)) {
      this.#clock.clearTimeout(this.#timers[name]);
      this.#timers[name] = null;
    }
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", { state, retryAt: this.retryAt, error: this.error });
  }
}
