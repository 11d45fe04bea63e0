// NestJS on platform-ws. It has no rooms, so the gateway keeps them.

import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from "@nestjs/websockets";
import { WsAdapter } from "@nestjs/platform-ws";
import { WebSocket } from "ws";
import { decorate, listen as listenWith } from "./nest.mjs";

class Gateway {
  rooms = new Map();

  handleDisconnect(client) {
    for (const room of this.rooms.values()) room.delete(client);
  }

  echo(data) {
    return { event: "echo", data };
  }

  join({ room }, client) {
    this.rooms.set(room, (this.rooms.get(room) ?? new Set()).add(client));
    return { event: "join", data: { room } };
  }

  publish({ room, data }) {
    const members = this.rooms.get(room);
    const text = JSON.stringify({ event: "message", data });
    for (const member of members) {
      if (member.readyState === WebSocket.OPEN) member.send(text);
    }
    return { event: "publish", data: members.size };
  }
}

decorate(Gateway, "echo", SubscribeMessage("echo"), MessageBody());
decorate(Gateway, "join", SubscribeMessage("join"), MessageBody(), ConnectedSocket());
decorate(Gateway, "publish", SubscribeMessage("publish"), MessageBody());
WebSocketGateway()(Gateway);

export const listen = () => listenWith(Gateway, (app) => new WsAdapter(app));
