// Server-sent events down and POST up, with the face of a WebSocket, so that narthex.js works over it.
//
// A browser's EventSource cannot set headers, so each stream is opened by a one-time ticket. A stream that breaks is taken up
// again with the last number that was read; what was not confirmed is sent again, and the server knows what it has.

import { connect as connectOver } from "./narthex.js";

const CONNECTING = 0, OPEN = 1, CLOSED = 3;
const TRIES = 5;
const BATCH = 50;

/** Opens a connection that comes back by itself until `close()` is called. */
export function connect(url, options) {
  return connectOver(url, { ...options, socket: SseSocket });
}

export class SseSocket {
  #url; #stream; #token; #silence; #ping;
  #lastRead = 0;
  /** Messages that the server has not confirmed, the first of which has the number `#first`. */
  #unsent = [];
  #first = 1;
  #sending = false;
  #failures = 0;
  readyState = CONNECTING;
  onopen; onmessage; onclose;

  constructor(url) {
    this.#url = new URL(url);
    this.#open();
  }

  send(text) {
    this.#unsent.push(text);
    this.#post();
  }

  close(code = 1000) {
    if (this.readyState === CLOSED) return;
    if (this.#token) {
      const url = new URL(this.#url);
      url.searchParams.set("code", code);
      fetch(url, { method: "DELETE", headers: this.#headers(), keepalive: true }).catch(() => {});
    }
    this.#end();
  }

  #headers(more) {
    return { ...(this.#token && { "X-Narthex-Session": this.#token }), ...more };
  }

  async #open() {
    try {
      const ticketUrl = new URL(this.#url);
      ticketUrl.pathname = `${ticketUrl.pathname.replace(/\/$/, "")}/ticket`;
      const answer = await fetch(ticketUrl, { method: "POST", headers: this.#headers() });
      if (this.readyState === CLOSED) return;
      // A session that is gone, or a refusal: there is nothing to go on with.
      if (!answer.ok) return answer.status === 429 || answer.status >= 500 ? this.#again() : this.#end();
      const { ticket } = await answer.json();
      const url = new URL(this.#url);
      url.searchParams.set("ticket", ticket);
      if (this.#token) url.searchParams.set("lastEventId", this.#lastRead);
      this.#listen(new EventSource(url));
    } catch {
      this.#again();
    }
  }

  #listen(stream) {
    if (this.readyState === CLOSED) return stream.close();
    this.#stream = stream;
    stream.addEventListener("session", ({ data }) => {
      const { session, seq, ping } = JSON.parse(data);
      this.#token = session;
      this.#ping = ping;
      this.#failures = 0;
      this.#confirm(seq);
      this.#hear();
      if (this.readyState === CONNECTING) {
        this.readyState = OPEN;
        this.onopen?.();
      }
      this.#post();
    });
    stream.addEventListener("ping", () => this.#hear());
    stream.addEventListener("close", () => this.#end());
    stream.onmessage = ({ data, lastEventId }) => {
      this.#hear();
      this.#lastRead = Number(lastEventId);
      this.onmessage?.({ data });
    };
    // Its ticket is spent, so the browser cannot come back by itself.
    stream.onerror = () => this.#again();
  }

  /** The server pings a quiet stream; one that is quiet for longer is broken. */
  #hear() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#again(), this.#ping * 2);
  }

  #again() {
    this.#stream?.close();
    clearTimeout(this.#silence);
    if (this.readyState === CLOSED) return;
    // Without a session the caller begins anew, after a wait of its own.
    if (!this.#token || ++this.#failures > TRIES) return this.#end();
    setTimeout(() => this.#open(), 200 * this.#failures);
  }

  #confirm(seq) {
    this.#unsent.splice(0, Math.max(0, seq - this.#first + 1));
    this.#first = Math.max(this.#first, seq + 1);
  }

  /** One request at a time, with all that waits. */
  async #post() {
    if (this.#sending || this.readyState !== OPEN || !this.#unsent.length) return;
    this.#sending = true;
    try {
      const answer = await fetch(this.#url, {
        method: "POST",
        headers: this.#headers({ "Content-Type": "application/x-ndjson", "X-Narthex-Seq": this.#first }),
        body: this.#unsent.slice(0, BATCH).join("\n"),
      });
      if (answer.ok) this.#confirm((await answer.json()).seq);
      else if (answer.status === 429) await new Promise((resolve) => setTimeout(resolve, 1000));
      else if (answer.status === 409) this.#confirm((await answer.json()).expect - 1);
      else return this.#end();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 500));
    } finally {
      this.#sending = false;
    }
    this.#post();
  }

  #end() {
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    clearTimeout(this.#silence);
    this.#stream?.close();
    this.onclose?.();
  }
}
