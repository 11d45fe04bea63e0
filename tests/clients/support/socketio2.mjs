// The official client of socket.io 2, which speaks Engine.IO 3.

import io from "socket.io-client-2";
import { within } from "./server.mjs";
import { next } from "./socketio.mjs";

const PATIENCE = 5000;

/** A socket on a connection of its own, which nobody has waited for. */
export function oldSocket(host, namespace = "/", options = {}) {
  return io(`http://${host}${namespace}`, { forceNew: true, reconnection: false, transports: ["websocket"], ...options });
}

/** A connected socket; one that upgrades has upgraded. What `on_connect` says waits in `greeting`. */
export async function oldConnected(host, namespace, options) {
  const it = oldSocket(host, namespace, options);
  it.greeting = next(it, "auth");
  it.greeting.catch(() => {});
  await within(PATIENCE, new Promise((resolve, reject) => {
    it.once("connect", resolve);
    it.once("connect_error", reject);
    it.once("error", (error) => reject(new Error(`refused: ${error}`)));
  }), "the connect");
  const { engine } = it.io;
  if (it.io.opts.transports.length === 2 && engine.transport.name === "polling") {
    await within(PATIENCE, new Promise((resolve) => engine.once("upgrade", resolve)), "the upgrade");
  }
  return it;
}

/** Asks, and gives the answer's first argument. */
export function oldAsk(socket, event, ...args) {
  return within(PATIENCE, new Promise((resolve) => socket.emit(event, ...args, resolve)), `the answer to ${event}`);
}

/** What a refused socket reads. */
export function oldRefused(host, namespace, options) {
  const it = oldSocket(host, namespace, options);
  const refused = new Promise((resolve, reject) => {
    it.once("error", resolve);
    it.once("connect_error", reject);
    it.once("connect", () => reject(new Error("it was not refused")));
  });
  return within(PATIENCE, refused, "the refusal").finally(() => it.close());
}
