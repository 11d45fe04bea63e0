// npm's socket.io.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { listening } from "./listening.mjs";

export function listen() {
  const server = createServer();
  const io = new Server(server);
  io.on("connection", (socket) => {
    socket.on("echo", (data, ack) => ack(data));
    socket.on("join", ({ room }, ack) => {
      socket.join(room);
      ack({ room });
    });
    socket.on("publish", ({ room, data }, ack) => {
      io.to(room).emit("message", data);
      ack(io.sockets.adapter.rooms.get(room).size);
    });
    // The generator waits for this on every server.
    socket.emit("auth", {});
  });
  return listening(server);
}
