// Presence over Bun's own WebSocket server, which is uWebSockets inside: its
// topics encode and frame a message once for all. With "batched" events are
// gathered by hand and published as one message every 5 ms, which is the best
// that this server can be made to do.

import { Rooms, port, quiet } from "../room.js";

const batched = process.argv.includes("batched");
const windowMs = 5;
const rooms = new Rooms();

// -- one publish per event ----------------------------------------------------

function joinAtOnce(socket, room, record) {
  if (!quiet) server.publish(room, `{"type":"joined","member":${record}}`);
  socket.subscribe(room);
  const list = quiet ? record : rooms.at(room).list;
  socket.send(`{"type":"snapshot","members":[${list}]}`);
}

// -- one publish per window ---------------------------------------------------

const pending = new Map();

function pendingOf(room) {
  let batch = pending.get(room);
  if (!batch) {
    batch = { events: [], joiners: [] };
    pending.set(room, batch);
    setTimeout(flush, windowMs, room);
  }
  return batch;
}

function flush(room) {
  const { events, joiners } = pending.get(room);
  pending.delete(room);
  if (events.length)
    server.publish(room, `{"type":"batch","events":[${events.join(",")}]}`);
  if (!joiners.length) return;
  const list = rooms.at(room).list;
  const snapshot = `{"type":"snapshot","members":[${list}]}`;
  for (const { socket, record } of joiners) {
    if (socket.readyState !== 1) continue;
    socket.subscribe(room);
    socket.send(
      quiet ? `{"type":"snapshot","members":[${record}]}` : snapshot);
  }
}

function joinInWindow(socket, room, record) {
  const batch = pendingOf(room);
  if (!quiet) batch.events.push(`{"type":"joined","member":${record}}`);
  batch.joiners.push({ socket, record });
}

function tell(room, text) {
  if (batched) pendingOf(room).events.push(text);
  else server.publish(room, text);
}

const server = Bun.serve({
  port,
  hostname: "127.0.0.1",
  fetch(request, self) {
    if (!self.upgrade(request, { data: {} }))
      return new Response("WebSocket only", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    message(socket, text) {
      const message = JSON.parse(text);
      if (message.type === "join") {
        const { room, user, name } = message;
        socket.data = { room, user };
        const record = rooms.at(room).add(user, name);
        if (batched) joinInWindow(socket, room, record);
        else joinAtOnce(socket, room, record);
      } else if (message.type === "event") {
        const { room, user } = socket.data;
        tell(
          room,
          `{"type":"event","from":"${user}","at":${Date.now()},` +
            `"live":{"n":${Number(message.n)}}}`,
        );
      }
    },
    close(socket) {
      const { room, user } = socket.data;
      if (!room) return;
      rooms.leave(room, user);
      if (!quiet) tell(room, `{"type":"left","who":"${user}"}`);
    },
  },
});
