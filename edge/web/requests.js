// The questions a client has asked and not yet been answered.

import { RollcallError, connectionLost } from "./errors.js";

const max_unanswered = 64; // the server's own bound

/** Owned by one `Client`. Every question ends: answered, lost or too late. */
export class Requests {
  #transmit;
  #clock;
  #nextId = 1;
  #pending = new Map();
  #held = [];

  /** `transmit(message)` says whether the message could be sent. */
  constructor(transmit, clock) {
    this.#transmit = transmit;
    this.#clock = clock;
  }

  /**
   * @param {number} ms how long to wait for the answer
   * @param {boolean} durable keep it over a lost connection, until `resend`
   */
  ask(op, body, { ms, durable = false }) {
    if (this.#pending.size + this.#held.length >= max_unanswered) {
      return Promise.reject(new RollcallError({
        code: "rate_limited", message: "too many unanswered requests",
        retryable: true,
      }));
    }
    return new Promise((resolve, reject) => {
      const entry = { op, body, durable, resolve, reject, id: null };
      entry.timer = this.#clock.setTimeout(() => this.#late(entry), ms);
      this.#start(entry);
    });
  }

  /** Takes a frame of the server, if it is an answer. */
  answered(message) {
    const entry = this.#pending.get(message.re);
    if (!entry) return;
    this.#pending.delete(message.re);
    if (message.ok === false)
      this.#end(entry, "reject", new RollcallError(message.error ?? {}));
    else this.#end(entry, "resolve", message);
  }

  /** The connection is gone: only durable questions outlive it. */
  lost() {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const entry of pending) {
      if (entry.durable) this.#held.push(entry);
      else this.#end(entry, "reject", connectionLost());
    }
  }

  /** Asks again what a lost connection left open. */
  resend() {
    for (const entry of this.#held.splice(0)) this.#start(entry);
  }

  /** There will be no further connection. */
  abandon(reason) {
    for (const entry of this.#held.splice(0))
      this.#end(entry, "reject", reason);
  }

  #start(entry) {
    entry.id = this.#nextId++;
    if (this.#transmit({ op: entry.op, id: entry.id, ...entry.body }))
      this.#pending.set(entry.id, entry);
    else if (entry.durable) this.#held.push(entry);
    else this.#end(entry, "reject", connectionLost());
  }

  #late(entry) {
    this.#pending.delete(entry.id);
    this.#held = this.#held.filter((held) => held !== entry);
    entry.reject(connectionLost());
  }

  #end(entry, verdict, value) {
    this.#clock.clearTimeout(entry.timer);
    entry[verdict](value);
  }
}
