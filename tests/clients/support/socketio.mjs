// The official client, and Engine.IO by hand for what it refuses to do.

import { io } from "socket.io-client";
import WebSocket from "ws";
import { within } from "./server.mjs";

const PATIENCE = 5000;

/** How each transport is asked for; `upgrade` begins with polling and goes on with WebSocket. */
export const TRANSPORTS = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };

/** A socket on a connection of its own, which nobody has waited for. */
export function socket(host, namespace = "/", options = {}) {
  return io(`http://${host}${namespace}`, { forceNew: true, reconnection: false, transports: ["websocket"], ...options });
}

/** The arguments of the next such event. */
export function next(socket, event) {
  return within(PATIENCE, new Promise((resolve) => socket.once(event, (...args) => resolve(args))), event);
}

/** A connected socket; one that upgrades has upgraded. What `on_connect` says waits in `greeting`. */
export async function connected(host, namespace, options) {
  const it = socket(host, namespace, options);
  it.greeting = next(it, "auth");
  it.greeting.catch(() => {});
  await within(PATIENCE, new Promise((resolve, reject) => {
    it.once("connect", resolve);
    it.once("connect_error", reject);
  }), "the connect");
  const { engine } = it.io;
  if (it.io.opts.transports.length === 2 && engine.transport.name === "polling") {
    await within(PATIENCE, new Promise((resolve) => engine.once("upgrade", resolve)), "the upgrade");
  }
  return it;
}

/** Asks, and gives the answer's first argument. */
export function ask(socket, event, ...args) {
  return socket.timeout(PATIENCE).emitWithAck(event, ...args);
}

/** The refusal of a connect. */
export async function refused(host, namespace, options) {
  const it = socket(host, namespace, options);
  const connect = next(it, "connect").then(() => { throw new Error("it was not refused"); });
  connect.catch(() => {});
  try {
    return (await Promise.race([next(it, "connect_error"), connect]))[0];
  } finally {
    it.disconnect();
  }
}

/** Polling by hand. */
export class Poller {
  constructor(host, open) {
    this.open = open;
    this.url = `http://${host}/socket.io/?EIO=4&transport=polling&sid=${open.sid}`;
  }

  static async open(host) {
    const response = await fetch(`http://${host}/socket.io/?EIO=4&transport=polling`);
    const text = await response.text();
    if (text[0] !== "0") throw new Error(`${response.status} ${text}`);
    return new Poller(host, JSON.parse(text.slice(1)));
  }

  async poll() {
    const response = await within(PATIENCE, fetch(this.url), "a poll");
    return { status: response.status, packets: (await response.text()).split("\x1e") };
  }

  async post(...packets) {
    const response = await within(PATIENCE, fetch(this.url, { method: "POST", body: packets.join("\x1e") }), "a post");
    return { status: response.status, text: await response.text() };
  }
}

/** WebSocket by hand: `read` gives the next packet, undefined at the end. */
export class Engine {
  #packets = [];
  #wake = () => {};
  #ended = false;

  constructor(host, query = "") {
    this.ws = new WebSocket(`ws://${host}/socket.io/?EIO=4&transport=websocket${query}`);
    this.ws.on("message", (data, binary) => this.#take(binary ? data : data.toString()));
    this.ws.on("unexpected-response", (_, response) => this.#end(response.statusCode));
    this.ws.on("error", () => {});
    this.ws.on("close", () => this.#end());
  }

  #take(packet) {
    this.#packets.push(packet);
    this.#wake();
  }

  #end(status) {
    this.status ??= status;
    this.#ended = true;
    this.#wake();
  }

  send(packet) {
    this.ws.send(packet);
  }

  async read(patience = PATIENCE) {
    while (!this.#packets.length && !this.#ended) {
      await within(patience, new Promise((resolve) => (this.#wake = resolve)), "a packet");
    }
    return this.#packets.shift();
  }

  /** Reads up to the end; undefined or the HTTP status that refused it. */
  async end(patience = PATIENCE) {
    while ((await this.read(patience)) !== undefined);
    return this.status;
  }
}
