// npm's ws, socket.io-client, node's https and a plain socket against the lab over TLS.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { io } from "socket.io-client";
import { Client, refusal } from "./support/client.mjs";
import { start, within } from "./support/server.mjs";

const PATIENCE = 5000;

let server, ca, folder;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "narthex-tls-"));
  const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(folder, name));
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...kind, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  ca = readFileSync(cert);
  server = await start("lab", ["--doors", "ws,socketio", "--tls-cert", cert, "--tls-key", key]);
});
after(async () => {
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true });
});

/** The answer to a GET over TLS. */
async function get(path) {
  const asked = new Promise((resolve, reject) => {
    request(`https://${server.host}${path}`, { ca, agent: false }, resolve).on("error", reject).end();
  });
  const response = await within(PATIENCE, asked, path);
  const text = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode, protocol: response.socket.getProtocol?.(), text };
}

test("the user's own HTTP is served over TLS 1.3", async () => {
  assert.deepEqual(await get("/healthz"), { status: 200, protocol: "TLSv1.3", text: "ok" });
});

test("a certificate that the client does not know is the client's to refuse", async () => {
  const asked = new Promise((resolve, reject) => {
    request(`https://${server.host}/healthz`, { agent: false }, resolve).on("error", reject).end();
  });
  await assert.rejects(within(PATIENCE, asked, "a refusal"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
});

test("a WebSocket echoes text of many records, and bytes", async () => {
  const client = await Client.open(`wss://${server.host}/ws`, { ca });
  for (const data of ["hi", "ü".repeat(30_000), [1, null]]) {
    assert.deepEqual((await client.request("echo", data)).data, data);
  }
  await client.close();
  const raw = await Client.open(`wss://${server.host}/raw`, { ca });
  const bytes = Buffer.alloc(1024 * 1024, 7);
  raw.send(bytes);
  assert.deepEqual(await raw.frame(), bytes);
  await raw.close();
});

test("a handshake is refused over TLS as it is without", async () => {
  const { status } = await refusal(`wss://${server.host}/ws`, { ca, origin: "https://evil.example" });
  assert.equal(status, 403);
});

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  test(`socket.io-client connects over ${transports.join(" and then ")}`, async () => {
    const socket = io(`https://${server.host}`, { transports, ca, forceNew: true });
    try {
      assert.equal(await socket.timeout(PATIENCE).emitWithAck("echo", "over TLS"), "over TLS");
    } finally {
      socket.disconnect();
    }
  });
}

test("plain HTTP is closed, and the next client over TLS is served", async () => {
  const plain = connect(Number(server.host.split(":")[1]), "127.0.0.1");
  plain.on("error", () => {}); // A reset is a close, too.
  const closed = new Promise((resolve) => plain.once("close", resolve));
  let answer = Buffer.alloc(0);
  plain.on("data", (data) => (answer = Buffer.concat([answer, data])));
  plain.write("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
  await within(PATIENCE, closed, "the close");
  assert.ok(!answer.toString("latin1").startsWith("HTTP"));
  assert.equal((await get("/healthz")).status, 200);
});
