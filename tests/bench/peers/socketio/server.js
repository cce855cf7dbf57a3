// Presence over Socket.IO, set up as its performance page advises: WebSocket
// only, no compression, no reference to the handshake's request kept.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { Rooms, port, quiet } from "../room.js";

const rooms = new Rooms();

const http = createServer();

const io = new Server(http, {
  transports: ["websocket"],
  allowUpgrades: false,
  perMessageDeflate: false,
  httpCompression: false,
  serveClient: false,
});

io.engine.on("connection", (raw) => {
  raw.request = null;
});

io.on("connection", (socket) => {
  const { room, user, name } = socket.handshake.auth;
  const record = rooms.at(room).add(user, name);
  if (!quiet) io.to(room).emit("joined", record);
  socket.join(room);
  socket.emit("snapshot", quiet ? record : rooms.at(room).list);

  socket.on("event", (n) => {
    io.to(room).emit("event", {
      from: user,
      at: Date.now(),
      live: { n: Number(n) },
    });
  });
  socket.on("disconnect", () => {
    rooms.leave(room, user);
    if (!quiet) io.to(room).emit("left", user);
  });
});

http.listen({ port, host: "127.0.0.1", backlog: 4096 });
