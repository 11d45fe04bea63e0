// A small client for the default envelope of Narthex over a WebSocket, or over what has its shape (sse.js).
//
//   const server = connect("ws://localhost:3000/chat");
//   server.on("new-message", (message) => …);
//   const answer = await server.request("join-room", { room: "hall" });

/** An answer that is an error: what the server said, or that it said nothing in time. */
export class RequestError extends Error {
  constructor(event, message) {
    super(message);
    this.name = "RequestError";
    this.event = event;
  }
}

/** What an error of the server says, with what is wrong in which place where it says so. */
export function explain({ message = "The server refused.", errors = [] }) {
  const details = errors.map(({ path, message }) => (path ? `${path}: ${message}` : message));
  return details.length ? `${message} (${details.join(", ")})` : message;
}

/**
 * Opens a connection that comes back by itself until `close()` is called. `socket(url, failed)` makes what carries it, or a
 * promise of it: a WebSocket, or what has its shape. `failed` says that the last one did not open.
 */
export function connect(url, options) {
  const socket = (url) => new WebSocket(url);
  return new Connection(url, { timeout: 8000, shortest: 250, longest: 15000, socket, ...options });
}

/** The state of a socket that is open. */
const OPEN = 1;

class Connection {
  #url; #options; #socket; #timer;
  #attempt = 0;
  #lastId = 0;
  #pending = new Map();
  #handlers = new Map();
  #watchers = new Set();

  constructor(url, options) {
    this.#url = url;
    this.#options = options;
    this.state = "connecting";
    this.#open();
  }

  /** Sends an event that nobody answers; false when there is no connection. */
  emit(event, data) {
    return this.#send({ event, data });
  }

  /** Sends an event and resolves to the answer; rejects with a RequestError. */
  request(event, data, timeout = this.#options.timeout) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const fail = (message) => {
        this.#pending.delete(id);
        clearTimeout(timer);
        reject(new RequestError(event, message));
      };
      const timer = setTimeout(() => fail("The server did not answer in time."), timeout);
      this.#pending.set(id, {
        fail,
        settle: ({ data: answer, error }) => {
          if (error) return fail(explain(error));
          this.#pending.delete(id);
          clearTimeout(timer);
          resolve(answer);
        },
      });
      if (!this.#send({ event, data, id })) fail("There is no connection.");
    });
  }

  /** Calls `handler` with the data of each such event; where the server asks, what it returns is the answer. */
  on(event, handler) {
    this.#handlers.set(event, handler);
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
    this.#open();
  }

  /** Leaves, for good. */
  close() {
    clearTimeout(this.#timer);
    this.#become("closed");
    this.#socket?.close(1000);
  }

  async #open() {
    this.#become("connecting");
    let socket;
    try {
      socket = await this.#options.socket(this.#url, this.#attempt > 0);
    } catch {
      return this.#lost();
    }
    if (this.state === "closed") return socket.close(1000);
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.#become("open");
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => this.#lost();
  }

  /** Waits a random time below a ceiling that doubles, so that not all pages come back at once. */
  #lost() {
    for (const { fail } of [...this.#pending.values()]) fail("The connection was lost.");
    if (this.state === "closed") return;
    const { shortest, longest } = this.#options;
    const delay = Math.random() * Math.min(longest, shortest * 2 ** this.#attempt++);
    this.#become("waiting", delay);
    this.#timer = setTimeout(() => this.#open(), delay);
  }

  #become(state, delay = 0) {
    this.state = state;
    for (const watcher of this.#watchers) watcher(state, delay);
  }

  #send(message) {
    if (this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #receive(message) {
    if ("ack" in message) {
      this.#pending.get(message.ack)?.settle(message);
    } else if ("id" in message) {
      this.#answer(message);
    } else {
      this.#handlers.get(message.event)?.(message.data);
    }
  }

  async #answer({ event, data, id }) {
    try {
      const handler = this.#handlers.get(event);
      if (!handler) throw new Error(`Nothing answers "${event}".`);
      this.#send({ ack: id, data: (await handler(data)) ?? null });
    } catch (error) {
      this.#send({ ack: id, error: { status: "error", message: String(error.message ?? error) } });
    }
  }
}
