// A clock that stands still until told, and sockets that a test answers.

export class FakeClock {
  time = 1_000_000;
  #timers = new Map();
  #next = 1;

  now = () => this.time;

  setTimeout = (action, ms) => {
    this.#timers.set(this.#next, { at: this.time + ms, action });
    return this.#next++;
  };

  clearTimeout = (timer) => {
    this.#timers.delete(timer);
  };

  /** Lets `ms` pass, firing what falls due in order. */
  async pass(ms) {
    const end = this.time + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= end)
        .sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due[0]);
      this.time = Math.max(this.time, due[1].at);
      due[1].action();
      await settle();
    }
    this.time = end;
    await settle();
  }
}

/** Lets promises that are ready run to their end. */
export async function settle() {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** A `WebSocket` class whose instances land in `sockets`. */
export function fakeSockets() {
  const sockets = [];
  class FakeWebSocket {
    readyState = 0;
    sent = [];
    closedWith = null;

    constructor(url, protocols) {
      this.url = url;
      this.protocols = protocols;
      sockets.push(this);
    }

    send(data) {
      this.sent.push(JSON.parse(data));
    }

    close(code) {
      this.closedWith = code;
      this.readyState = 2;
    }

    // -- for the test, which plays the server --

    async open() {
      this.readyState = 1;
      this.onopen({});
      await settle();
    }

    async say(message) {
      this.onmessage({ data: JSON.stringify(message) });
      await settle();
    }

    async end(code) {
      this.readyState = 3;
      this.onclose({ code });
      await settle();
    }

    /** The last request of that kind. */
    last(op) {
      return this.sent.findLast((message) => message.op === op);
    }

    async answer(op, more = {}) {
      await this.say({ re: this.last(op).id, ok: true, ...more });
    }

    async refuse(op, error) {
      await this.say({ re: this.last(op).id, ok: false, error });
    }
  }
  return { sockets, WebSocket: FakeWebSocket };
}
