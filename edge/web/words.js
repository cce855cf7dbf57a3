// What the page says, in words. Pure.

const errors = {
  unauthenticated: ["This token was not accepted",
    "It may be mistyped, signed with another key or meant for another server. "
    + "Ask for a new one."],
  token_expired: ["Your token has expired", "Ask for a new one and enter again."],
  forbidden: ["You may not do this here",
    "Your token or your role in this session does not allow it."],
  not_found: ["There is no such session",
    "It does not exist, or it is private and you are not one of its members."],
  not_invited: ["You are not invited", "This session is for its members only."],
  banned: ["You are banned from this session", "A moderator decided so."],
  session_full: ["This session is full", "Try again when somebody has left."],
  session_locked: ["This session is locked", "Nobody new can enter for now."],
  session_ended: ["This session has ended", "It cannot be entered any more."],
  conflict: ["Another connection took this one's place",
    "You are probably here in another window."],
  precondition_failed: ["Somebody was faster",
    "It has changed since you looked at it."],
  rate_limited: ["Too much at once", "The server asks to slow down."],
  too_large: ["That was too large", "The server refused what was sent."],
  unavailable: ["The server cannot do this right now", "Try again in a moment."],
  bad_request: ["The server did not understand", "Check what you entered."],
  internal: ["Something went wrong on the server", "Try again in a moment."],
};

const closes = {
  kicked: ["A moderator removed you", "You can ask them to let you in again."],
  replaced: ["You are here in another window now",
    "Only one connection at a time is kept here."],
  revoked: ["Your token was revoked", "Ask for a new one."],
  bad_protocol: ["Page and server do not understand each other",
    "They may be of different versions. Reload the page."],
};

/** `{title, text}` for a `RollcallError`. */
export function describeError(error) {
  const closed = closes[error.reason];
  if (closed) return { title: closed[0], text: closed[1] };
  const [title, text] = errors[error.code] ?? errors.internal;
  const field = error.field ? ` (${error.field})` : "";
  const detail = error.message && error.message !== error.code
    ? ` Details: ${error.message}${field}.` : "";
  return { title, text: text + detail };
}

const reasons = {
  left: "left",
  timeout: "left: nothing heard for too long",
  network: "left: the connection was lost",
  kicked: "was removed",
  replaced: "left: replaced by another connection",
  session_ended: "left: the session ended",
  edge_lost: "left: the server they were on is gone",
};

export function describeLeave(reason) {
  return reasons[reason] ?? `left: ${reason}`;
}

const removals = {
  kicked: "A moderator removed you",
  replaced: "You are here in another window now",
  session_ended: "The session has ended",
  timeout: "Nothing was heard from you for too long",
  network: "Your connection was lost for too long",
};

export function describeRemoval(reason) {
  return removals[reason] ?? describeError({ code: reason }).title;
}

const live_words = {
  hand: ["raised a hand", "lowered the hand"],
  audio: ["turned the microphone on", "turned the microphone off"],
  video: ["turned the camera on", "turned the camera off"],
  typing: ["is typing", null],
};

/** One line per key worth telling of a `live` change. */
export function describeLive(live) {
  const lines = [];
  for (const [key, value] of Object.entries(live)) {
    const words = live_words[key];
    if (key === "step" && value !== null) lines.push(`went to step ${value}`);
    else if (words) lines.push(words[value ? 0 : 1]);
    else if (value !== null) lines.push(`set ${key} to ${value}`);
  }
  return lines.filter((line) => line !== null);
}

/** "just now", "2 min", "3 h 5 min", "2 days". */
export function describeSpan(ms) {
  const minutes = Math.floor(Math.max(0, ms) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours < 24) return rest ? `${hours} h ${rest} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return days === 1 ? "1 day" : `${days} days`;
}

/** The name to show: profile, else user id, else the start of the public id. */
export function nameOf(participant) {
  if (!participant) return "Somebody";
  return participant.name || participant.user
    || `Guest ${participant.participant_id.slice(0, 4)}`;
}

export function initialsOf(name) {
  const words = name.trim().split(/\s+/u);
  const first = [...words[0]][0] ?? "?";
  const last = words.length > 1 ? [...words[words.length - 1]][0] : "";
  return (first + last).toUpperCase();
}

// Even steps of hue would give half a dozen greens that look the same.
const hues = [4, 26, 42, 84, 142, 170, 192, 212, 234, 262, 290, 328];

/** A hue that stays the same for the same id. */
export function hueOf(id) {
  let hash = 2166136261;
  for (const char of id)
    hash = Math.imul(hash ^ char.codePointAt(0), 16777619) >>> 0;
  return hues[(hash >>> 8) % hues.length];
}
