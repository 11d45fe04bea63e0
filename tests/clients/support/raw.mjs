// WebSocket by hand on a TCP socket, for what npm's ws refuses to send.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { within } from "./server.mjs";

const PATIENCE = 5000;

/** A client's frame. `first` is the whole first byte; `length` may lie, `mask` may be left out, `wide` forces 16 bits. */
export function frame(first, payload = "", { mask = true, length, wide = false } = {}) {
  const bytes = Buffer.from(payload);
  const size = length ?? bytes.length;
  const bit = mask ? 0x80 : 0;
  let head;
  if (size < 126 && !wide) head = Buffer.from([first, bit | size]);
  else if (size < 65_536) head = Buffer.from([first, bit | 126, size >> 8, size & 255]);
  else {
    head = Buffer.alloc(10);
    head.set([first, bit | 127]);
    head.writeBigUInt64BE(BigInt(size), 2);
  }
  if (!mask) return Buffer.concat([head, bytes]);
  const key = randomBytes(4);
  return Buffer.concat([head, key, bytes.map((byte, at) => byte ^ key[at % 4])]);
}

export class RawSocket {
  #input = Buffer.alloc(0);
  #ended = false;
  #wake = () => {};

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      this.#input = Buffer.concat([this.#input, bytes]);
      this.#wake();
    });
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** A TCP connection; nothing is said on it. */
  static async connect(host) {
    const [address, port] = host.split(":");
    const socket = connect(Number(port), address);
    const raw = new RawSocket(socket);
    await within(PATIENCE, once(socket, "connect"), "a connection");
    return raw;
  }

  /** An open WebSocket. */
  static async open(host, path) {
    const raw = await RawSocket.connect(host);
    const { status } = await raw.handshake(host, path);
    if (status !== 101) throw new Error(`${path}: ${status}`);
    return raw;
  }

  /** Asks for an upgrade; a header that is undefined is left out. */
  async handshake(host, path, headers = {}) {
    const all = {
      Host: host,
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}`);
    this.write(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    const end = await this.#until((input) => input.indexOf("\r\n\r\n") + 1);
    if (!end) return { status: undefined, headers: {} };
    const [first, ...rest] = this.#take(end + 3).toString("latin1").trimEnd().split("\r\n");
    const pairs = rest.map((line) => line.split(": ")).map(([name, value]) => [name.toLowerCase(), value]);
    return { status: Number(first.split(" ")[1]), headers: Object.fromEntries(pairs) };
  }

  write(bytes) {
    this.socket.write(bytes);
  }

  /** The next frame of the server, undefined at the end of the connection. */
  async frame() {
    const size = await this.#until((input) => {
      if (input.length < 2) return 0;
      const short = input[1] & 127;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (input.length < head) return 0;
      const length = short < 126 ? short : short === 126 ? input.readUInt16BE(2) : Number(input.readBigUInt64BE(2));
      return input.length < head + length ? 0 : head + length;
    });
    if (!size) return undefined;
    const bytes = this.#take(size);
    const short = bytes[1] & 127;
    const payload = bytes.subarray(short < 126 ? 2 : short === 126 ? 4 : 10);
    return { opcode: bytes[0] & 15, payload };
  }

  /** The close code that the server sends, after whatever it sent before. */
  async closeCode() {
    for (;;) {
      const next = await this.frame();
      if (!next) return undefined;
      if (next.opcode === 8) return next.payload.length ? next.payload.readUInt16BE(0) : 1005;
    }
  }

  /** Waits for the end of the connection. */
  gone() {
    return within(PATIENCE, this.closed, "the end of the connection");
  }

  #take(size) {
    const bytes = this.#input.subarray(0, size);
    this.#input = this.#input.subarray(size);
    return bytes;
  }

  async #until(enough) {
    for (;;) {
      const size = enough(this.#input);
      if (size || this.#ended) return size;
      await within(PATIENCE, new Promise((resolve) => (this.#wake = resolve)), "bytes");
    }
  }
}
