// Bad input, faults and refusals against the lab, byte by byte where a library would not send it.

import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import { Client, refusal } from "./support/client.mjs";
import { start, within } from "./support/server.mjs";

let server;
before(async () => {
  server = await start("lab", ["--outbox-messages", "64", "--outbox-bytes", "262144"]);
});
after(() => server?.stop());

/** A client frame: masked, with any first byte. */
function frame(first, payload) {
  const body = Buffer.from(payload);
  const length =
    body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 0xff];
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.from([first, ...length]), mask, body.map((byte, at) => byte ^ mask[at % 4])]);
}

/** An upgraded socket, raw. */
async function raw(path, headers = "") {
  const [host, port] = server.host.split(":");
  const socket = connect(Number(port), host);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${server.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n${headers}\r\n`,
  );
  const [head] = await within(5000, once(socket, "data"), "the 101");
  assert.match(head.toString(), /^HTTP\/1\.1 101 /);
  return socket;
}

/** The code of the close frame that ends the stream. */
async function closeCode(socket) {
  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await within(5000, once(socket, "end"), "the end");
  const bytes = Buffer.concat(chunks);
  const at = bytes.indexOf(0x88);
  assert.notEqual(at, -1, "no close frame came");
  return bytes.readUInt16BE(at + 2);
}

test("a frame that breaks the protocol is closed with 1002", async () => {
  for (const bytes of [frame(0xc1, "x"), frame(0x83, "x"), Buffer.from([0x81, 0x01, 0x61]), frame(0x80, "x")]) {
    const socket = await raw("/raw");
    socket.write(bytes);
    assert.equal(await closeCode(socket), 1002);
  }
});

test("text that is not UTF-8 is closed with 1007", async () => {
  const socket = await raw("/ws");
  socket.write(frame(0x81, [0xff, 0xfe]));
  assert.equal(await closeCode(socket), 1007);
});

test("a message that is too large is closed with 1009, and the client sees the code", async () => {
  const socket = new WebSocket(`ws://${server.host}/ws`);
  await once(socket, "open");
  socket.send(JSON.stringify({ event: "echo", data: "x".repeat(2_000_000) }));
  const [code] = await within(5000, once(socket, "close"), "the close");
  assert.equal(code, 1009);
});

test("nested, binary and mistyped input is answered with an error, and the connection lives", async () => {
  const client = await Client.open(`ws://${server.host}/ws`);
  const cases = [
    [`{"event":"echo","data":${"[".repeat(50_000)}`, /nested/],
    [Buffer.from("garbage"), /binary/],
    [Buffer.from([1, 0, 0, 200]), /binary/],
    ['{"event":"join","data":5}', /shape/],
    ['{"event":"slow"}', /shape/],
    [`{"event":"${"x".repeat(200)}"}`, /too long/],
  ];
  for (const [input, message] of cases) {
    client.send(input);
    const { event, data } = await client.next();
    assert.equal(event, "exception");
    assert.match(data.message, message);
  }
  assert.equal((await client.request("echo", 1)).data, 1);
  assert.equal((await client.request("join", { room: "x".repeat(129) })).error.message, "a name has at most 128 bytes");
  await client.close();
});

test("a client that never reads is closed by its policy, and the others get everything", async () => {
  const stuck = await raw("/ws");
  stuck.pause();
  stuck.write(frame(0x81, '{"event":"join","data":{"room":"flood"}}'));
  const [reader, writer] = [await Client.open(`ws://${server.host}/ws`), await Client.open(`ws://${server.host}/ws`)];
  for (const client of [reader, writer]) assert.ok((await client.request("join", { room: "flood" })).data);
  const data = "y".repeat(30_000);
  let members;
  for (let n = 0; n < 2000; n++) {
    await writer.request("publish", { room: "flood", data });
    assert.equal((await reader.next()).data.length, data.length);
    members = (await writer.request("members", { room: "flood" })).data;
    if (members.length === 2) break;
  }
  assert.equal(members.length, 2, "the stuck client is still in the room");
  stuck.destroy();
  await Promise.all([reader.close(), writer.close()]);
});

test("a client that goes in the middle of a call leaves its room, and the server lives", async () => {
  const [going, staying] = [await Client.open(`ws://${server.host}/ws`), await Client.open(`ws://${server.host}/ws`)];
  await going.request("join", { room: "gone" });
  going.ask("slow", { ms: 60_000 });
  going.socket.terminate();
  let members = [1];
  for (let n = 0; n < 5000 && members.length; n++) members = (await staying.request("members", { room: "gone" })).data;
  assert.deepEqual(members, []);
  await staying.close();
  // The call that outlives its client does not end with this test: the drain drops it.
});

test("handshakes that are none are refused with a proper answer", async () => {
  const ask = async (headers) => fetch(`http://${server.host}/ws`, { headers });
  const page = await ask({});
  assert.equal(page.status, 404);
  const [host, port] = server.host.split(":");
  const answer = async (lines) => {
    const socket = connect(Number(port), host);
    socket.write(`GET /ws HTTP/1.1\r\nHost: ${server.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines}\r\n`);
    const [head] = await within(5000, once(socket, "data"), "an answer");
    socket.destroy();
    return head.toString();
  };
  const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const old = await answer(`Sec-WebSocket-Version: 8\r\n${key}`);
  assert.match(old, /^HTTP\/1\.1 426 /);
  assert.match(old, /sec-websocket-version: 13/i);
  assert.match(await answer("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n"), /^HTTP\/1\.1 400 /);
  const foreign = await answer(`Sec-WebSocket-Version: 13\r\n${key}Origin: http://evil.example\r\n`);
  assert.match(foreign, /^HTTP\/1\.1 403 /);
  assert.match(await answer(`Sec-WebSocket-Version: 13\r\n${key}Origin: null\r\n`), /^HTTP\/1\.1 403 /);
  const own = await answer(`Sec-WebSocket-Version: 13\r\n${key}Origin: http://${server.host}\r\n`);
  assert.match(own, /^HTTP\/1\.1 101 /);
});

test("the liveness page answers", async () => {
  assert.equal(await (await fetch(`http://${server.host}/healthz`)).text(), "ok");
});

test("a token is demanded where a secret is set, by a stock layer", async () => {
  const guarded = await start("lab", ["--jwt-secret", "s3cret"]);
  try {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = (claims, secret = "s3cret", alg = "HS256") => {
      const body = `${part({ alg, typ: "JWT" })}.${part(claims)}`;
      return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
    };
    const soon = Math.floor(Date.now() / 1000) + 60;
    const url = `ws://${guarded.host}/ws`;
    const bad = [
      "",
      token({ sub: "ann", exp: soon }, "other"),
      token({ sub: "ann", exp: soon - 3600 }),
      token({ exp: soon }),
      token({ sub: "ann" }),
      token({ sub: "ann", exp: soon }, "s3cret", "none"),
    ];
    for (const text of bad) assert.equal((await refusal(`${url}?token=${text}`)).status, 401, text);
    const good = token({ sub: "ann", exp: soon });
    await (await Client.open(`${url}?token=${good}`)).close();
    await (await Client.open(url, { headers: { authorization: `Bearer ${good}` } })).close();
  } finally {
    assert.equal(await guarded.stop(), 0);
  }
});

test("a full server refuses with 503", async () => {
  const small = await start("lab", ["--max-clients", "1"]);
  try {
    const first = await Client.open(`ws://${small.host}/ws`);
    assert.equal((await refusal(`ws://${small.host}/ws`)).status, 503);
    await first.close();
  } finally {
    assert.equal(await small.stop(), 0);
  }
});

test("SIGTERM drains: the running call is answered, the close code is 1001, the exit code 0", async () => {
  const draining = await start("lab");
  const client = await Client.open(`ws://${draining.host}/ws`);
  const id = client.ask("slow", { ms: 300 });
  // An answer behind it is proof that the slow call runs: it is handled first.
  const probe = await Client.open(`ws://${draining.host}/ws`);
  await probe.request("echo", 1);
  const stopped = draining.stop();
  assert.deepEqual(await client.next(), { ack: id, data: 300 });
  assert.equal((await within(5000, client.closed, "the close")).code, 1001);
  assert.equal(await stopped, 0);
});
