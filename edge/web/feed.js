// The list of what happened, newest first.

import { h } from "./dom.js";
import { describeLeave, describeLive, nameOf } from "./words.js";

const max_entries = 200;
const clock = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

export class Feed {
  #list;

  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#list.replaceChildren();
  }

  /** Adds a line: `tone` colours its dot, `who` may be null. */
  add(tone, who, text) {
    const at = new Date();
    if (who === "You")
      text = text.replace(/^is /, "are ").replace(/^was /, "were ");
    const line = h("li", { class: "feed-item", "data-tone": tone },
      h("time", { datetime: at.toISOString() }, clock.format(at)),
      h("p", {}, who ? h("strong", {}, who) : null, who ? ` ${text}` : text));
    this.#list.prepend(line);
    while (this.#list.children.length > max_entries)
      this.#list.lastElementChild.remove();
  }

  /** Follows a session's events. `isMe(participant_id)` tells who "You" is. */
  follow(session, isMe) {
    const name = (event) => {
      const id = event.participant?.participant_id ?? event.participant_id;
      return isMe(id) ? "You" : nameOf(event.participant);
    };
    session.on("joined", (event) => this.add("in", name(event),
      event.is_reconnection ? "came back" : "joined"));
    session.on("left", (event) => (
      this.add("out", name(event), describeLeave(event.reason))
    ));
    session.on("suspected", (event) => (
      this.add("warn", name(event), isMe(event.participant_id)
        ? "were not heard for a while" : "may be gone: connection silent")
    ));
    session.on("resumed", (event) => this.add("in", name(event), "is back"));
    session.on("live", (event) => {
      for (const line of describeLive(event.live))
        this.add("live", name(event), line);
    });
    session.on("member", (event) => {
      if (event.participant && event.changed?.includes("name"))
        this.add("note", nameOf(event.previous),
                 `is now called ${nameOf(event.participant)}`);
      const [role, before] = [event.role, event.previous?.role];
      if (!event.participant || role === before) return;
      this.add("note", name(event),
               role ? `is now ${role}` : `is no longer ${before}`);
    });
    session.on("host", ({ host }) => {
      const who = host && session.participants.get(host);
      if (!host) this.add("note", null, "There is no host now");
      else this.add("note", isMe(host) ? "You" : nameOf(who),
                    "became the host");
    });
    session.on("session", ({ ended }) => (
      this.add("note", null, ended ? "The session ended" : "Settings changed")
    ));
  }
}
