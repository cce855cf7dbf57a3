// What every peer keeps of a room: the records of those present, each encoded
// once, and the list of them as one text that is rebuilt only when it changed.
// A join, the commonest change, only appends to it.

export class Room {
  #records = new Map();
  #list = "";
  #stale = false;

  add(user, name) {
    const record =
      `{"user":"${user}","name":"${name}","role":"member",` +
      `"state":"online","since_at":${Date.now()}}`;
    if (!this.#records.has(user) && !this.#stale)
      this.#list += (this.#list ? "," : "") + record;
    else
      this.#stale = true;
    this.#records.set(user, record);
    return record;
  }

  remove(user) {
    this.#stale = true;
    return this.#records.delete(user);
  }

  get empty() {
    return this.#records.size === 0;
  }

  /// The records of all present, as the inside of a JSON array.
  get list() {
    if (this.#stale) {
      this.#list = [...this.#records.values()].join(",");
      this.#stale = false;
    }
    return this.#list;
  }
}

export class Rooms {
  #rooms = new Map();

  at(name) {
    let room = this.#rooms.get(name);
    if (!room) this.#rooms.set(name, (room = new Room()));
    return room;
  }

  leave(name, user) {
    const room = this.#rooms.get(name);
    room?.remove(user);
    if (room?.empty) this.#rooms.delete(name);
  }
}

export const port = Number(process.argv[2]);

// With "quiet" nobody is told of joins: only for filling a room so large that
// telling everyone of everyone would take longer than what is to be measured.
export const quiet = process.argv.includes("quiet");
