// A client on npm's ws that writes the default envelope down and keeps what comes, in order.

import { once } from "node:events";
import WebSocket from "ws";
import { within } from "./server.mjs";

const PATIENCE = 5000;

export class Client {
  #frames = [];
  #waiting;
  #lastId = 0;

  constructor(socket) {
    this.socket = socket;
    this.closed = once(socket, "close").then(([code, reason]) => ({ code, reason: reason.toString() }));
    // One that never opens tells its opener; nobody need ask for its close.
    this.closed.catch(() => {});
    socket.on("message", (data, binary) => {
      this.#frames.push(binary ? data : data.toString());
      this.#waiting?.();
    });
  }

  static async open(url, options, protocols = []) {
    const socket = new WebSocket(url, protocols, options);
    const client = new Client(socket);
    await within(PATIENCE, once(socket, "open"), `${url} to open`);
    return client;
  }

  /** The next frame: text as a string, binary as a Buffer. */
  async frame() {
    if (!this.#frames.length) {
      await within(PATIENCE, new Promise((resolve) => (this.#waiting = resolve)), "a frame");
    }
    return this.#frames.shift();
  }

  /** The next frame, which is JSON text. */
  async next() {
    return JSON.parse(await this.frame());
  }

  send(message) {
    this.socket.send(typeof message === "string" || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  /** Sends an event that asks for an answer, and returns the id. */
  ask(event, data) {
    const id = ++this.#lastId;
    this.send({ event, data, id });
    return id;
  }

  /** Sends an event and returns the answer; frames before it are dropped. */
  async request(event, data) {
    const id = this.ask(event, data);
    for (;;) {
      const message = await this.next();
      if (message.ack === id) return message;
    }
  }

  /**
   * What came before the answer to a request made now. The server keeps the order of what it sends to one client,
   * so this tells what did not come without waiting for a time.
   */
  async before(event, data) {
    const id = this.ask(event, data);
    const seen = [];
    for (;;) {
      const message = await this.next();
      if (message.ack === id) return seen;
      seen.push(message);
    }
  }

  async close() {
    this.socket.close(1000);
    return within(PATIENCE, this.closed, "the close");
  }
}

/** A token of the chat's. */
export async function logIn(host, login) {
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`http://${host}/login`, { method: "POST", headers, body: JSON.stringify(login) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(`${answer.status}: ${body.message}`);
  return body.token;
}

/** The HTTP answer to a handshake that is refused. */
export async function refusal(url, options) {
  const socket = new WebSocket(url, options);
  socket.on("error", () => {});
  const opened = once(socket, "open").then(() => {
    throw new Error(`${url} was not refused`);
  });
  opened.catch(() => {});
  const [, response] = await within(PATIENCE, Promise.race([once(socket, "unexpected-response"), opened]), "a refusal");
  const chunks = await response.toArray();
  return { status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() };
}
