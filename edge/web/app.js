// The live page: one session, seen and joined through rollcall.js.

import { byId, setText, show } from "./dom.js";
import { Feed } from "./feed.js";
import { OwnCard, People } from "./people.js";
import { Past } from "./past.js";
import { connect } from "./rollcall.js";
import { Sparkline } from "./spark.js";
import { describeError, describeRemoval } from "./words.js";

const drop_pause_ms = 4000; // long enough for others to see it
const token_key = "rollcall.token";
const link_words = {
  idle: "", connecting: "Connecting…", online: "Online",
  reconnecting: "Reconnecting", closed: "Disconnected",
};

const people = new People(byId("people"));
const feed = new Feed(byId("feed"));
const spark = new Sparkline(byId("spark"), byId("spark-caption"));
const past = new Past(byId("past"));
const own = new OwnCard(byId("own"), {
  set: (live) => attempt(now.session.setLive(live)),
  leave: () => leave(),
  enter: () => enter(),
  drop: () => now.client.drop(drop_pause_ms),
});

// What the page is about at the moment; replaced as a whole by `start`.
let now = idle({});
let drawing = false;

function idle(params) {
  return { params, client: null, session: null, error: null, entered: false,
           note: null, wasOnline: false };
}

// -- where to -------------------------------------------------------------------

function readParams() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const session = fragment.get("session") ?? "";
  const token = fragment.get("token")
    ?? sessionStorage.getItem(token_key) ?? "";
  const view = fragment.get("view") || "roster";
  return { session, token, view, create: fragment.get("create") || undefined };
}

function start() {
  now.client?.close();
  now = idle(readParams());
  feed.clear();
  people.clear();
  spark.clear();
  past.clear();
  if (now.params.session) open();
  else showForm();
  draw();
}

function open() {
  const { params } = now;
  const client = connect({ url: location.origin,
                           token: params.token || undefined });
  const session = client.session(params.session);
  Object.assign(now, { client, session });
  client.on("state", () => linkChanged(client));
  client.ready.then(() => enter(), () => {}); // `state` tells of the refusal
  past.follow(session);
  feed.follow(session, (id) => id !== undefined && id === session.me);
  for (const type of ["update", "state"]) session.on(type, draw);
  session.on("count", () => counted());
  session.on("sync", ({ why }) => {
    counted();
    if (why === "epoch_changed")
      feed.add("note", null, "Another server took over; list read anew");
    else if (why !== "attached" && why !== "resumed")
      feed.add("note", null, "Too much was missed; list read anew");
  });
  session.on("refused", (error) => (
    feed.add("warn", null, describeError(error).title)
  ));
  session.on("removed", ({ reason, error }) => {
    now.note = describeRemoval(reason);
    feed.add("out", null, now.note);
    if (error) fail(error);
    draw();
  });
}

// -- in and out -------------------------------------------------------------------

async function enter() {
  const { session, params } = now;
  now.note = null;
  now.error = null;
  try {
    if (params.token) {
      await session.join({ view: params.view, create: params.create });
    } else {
      const view = params.view === "roster" ? "events" : params.view;
      await session.watch({ view });
    }
    now.entered = true;
  } catch (error) {
    if (now.session === session && !error.lost) fail(error);
  }
  draw();
}

// Having left, one may go on watching where the session allows it.
async function leave() {
  const { session, params } = now;
  await attempt(session.leave());
  now.note = "You have left. You still see who is here.";
  try {
    await session.watch({ view: params.view });
  } catch {
    now.note = "You have left.";
  }
  draw();
}

async function attempt(promise) {
  try {
    await promise;
  } catch (error) {
    if (!error.lost) feed.add("warn", null, describeError(error).title);
  }
}

function fail(error) {
  now.error = error;
  const { title, text } = describeError(error);
  setText(byId("alert-title"), title);
  setText(byId("alert-text"), text);
  draw();
}

function linkChanged(client) {
  if (now.client !== client) return;
  if (client.state === "online") {
    if (now.wasOnline) feed.add("in", null, "Connection is back");
    now.wasOnline = true;
  } else if (client.state === "reconnecting" && now.wasOnline) {
    if (client.retryAt && !now.lostTold)
      feed.add("warn", null, "Connection lost");
  }
  now.lostTold = client.state !== "online" && now.wasOnline;
  if (client.error) fail(client.error);
  draw();
}

function counted() {
  const { session } = now;
  spark.add(session.present, Date.now());
  past.changed();
  document.title = `(${session.present}) ${session.id} · Rollcall`;
  draw();
}

// -- what is seen -------------------------------------------------------------------

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    drawLink();
    drawRoom();
  });
}

function drawLink() {
  const state = now.client?.state ?? "idle";
  byId("link").dataset.state = state;
  setText(byId("link-text"), link_words[state]);
  drawWait();
  show(byId("retry"), state === "reconnecting");
}

function drawWait() {
  const at = now.client?.state === "reconnecting" && now.client.retryAt;
  const seconds = at ? Math.max(0, Math.ceil((at - Date.now()) / 1000)) : 0;
  setText(byId("link-wait"), at ? `in ${seconds} s` : "");
}

function drawRoom() {
  const { client, session, error } = now;
  show(byId("alert"), Boolean(error));
  const visible = Boolean(session) && !(error && !now.entered);
  show(byId("room"), visible);
  if (!visible) return;
  const online = client.state === "online";
  byId("room").dataset.stale = String(!online || !session.inStep);
  setText(byId("room-name"), session.id);
  setText(byId("room-kind"), session.kind ?? "…");
  show(byId("room-view"), session.view !== "roster");
  setText(byId("room-view"), session.view === "count"
    ? "Numbers only" : "Comings and goings only");
  show(byId("room-ended"), session.ended);
  show(byId("room-stale"), session.stale);
  setText(byId("present"), now.entered ? String(session.present) : "–");
  setText(byId("total"), now.entered ? String(session.total) : "–");
  drawOwn(online);
  drawPeople();
  spark.draw(Date.now());
}

function ownState(online) {
  const { client, session, params } = now;
  if (!params.token || !now.entered) return { state: "none" };
  if (session.state === "joined" || session.state === "opening") {
    // Views without a roster show oneself from what is known here.
    const participant = session.participants.get(session.me)
      ?? (session.view === "roster" ? null : {
        participant_id: session.me, user: client.welcome.user,
        state: "online", since_at: Date.now(), connections: 1,
      });
    if (!participant) return { state: "none" };
    return { state: "in", participant, busy: !online || !session.inStep,
             isHost: session.me === session.host };
  }
  return { state: "out", text: now.note ?? "You are not in this session.",
           canEnter: online && !session.ended };
}

function drawOwn(online) {
  own.update(ownState(online), Date.now());
}

function drawPeople() {
  const { session } = now;
  const inside = session.state === "joined" ? session.me : null;
  const hidden = people.update(session, inside, Date.now());
  const others = byId("people").children.length;
  const roster = session.view === "roster";
  show(byId("people-empty"), others === 0);
  setText(byId("people-empty"), emptyWords(roster, inside));
  setText(byId("people-note"),
          hidden > 0 ? `and ${hidden} more` : "");
  setText(byId("people-title"), inside && roster ? "Others" : "People");
}

function emptyWords(roster, inside) {
  if (!now.entered) return "Entering…";
  if (!roster) return "This view does not name anybody.";
  if (inside) return "Nobody else yet. Open this page as somebody else.";
  return "Nobody is here.";
}

// -- the form -----------------------------------------------------------------------

function showForm() {
  show(byId("entry"), true);
  show(byId("alert"), false);
  now.error = null;
  byId("form-session").value = now.params.session ?? "";
  byId("form-token").value = now.params.token ?? "";
  byId("form-create").value = now.params.create ?? "";
  byId("form-view").value = now.params.view ?? "roster";
  byId("form-session").focus();
  document.title = "Rollcall";
}

function submit(event) {
  event.preventDefault();
  const data = new FormData(event.target);
  const text = (name) => String(data.get(name) ?? "").trim();
  const missing = text("session") ? "" : "Enter the name of a session.";
  setText(byId("form-session-error"), missing);
  byId("form-session").setAttribute("aria-invalid", String(Boolean(missing)));
  if (missing) return byId("form-session").focus();
  // The token stays out of the address, where others might read it.
  sessionStorage.setItem(token_key, text("token"));
  const fragment = new URLSearchParams({ session: text("session") });
  for (const name of ["create", "view"])
    if (text(name) && text(name) !== "roster") fragment.set(name, text(name));
  show(byId("entry"), false);
  if (location.hash.slice(1) === fragment.toString()) start();
  else location.hash = fragment.toString();
}

byId("form").addEventListener("submit", submit);
byId("retry").addEventListener("click", () => now.client.retryNow());
byId("alert-again").addEventListener("click", () => start());
byId("alert-other").addEventListener("click", () => {
  now.client?.close();
  now = idle(now.params);
  showForm();
  draw();
});
addEventListener("hashchange", () => {
  show(byId("entry"), false);
  start();
});
addEventListener("online", () => now.client?.retryNow());
// A page kept for the way back may keep its socket too: say goodbye now.
addEventListener("pagehide", () => now.client?.close());
addEventListener("pageshow", (event) => event.persisted && start());

setInterval(() => {
  drawWait();
  people.clock(Date.now());
  own.clock(Date.now());
}, 250);
setInterval(() => spark.draw(Date.now()), 2000);
new Worker(new URL("ticker.js", import.meta.url)).onmessage
  = () => now.client?.tick();

start();
