// A TCP proxy that cuts connections when it is told to.

import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Proxy {
  #server; #target;
  #pairs = new Set();
  /** While it is set, connections are closed as they come. */
  closed = false;

  constructor(server, target) {
    this.#server = server;
    this.#target = target;
  }

  static async start(host) {
    const [address, port] = host.split(":");
    const server = createServer();
    const proxy = new Proxy(server, { host: address, port: Number(port) });
    server.on("connection", (near) => proxy.#carry(near));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy.host = `127.0.0.1:${server.address().port}`;
    return proxy;
  }

  #carry(near) {
    if (this.closed) return near.destroy();
    const far = connect(this.#target);
    const pair = [near, far];
    this.#pairs.add(pair);
    for (const [one, other] of [pair, pair.toReversed()]) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        other.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  /** Cuts all connections that are open. */
  cut() {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  stop() {
    this.cut();
    this.#server.close();
  }
}
