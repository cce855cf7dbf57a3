// The smallest event source that works the same in browsers and in Node.

export class Emitter {
  #listeners = new Map();

  /** Calls `listener(detail)` on every `type`. Returns a way to stop. */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(type, listeners);
    return () => listeners.delete(listener);
  }

  /** Tells the listeners of `type`. One that throws stops no other. */
  emit(type, detail) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
