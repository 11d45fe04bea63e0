// npm's ws: an echo at `/`, a room at any other path.

import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";
import { listening } from "./listening.mjs";

const rooms = new Map();

function enter(name, socket) {
  const room = rooms.get(name) ?? new Set();
  rooms.set(name, room.add(socket));
  socket.on("message", (data, binary) => {
    for (const member of room) {
      if (member.readyState === WebSocket.OPEN) member.send(data, { binary });
    }
  });
  socket.on("close", () => room.delete(socket));
}

export function listen() {
  const server = createServer();
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    socket.on("error", console.error);
    if (request.url !== "/") return enter(request.url, socket);
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
  return listening(server);
}
