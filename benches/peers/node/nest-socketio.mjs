// NestJS on platform-socket.io.

import {
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
} from "@nestjs/websockets";
import { IoAdapter } from "@nestjs/platform-socket.io";
import { decorate, listen as listenWith } from "./nest.mjs";

class Gateway {
  handleConnection(client) {
    // The generator waits for this on every server.
    client.emit("auth", {});
  }

  echo(data) {
    return data;
  }

  join({ room }, client) {
    client.join(room);
    return { room };
  }

  publish({ room, data }) {
    this.server.to(room).emit("message", data);
    return this.server.sockets.adapter.rooms.get(room).size;
  }
}

decorate(Gateway, "echo", SubscribeMessage("echo"), MessageBody());
decorate(Gateway, "join", SubscribeMessage("join"), MessageBody(), ConnectedSocket());
decorate(Gateway, "publish", SubscribeMessage("publish"), MessageBody());
WebSocketServer()(Gateway.prototype, "server");
WebSocketGateway()(Gateway);

export const listen = () => listenWith(Gateway, (app) => new IoAdapter(app));
