// Server-sent events and POST in the shape of a WebSocket, for where WebSockets do not get through.
//
//   const server = connect("/chat");                         // the client of narthex.js, on this carrier
//   const socket = new SseSocket("https://…", { headers });   // or by itself
//
// A stream that breaks is opened again in the name of the same client: what the server sent meanwhile follows, and what was
// not received is sent again. Only when that cannot be is the socket closed.

import { connect as connectBy } from "./narthex.js";

const [CONNECTING, OPEN, CLOSED] = [0, 1, 3];

/** Messages that may wait to be sent. */
const MOST_WAITING = 1000;

/** Messages, and characters, of one POST. */
const BATCH = 100;
const BATCH_CHARS = 48 * 1024;

/** Opens a connection that comes back by itself until `close()` is called; see narthex.js. */
export function connect(url, options) {
  return connectBy(url, { socket: (url) => new SseSocket(url, options), ...options });
}

/** A request that was answered with what no further try would change. */
class Refused extends Error {}

export class SseSocket {
  #url; #options; #source; #token; #timer; #watch; #posting;
  #grace = 0;
  #ping = 15_000;
  #lastId = "";
  /** When the stream broke. */
  #broken;
  #nextSeq = 1;
  #waiting = [];

  /**
   * `headers` go with each request that can have some: an object, or a function that resolves to one. `credentials` are those of `fetch`. `fetch` and `EventSource` stand in
   * for the browser's.
   */
  constructor(url, { headers = {}, credentials = "same-origin", fetch, EventSource } = {}) {
    this.#url = new URL(url, globalThis.location?.href);
    this.#options = {
      headers,
      credentials,
      fetch: fetch ?? globalThis.fetch.bind(globalThis),
      EventSource: EventSource ?? globalThis.EventSource,
    };
    this.readyState = CONNECTING;
    this.#begin();
  }

  /** Sends one message. It is sent again until the server has received it, unless the socket is closed before. */
  send(text) {
    if (this.readyState !== OPEN) throw new Error("The socket is not open.");
    if (this.#waiting.length >= MOST_WAITING) return this.#end(1013, "too slow");
    this.#waiting.push({ seq: this.#nextSeq++, text });
    this.#posting ??= this.#post();
  }

  /** Leaves: the server is told, after what was sent. */
  async close(code = 1000, reason = "") {
    if (this.readyState === CLOSED) return;
    const posting = this.#posting;
    this.readyState = CLOSED;
    clearTimeout(this.#timer);
    await posting?.catch(() => {});
    if (this.#token) {
      const query = new URLSearchParams({ code, reason });
      await this.#fetch("DELETE", this.#at("", query), { keepalive: true }).catch(() => {});
    }
    this.#finish(code, reason);
  }

  async #begin() {
    try {
      const ticket = await this.#ticket();
      if (this.readyState !== CLOSED) this.#listen(ticket);
    } catch (error) {
      if (error instanceof Refused) this.#end(1006, error.message);
      else this.#again();
    }
  }

  /** A ticket stands for the credentials, which an EventSource cannot send. */
  async #ticket() {
    const response = await this.#fetch("POST", this.#at("/ticket"));
    if (response.ok) return (await response.json()).ticket;
    await response.body?.cancel();
    if (response.status === 429 || response.status >= 500) throw new Error("The server is busy.");
    throw new Refused(`The server answered ${response.status}.`);
  }

  #listen(ticket) {
    const query = new URLSearchParams({ ticket });
    if (this.#token) query.set("lastEventId", this.#lastId || "0");
    const withCredentials = this.#options.credentials === "include";
    const source = new this.#options.EventSource(this.#at("", query).href, { withCredentials });
    this.#source = source;
    const on = (name, handle) =>
      source.addEventListener(name, (event) => {
        if (source !== this.#source) return;
        this.#heard();
        handle(event);
      });
    on("session", ({ data }) => this.#open(JSON.parse(data)));
    on("ping", () => {});
    on("message", ({ data, lastEventId }) => {
      this.#lastId = lastEventId;
      if (this.readyState === OPEN) this.onmessage?.({ data });
    });
    on("close", ({ data }) => {
      const { code, reason } = JSON.parse(data);
      this.#end(code, reason);
    });
    source.onerror = () => source === this.#source && this.#again();
    this.#heard();
  }

  #open({ session, seq, ping, grace }) {
    this.#token = session;
    this.#ping = ping;
    this.#grace = grace;
    this.#broken = undefined;
    this.#received(seq);
    if (this.readyState === CONNECTING) {
      this.readyState = OPEN;
      this.onopen?.({});
    }
    if (this.#waiting.length) this.#posting ??= this.#post();
  }

  /** A stream that is silent for longer than two pings is dead, even if nobody says so. */
  #heard() {
    clearTimeout(this.#watch);
    if (this.readyState !== CLOSED) this.#watch = setTimeout(() => this.#again(), 2 * this.#ping + 1000);
  }

  /** The stream broke: another one is opened, as long as the server may keep the session. */
  #again() {
    this.#drop();
    if (this.readyState === CLOSED) return;
    this.#broken ??= Date.now();
    if (!this.#token || Date.now() - this.#broken > this.#grace) return this.#end(1006, "");
    // Not all pages at once.
    this.#timer = setTimeout(() => this.#begin(), Math.random() * Math.min(1000, this.#grace / 4));
  }

  async #post() {
    while (this.#waiting.length && this.readyState !== CONNECTING) {
      const batch = this.#batch();
      const headers = { "Content-Type": "application/x-ndjson", "X-Narthex-Seq": String(batch[0].seq) };
      if (this.#lastId) headers["Last-Event-ID"] = this.#lastId;
      const body = batch.map(({ text }) => text).join("\n");
      const sent = await this.#fetch("POST", this.#at(""), { headers, body }).catch(() => undefined);
      const answer = await sent?.text().catch(() => "");
      if (sent?.ok) this.#received(JSON.parse(answer).seq);
      else if (sent?.status === 409 && JSON.parse(answer).expect > batch[0].seq) {
        this.#received(JSON.parse(answer).expect - 1);
      } else if (sent && sent.status !== 429 && sent.status < 500) {
        this.#end(sent.status === 413 ? 1009 : 1006, answer);
        break;
      } else {
        if (this.readyState === CLOSED) break;
        const seconds = Number(sent?.headers.get("Retry-After") ?? 0.5);
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      }
    }
    this.#posting = undefined;
  }

  #batch() {
    const batch = [];
    let chars = 0;
    for (const message of this.#waiting) {
      chars += message.text.length + 1;
      if (batch.length && (chars > BATCH_CHARS || batch.length === BATCH)) break;
      batch.push(message);
    }
    return batch;
  }

  /** The server has everything up to this number. */
  #received(seq) {
    while (this.#waiting.length && this.#waiting[0].seq <= seq) this.#waiting.shift();
  }

  #at(below, query = new URLSearchParams()) {
    const url = new URL(this.#url);
    url.pathname = url.pathname.replace(/\/$/, "") + below || "/";
    for (const [name, value] of query) url.searchParams.set(name, value);
    return url;
  }

  async #fetch(method, url, { headers, ...more } = {}) {
    const session = this.#token ? { "X-Narthex-Session": this.#token } : {};
    const given = this.#options.headers;
    const all = { ...(typeof given === "function" ? await given() : given), ...session, ...headers };
    return this.#options.fetch(url, { method, headers: all, credentials: this.#options.credentials, ...more });
  }

  #drop() {
    clearTimeout(this.#watch);
    this.#source?.close();
    this.#source = undefined;
  }

  #end(code, reason) {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#finish(code, reason);
  }

  #finish(code, reason) {
    clearTimeout(this.#timer);
    this.#drop();
    this.#waiting = [];
    this.onclose?.({ code, reason });
  }
}
