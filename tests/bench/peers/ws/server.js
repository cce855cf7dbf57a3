// Presence over the ws package: every message is encoded and turned into bytes
// once, then sent to each member.

import { WebSocketServer } from "ws";
import { Rooms, port, quiet } from "../room.js";

const rooms = new Rooms();
const sockets = new Map();

function broadcast(room, text) {
  const bytes = Buffer.from(text);
  for (const socket of sockets.get(room) ?? [])
    socket.send(bytes, { binary: false });
}

function join(socket, { room, user, name }) {
  socket.room = room;
  socket.user = user;
  const record = rooms.at(room).add(user, name);
  if (!quiet) broadcast(room, `{"type":"joined","member":${record}}`);
  let members = sockets.get(room);
  if (!members) sockets.set(room, (members = new Set()));
  members.add(socket);
  const list = quiet ? record : rooms.at(room).list;
  socket.send(`{"type":"snapshot","members":[${list}]}`);
}

function leave(socket) {
  if (!socket.room) return;
  sockets.get(socket.room).delete(socket);
  rooms.leave(socket.room, socket.user);
  if (!quiet) broadcast(socket.room, `{"type":"left","who":"${socket.user}"}`);
}

const server = new WebSocketServer({
  port,
  host: "127.0.0.1",
  backlog: 4096,
  perMessageDeflate: false,
  clientTracking: false,
});

server.on("connection", (socket) => {
  socket.on("message", (bytes) => {
    const message = JSON.parse(bytes);
    if (message.type === "join") join(socket, message);
    else if (message.type === "event")
      broadcast(
        socket.room,
        `{"type":"event","from":"${socket.user}","at":${Date.now()},` +
          `"live":{"n":${Number(message.n)}}}`,
      );
  });
  socket.on("close", () => leave(socket));
  socket.on("error", () => socket.terminate());
});
