import { once } from "node:events";

/** Lets `server` listen on a free port of loopback. */
export async function listening(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}
