// The official Socket.IO client with the methods of narthex.js.

import { io } from "/socket.io.esm.min.js";
import { RequestError, explain } from "./narthex.js";

const TIMEOUT = 8000;
const WAIT = { shortest: 250, longest: 15000 };

/**
 * Opens a connection that comes back by itself until `close()` is called. `auth(failed)` resolves to what goes with each
 * connect; `failed` says that the last one did not open.
 */
export function connect(namespace, auth) {
  return new Connection(namespace, auth);
}

class Connection {
  #socket; #timer;
  #attempt = 0;
  #watchers = new Set();

  constructor(namespace, auth) {
    const credentials = (give) => auth(this.#attempt > 0).then(give, () => this.#lost());
    // The client's own waits are the same for all pages; this one is told to leave when the server goes, and comes back here.
    this.#socket = io(namespace, { auth: credentials, forceNew: true, reconnection: false });
    this.state = "connecting";
    this.#socket.on("connect", () => {
      this.#attempt = 0;
      this.#become("open");
    });
    this.#socket.on("disconnect", () => this.#lost());
    this.#socket.on("connect_error", () => this.#lost());
  }

  /** Sends an event that nobody answers; false when there is no connection. */
  emit(event, data) {
    if (this.#socket.connected) this.#socket.emit(event, data);
    return this.#socket.connected;
  }

  /** Sends an event and resolves to the answer; rejects with a RequestError. */
  async request(event, data, timeout = TIMEOUT) {
    if (!this.#socket.connected) throw new RequestError(event, "There is no connection.");
    const answer = await this.#socket.timeout(timeout).emitWithAck(event, ...(data === undefined ? [] : [data])).catch(() => {
      throw new RequestError(event, "The server did not answer in time.");
    });
    if (answer?.status === "error" && "message" in answer) throw new RequestError(event, explain(answer));
    return answer;
  }

  /** Calls `handler` with the data of each such event; where the server asks, what it returns is the answer. */
  on(event, handler) {
    this.#socket.on(event, async (data, answer) => {
      const result = await handler(data);
      answer?.(result ?? null);
    });
    return this;
  }

  /** Calls `watcher` with each new state: "connecting", "open", "waiting" (and for how many ms) or "closed". */
  watch(watcher) {
    this.#watchers.add(watcher);
    watcher(this.state, 0);
    return this;
  }

  /** Tries again now instead of waiting. */
  retry() {
    if (this.state !== "waiting") return;
    clearTimeout(this.#timer);
    this.#become("connecting");
    this.#socket.connect();
  }

  /** Leaves, for good. */
  close() {
    clearTimeout(this.#timer);
    this.#become("closed");
    this.#socket.disconnect();
  }

  #lost() {
    if (this.state === "closed" || this.state === "waiting") return;
    const delay = Math.random() * Math.min(WAIT.longest, WAIT.shortest * 2 ** this.#attempt++);
    this.#become("waiting", delay);
    this.#timer = setTimeout(() => this.retry(), delay);
  }

  #become(state, delay = 0) {
    this.state = state;
    for (const watcher of this.#watchers) watcher(state, delay);
  }
}
