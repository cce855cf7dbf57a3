// The cards of the people here, and one's own with its switches.

import { h, icon, setText, show } from "./dom.js";
import { describeSpan, hueOf, initialsOf, nameOf } from "./words.js";

const max_cards = 300; // a crowd is a number, not a wall of cards
const switches = [
  ["hand", "Hand up"],
  ["audio", "Microphone"],
  ["video", "Camera"],
  ["typing", "Typing"],
];
const labels = { hand: "Hand up", audio: "Mic on", video: "Camera on",
                 typing: "Typing" };

// What is off is not worth a chip.
function chips(live = {}) {
  const out = [];
  for (const [key, value] of Object.entries(live)) {
    if (value === false) continue;
    const known = labels[key];
    if (known && value === true) {
      out.push(h("li", { class: "chip", "data-key": key }, icon(key), known));
    } else if (key === "step") {
      out.push(h("li", { class: "chip", "data-key": key },
        icon("step"), `Step ${value}`));
    } else {
      out.push(h("li", { class: "chip" },
        value === true ? key : `${key}: ${value}`));
    }
  }
  return out;
}

function badges(participant, isHost, isMe) {
  const out = [];
  if (isMe) out.push(h("span", { class: "badge you" }, "You"));
  if (isHost)
    out.push(h("span", { class: "badge host" }, icon("crown"), "Host"));
  if (participant.role)
    out.push(h("span", { class: "badge" }, participant.role));
  return out;
}

function facts(participant, now) {
  const span = describeSpan(now - participant.since_at);
  const out = [span === "just now" ? "Joined just now" : `Here for ${span}`];
  if (participant.connections > 1)
    out.push(`${participant.connections} connections`);
  if (participant.reconnections === 1) out.push("reconnected once");
  else if (participant.reconnections > 1)
    out.push(`reconnected ${participant.reconnections} times`);
  return out.join(" · ");
}

/** One participant's card; kept and patched for as long as they are here. */
class Card {
  #participant = null;
  #host = null;
  #grace = 1;

  constructor(tag, id) {
    this.avatar = h("span", { class: "avatar", "aria-hidden": "true" });
    this.avatar.style.setProperty("--hue", hueOf(id));
    this.name = h("span", { class: "name" });
    this.badges = h("span", { class: "badges" });
    this.facts = h("p", { class: "facts" });
    this.chips = h("ul", { class: "chips", "aria-label": "State" });
    this.alarm = h("p", { class: "alarm", hidden: true });
    this.rest = h("span", { class: "rest", "aria-hidden": "true" });
    this.element = h(tag, { class: "card", "data-id": id }, this.avatar,
      h("div", { class: "card-main" },
        h("p", { class: "title" }, this.name, this.badges),
        this.facts, this.alarm, this.chips),
      this.rest);
  }

  update(participant, isHost, isMe, now) {
    if (participant !== this.#participant || isHost !== this.#host) {
      const name = nameOf(participant);
      setText(this.avatar, initialsOf(name));
      setText(this.name, name);
      this.name.title = participant.email ?? "";
      this.badges.replaceChildren(...badges(participant, isHost, isMe));
      this.chips.replaceChildren(...chips(participant.live));
      show(this.chips, this.chips.children.length > 0);
      this.element.dataset.state = participant.state;
      this.#grace = Math.max(1, participant.expires_in_ms ?? 1);
      this.#participant = participant;
      this.#host = isHost;
    }
    this.clock(now);
  }

  /** Only what moves with time. */
  clock(now) {
    const participant = this.#participant;
    setText(this.facts, facts(participant, now));
    const suspected = participant.state === "suspected";
    show(this.alarm, suspected);
    if (!suspected) return;
    const left = Math.max(0, participant.expires_at - now);
    const seconds = Math.ceil(left / 1000);
    setText(this.alarm, left > 0
      ? `Connection lost · leaves in ${seconds} s` : "Connection lost");
    this.element.style.setProperty("--rest", (left / this.#grace).toFixed(3));
  }
}

/** Everybody but oneself. */
export class People {
  #list;
  #cards = new Map();

  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#cards.clear();
    this.#list.replaceChildren();
  }

  /** Shows the participants of `session` in order of joining. */
  update(session, me, now) {
    const shown = [];
    for (const [id, participant] of session.participants) {
      if (id === me) continue;
      if (shown.length === max_cards) break;
      let card = this.#cards.get(id);
      if (!card) this.#cards.set(id, card = new Card("li", id));
      card.update(participant, id === session.host, false, now);
      shown.push(id);
    }
    const wanted = new Set(shown);
    for (const [id, card] of this.#cards) {
      if (wanted.has(id)) continue;
      card.element.remove();
      this.#cards.delete(id);
    }
    // Move only what is out of place: a moved card loses its focus.
    let at = this.#list.firstElementChild;
    for (const id of shown) {
      const { element } = this.#cards.get(id);
      if (element === at) at = at.nextElementSibling;
      else this.#list.insertBefore(element, at);
    }
    return session.participants.size - (session.participants.has(me) ? 1 : 0)
      - shown.length;
  }

  clock(now) {
    for (const card of this.#cards.values()) card.clock(now);
  }
}

/** One's own card, with the switches of live state. */
export class OwnCard {
  #root;
  #card = null;
  #buttons = new Map();
  #steps = [];
  #drop;
  #exits;
  #controls;
  #gone;
  #enter;

  /** `act` has set(live), leave(), enter() and drop(). */
  constructor(root, act) {
    this.#root = root;
    const toggles = switches.map(([key, label]) => {
      const button = h("button", {
        type: "button", class: "toggle", "data-key": key,
        "aria-pressed": "false",
        onclick: () => act.set({
          [key]: button.getAttribute("aria-pressed") === "true" ? null : true,
        }),
      }, icon(key), label);
      this.#buttons.set(key, button);
      return button;
    });
    this.#steps = [1, 2, 3].map((step) => h("input", {
      type: "radio", name: "step", value: step, id: `step-${step}`,
      onchange: () => act.set({ step }),
    }));
    const steps = h("fieldset", { class: "steps" },
      h("legend", {}, "Step"),
      ...this.#steps.flatMap((input) => [
        input, h("label", { for: input.id }, input.value)]));
    this.#enter = h("button", {
      type: "button", class: "primary", id: "enter", onclick: act.enter,
    }, "Join again");
    this.#gone = h("div", { class: "gone" },
      h("p", { class: "gone-text" }), this.#enter);
    this.#drop = h("button", {
      type: "button", class: "quiet", id: "drop", onclick: act.drop,
      title: "For developers: cuts the socket without a goodbye and comes "
        + "back after a few seconds. Others see you fade and return.",
    }, "Drop connection");
    this.#exits = h("div", { class: "exits" }, this.#drop,
      h("button", { type: "button", id: "leave", onclick: act.leave },
        "Leave"));
    this.#controls = h("div", {
      class: "controls", role: "group", "aria-label": "Your state",
    }, ...toggles, steps);
  }

  /** `state`: "in", "out" (with a text and maybe a way back) or "none". */
  update({ state, participant, isHost, text, canEnter, busy, label }, now) {
    show(this.#root, state !== "none");
    if (state === "out") {
      this.#card = null;
      setText(this.#gone.firstElementChild, text);
      show(this.#enter, canEnter);
      setText(this.#enter, label ?? "Join again");
      this.#fill(this.#gone);
    } else if (state === "in") {
      const id = participant.participant_id;
      if (this.#card?.element.dataset.id !== id) this.#card = new Card("div", id);
      this.#card.update(participant, isHost, true, now);
      this.#fill(this.#card.element, this.#exits, this.#controls);
      this.#press(participant.live ?? {}, busy);
    }
  }

  clock(now) {
    this.#card?.clock(now);
  }

  #fill(...parts) {
    const now = [...this.#root.children];
    const same = now.length === parts.length
      && parts.every((part, index) => part === now[index]);
    if (!same) this.#root.replaceChildren(...parts);
  }

  #press(live, busy) {
    for (const [key, button] of this.#buttons)
      button.setAttribute("aria-pressed", String(Boolean(live[key])));
    for (const input of this.#steps)
      input.checked = String(live.step) === input.value;
    this.#drop.disabled = busy;
    for (const part of [...this.#buttons.values(), ...this.#steps])
      part.disabled = busy;
  }
}
