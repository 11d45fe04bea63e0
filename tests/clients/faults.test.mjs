// Bad input and faults against the lab: who is told what, who is closed with which code, and who notices nothing.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Client, refusal } from "./support/client.mjs";
import { RawSocket, frame } from "./support/raw.mjs";
import { start, within } from "./support/server.mjs";

let server;
before(async () => (server = await start("lab")));
after(() => server?.stop());

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;

const lab = (path = "/ws", { host } = server) => `ws://${host}${path}`;

/** A server of its own for one test, with these flags. */
async function using(flags, run) {
  const own = await start("lab", flags);
  try {
    await run(own);
  } finally {
    await own.stop();
  }
}

/** The close code for these bytes on a fresh connection, which ends after it. */
async function codeFor(bytes, path = "/raw") {
  const raw = await RawSocket.open(server.host, path);
  raw.write(bytes);
  const code = await raw.closeCode();
  raw.socket.end();
  await raw.gone();
  return code;
}

/** Waits until somebody has left a room, as another member sees it. */
async function alone(client, room) {
  while ((await client.request("members", { room })).data.length > 1);
}

test("frames against the protocol are closed with 1002", async () => {
  const faults = {
    "without a mask": frame(TEXT, "x", { mask: false }),
    "with RSV1": frame(0xc1, "x"),
    "with RSV2": frame(0xa1, "x"),
    "with RSV3": frame(0x91, "x"),
    "with the reserved opcode 3": frame(0x83, "x"),
    "with the reserved opcode 11": frame(0x8b, "x"),
    "a ping in fragments": frame(0x09, "x"),
    "a ping of 126 bytes": frame(PING, "x".repeat(126)),
    "a length that is not minimal": frame(TEXT, "x", { wide: true }),
    "a continuation of nothing": frame(0x80, "x"),
    "a text inside a text": Buffer.concat([frame(0x01, "x"), frame(TEXT, "y")]),
    "a close with one byte": frame(CLOSE, [3]),
    "a close with the code 1005": frame(CLOSE, [1005 >> 8, 1005 & 255]),
    "a close with the code 999": frame(CLOSE, [999 >> 8, 999 & 255]),
  };
  for (const [what, bytes] of Object.entries(faults)) assert.equal(await codeFor(bytes), 1002, what);
});

test("text that is no UTF-8 is closed with 1007", async () => {
  const faults = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80]];
  for (const bytes of faults) {
    for (const path of ["/raw", "/ws", "/nest"]) assert.equal(await codeFor(frame(TEXT, bytes), path), 1007, `${bytes}`);
  }
  const split = Buffer.concat([frame(0x01, [0xc3]), frame(0x80, [0x28])]);
  assert.equal(await codeFor(split), 1007, "over two fragments");
  assert.equal(await codeFor(frame(CLOSE, [3, 232, 0xff])), 1007, "in the reason of a close");
});

test("a message that is too large is closed with 1009, and the client reads the code while it still sends", async () => {
  const client = await Client.open(lab());
  client.send("x".repeat(64 * 1024 + 1));
  assert.deepEqual(await client.closed, { code: 1009, reason: "message too big" });
  const large = await Client.open(lab());
  large.send(Buffer.alloc(8 * 1024 * 1024));
  assert.equal((await large.closed).code, 1009);
  assert.equal(await codeFor(frame(BINARY, "", { length: 64 * 1024 + 1 }), "/ws"), 1009, "by its header alone");
  assert.equal(await codeFor(frame(BINARY, "", { length: 2 ** 40 }), "/raw"), 1009);
  const half = frame(0x02, Buffer.alloc(40 * 1024));
  const rest = frame(0x80, "", { length: 40 * 1024 });
  assert.equal(await codeFor(Buffer.concat([half, rest]), "/ws"), 1009, "over two fragments");
});

test("a message of too many fragments is closed with 1008", async () => {
  const bytes = [frame(0x01, "x"), ...Array.from({ length: 1024 }, () => frame(0x00, "x"))];
  assert.equal(await codeFor(Buffer.concat(bytes)), 1008);
});

test("what is no message is told to its sender in one line, and the connection lives", async () => {
  const client = await Client.open(lab());
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  const room = 64 * 1024 - 40;
  const faults = {
    "not json": "The message is not valid JSON",
    '{"event":"echo"': "The message is not valid JSON",
    "{}": "The event is missing",
    '{"data":1}': "The event is missing",
    '{"event":5}': "The event must be a string",
    '{"event":["echo"]}': "The event must be a string",
    '{"event":""}': "The event is empty",
    [`{"event":"${"x".repeat(129)}"}`]: "The event name is too long",
    '{"event":"no-such-event"}': "Unknown event",
    '{"event":{"type":"x"}}': "Unknown event",
    '{"event":"join","data":"x"}': "The payload does not have the expected shape",
    '{"event":"join"}': "The payload does not have the expected shape",
    '{"event":"slow"}': "The payload does not have the expected shape",
    '["echo",1]': "The message does not have the expected shape",
    '{"event":"join","data":{"room":""}}': "a name must not be empty",
    [`{"event":"join","data":{"room":"${"x".repeat(129)}"}}`]: "a name has at most 128 bytes",
    [`{"event":"echo","data":${deep.slice(100_000 - room / 2, 100_000 + room / 2)}}`]: "The message is nested too deep",
    [`${"[".repeat(60_000)}`]: "The message is nested too deep",
  };
  for (const [text, message] of Object.entries(faults)) {
    client.send(text);
    assert.deepEqual(await client.next(), { event: "exception", data: { status: "error", message } }, text.slice(0, 60));
  }
  assert.equal((await client.request("echo", 1)).data, 1);
  await client.close();
});

test("100,000 nested brackets are refused where they fit into a message", () =>
  using(["--max-message", "1000000"], async (own) => {
    const client = await Client.open(lab("/ws", own));
    const error = { status: "error", message: "The message is nested too deep" };
    client.send(`{"event":"echo","data":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    assert.deepEqual(await client.next(), { event: "exception", data: error });
    client.send(`{"event":"echo","data":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}`);
    assert.deepEqual(await client.next(), { event: "exception", data: error });
    assert.equal((await client.request("echo", "x".repeat(100_000))).data.length, 100_000);
    await client.close();
  }));

test("a fault that has an ack id is told in the answer", async () => {
  const client = await Client.open(lab());
  for (const [text, message] of [
    ['{"data":1,"id":7}', "The event is missing"],
    ['{"event":5,"id":7}', "The event must be a string"],
    ['{"event":"no-such-event","id":7}', "Unknown event"],
    ['{"event":"join","data":5,"id":7}', "The payload does not have the expected shape"],
    ['{"event":"panic","id":7}', "Internal server error"],
    ['{"event":"echo","ack":"x","id":7}', "The message does not have the expected shape"],
  ]) {
    client.send(text);
    assert.deepEqual(await client.next(), { ack: 7, error: { status: "error", message } }, text);
  }
  client.send('{"event":"echo","id":"x"}');
  assert.equal((await client.next()).event, "exception");
  client.send('{"ack":99,"data":"nobody asked"}');
  assert.equal((await client.request("echo", 1)).data, 1, "an answer that nobody awaits is ignored");
  await client.close();
});

test("binary that is no message is told too: garbage, a cut head, an unknown kind, JSON, bytes for a handler of JSON", async () => {
  const client = await Client.open(lab());
  const head = (kind, flags, event) => Buffer.from([kind, flags, 0, event.length, ...Buffer.from(event)]);
  for (const [bytes, message] of [
    [Buffer.alloc(0), "The binary message is cut short"],
    [Buffer.from([1, 0, 0]), "The binary message is cut short"],
    [Buffer.from([1, 1, 0, 1, 0x65, 0, 0]), "The binary message is cut short"],
    [Buffer.from('{"event":"echo","data":1}'), "The binary message is cut short"],
    [Buffer.from([9, 0, 0, 0]), "The binary message is of an unknown kind"],
    [Buffer.from([1, 0, 0, 0]), "The event is empty or too long"],
    [Buffer.from([1, 0, 0, 1, 0xff]), "The event is not a valid name"],
    [head(1, 0, "no-such-event"), "Unknown event"],
    [head(1, 0, "echo"), "The payload does not have the expected shape"],
  ]) {
    client.send(bytes);
    assert.deepEqual(await client.next(), { event: "exception", data: { status: "error", message } }, bytes.toString("hex"));
  }
  const asked = Buffer.concat([head(1, 1, "echo"), Buffer.from([0, 0, 0, 0, 0, 0, 1, 2]), Buffer.from("x")]);
  client.send(asked);
  assert.deepEqual((await client.next()).ack, 258);
  assert.equal((await client.request("echo", 1)).data, 1);
  await client.close();
});

test("a panic ends one call: its client and the others go on", async () => {
  const [client, other] = [await Client.open(lab()), await Client.open(lab())];
  const ids = [client.ask("echo", 1), client.ask("panic"), client.ask("echo", 2)];
  const answers = [await client.next(), await client.next(), await client.next()];
  assert.deepEqual(answers.map(({ ack }) => ack), ids);
  assert.deepEqual(answers[1].error, { status: "error", message: "Internal server error" });
  client.send({ event: "panic" });
  assert.equal((await client.next()).data.message, "Internal server error");
  assert.equal((await other.request("echo", 3)).data, 3);
  await Promise.all([client.close(), other.close()]);
});

test("a client that never reads is closed with 1013, and the others get everything", () =>
  using(["--outbox-messages", "8", "--outbox-bytes", "200000"], async (own) => {
    const stuck = await RawSocket.open(own.host, "/ws");
    stuck.write(frame(TEXT, '{"event":"join","data":{"room":"r"},"id":1}'));
    assert.equal((await stuck.frame()).opcode, 1);
    stuck.socket.pause();
    const [writer, reader] = [await Client.open(lab("/ws", own)), await Client.open(lab("/ws", own))];
    for (const client of [writer, reader]) await client.request("join", { room: "r" });
    const data = "x".repeat(60_000);
    let [n, members] = [0, 3];
    while (members === 3 && n < 2000) {
      const id = writer.ask("publish", { room: "r", data: { n, data } });
      assert.deepEqual([(await reader.next()).data.n, (await writer.next()).data.n], [n, n]);
      const answer = await writer.next();
      assert.equal(answer.ack, id);
      members = answer.data;
      n += 1;
    }
    assert.equal(members, 2, `after ${n} messages`);
    assert.equal((await writer.request("members", { room: "r" })).data.length, 2);
    stuck.socket.resume();
    assert.equal(await stuck.closeCode(), 1013);
    await Promise.all([writer.close(), reader.close()]);
  }));

test("where the policy drops, a client that never reads stays and misses messages", () =>
  using(["--outbox-messages", "8", "--outbox-bytes", "200000", "--overflow", "drop-newest"], async (own) => {
    const stuck = await RawSocket.open(own.host, "/ws");
    stuck.write(frame(TEXT, '{"event":"join","data":{"room":"r"},"id":1}'));
    assert.equal((await stuck.frame()).opcode, 1);
    stuck.socket.pause();
    const writer = await Client.open(lab("/ws", own));
    await writer.request("join", { room: "r" });
    let [n, reached] = [0, 2];
    for (; reached === 2 && n < 2000; n += 1) {
      reached = (await writer.request("publish", { room: "r", data: { n, data: "x".repeat(60_000) } })).data;
    }
    assert.equal(reached, 1, `after ${n} messages`);
    assert.equal((await writer.request("members", { room: "r" })).data.length, 2);
    stuck.socket.resume();
    for (let at = 0; at < n - 1; at += 1) {
      assert.equal(JSON.parse((await stuck.frame()).payload).data.n, at, "what was taken comes in order");
    }
    stuck.write(frame(TEXT, '{"event":"echo","data":1,"id":2}'));
    assert.equal(JSON.parse((await stuck.frame()).payload).ack, 2);
    stuck.socket.destroy();
    await writer.close();
  }));

test("a client that goes in the middle of a call leaves its rooms at once, and the server waits for the call", async () => {
  const own = await start("lab");
  const [client, other] = [await Client.open(lab("/ws", own)), await Client.open(lab("/ws", own))];
  for (const one of [client, other]) await one.request("join", { room: "r" });
  client.ask("slow", { ms: 2000 });
  client.socket.ping();
  await within(5000, once(client.socket, "pong"), "a pong");
  const begun = Date.now();
  client.socket.terminate();
  await alone(other, "r");
  assert.ok(Date.now() - begun < 1900, "it left before its call had ended");
  assert.equal((await other.request("echo", 1)).data, 1);
  assert.equal(await own.stop(), 0);
  assert.ok(Date.now() - begun >= 1000, "the call ran to its end");
});

test("on SIGTERM a running call is answered, the code is 1001, and the exit code 0", async () => {
  const own = await start("lab");
  const [busy, idle] = [await Client.open(lab("/ws", own)), await Client.open(lab("/ws", own))];
  const ids = [busy.ask("slow", { ms: 400 }), busy.ask("echo", "held behind it")];
  busy.socket.ping();
  await within(5000, once(busy.socket, "pong"), "a pong");
  const stopped = own.stop();
  assert.deepEqual(await idle.closed, { code: 1001, reason: "going away" });
  assert.deepEqual(await busy.next(), { ack: ids[0], data: 400 });
  assert.deepEqual(await busy.next(), { ack: ids[1], data: "held behind it" });
  assert.equal((await busy.closed).code, 1001);
  assert.equal(await stopped, 0);
});

test("a drain has an end: a call that takes longer is dropped, and the exit code says so", async () => {
  const own = await start("lab", ["--drain-ms", "200"]);
  const client = await Client.open(lab("/ws", own));
  client.ask("slow", { ms: 60_000 });
  client.socket.ping();
  await within(5000, once(client.socket, "pong"), "a pong");
  assert.equal(await own.stop(), 1);
  await client.closed;
});

test("a handshake against the RFC is refused with its status", async () => {
  const ask = async (headers) => {
    const raw = await RawSocket.connect(server.host);
    const answer = await raw.handshake(server.host, "/ws", headers);
    raw.socket.destroy();
    return answer;
  };
  for (const version of ["8", "14", "", "13, 8", undefined]) {
    const { status, headers } = await ask({ "Sec-WebSocket-Version": version });
    assert.deepEqual([status, headers["sec-websocket-version"]], [426, "13"], version);
  }
  for (const key of ["", "short", "not base64 at all!!!!!==", undefined]) {
    assert.equal((await ask({ "Sec-WebSocket-Key": key })).status, 400, key);
  }
  assert.equal((await ask({ Host: undefined })).status, 400);
  assert.equal((await ask({ Upgrade: "h2c" })).status, 404, "a request for no WebSocket is the application's");
  const other = await ask({ "Sec-WebSocket-Protocol": "other, graphql-ws" });
  assert.deepEqual([other.status, other.headers["sec-websocket-protocol"]], [101, undefined]);
  const chosen = await ask({ "Sec-WebSocket-Protocol": "other, flat, narthex.json" });
  assert.deepEqual([chosen.status, chosen.headers["sec-websocket-protocol"]], [101, "flat"]);
  const offered = await ask({ "Sec-WebSocket-Extensions": "permessage-deflate" });
  assert.deepEqual([offered.status, offered.headers["sec-websocket-extensions"]], [101, undefined]);
});

test("the application's own HTTP is answered beside the doors", async () => {
  assert.equal(await (await fetch(`http://${server.host}/healthz`)).text(), "ok");
  assert.equal((await fetch(`http://${server.host}/ws`)).status, 404);
});

test("pages of other origins are refused with 403, on every path", async () => {
  for (const path of ["/ws", "/nest", "/raw"]) {
    for (const origin of ["https://evil.example", "null", `http://${server.host}.evil.example`]) {
      assert.equal((await refusal(lab(path), { headers: { Origin: origin } })).status, 403, `${path} ${origin}`);
    }
  }
  for (const headers of [{}, { Origin: `http://${server.host}` }]) {
    await (await Client.open(lab(), { headers })).close();
  }
});

test("a list of origins lets those in and no others", () =>
  using(["--origin", "https://app.example"], async (own) => {
    await (await Client.open(lab("/ws", own), { headers: { Origin: "https://app.example" } })).close();
    for (const origin of [`http://${own.host}`, "http://app.example", "https://app.example:8443"]) {
      assert.equal((await refusal(lab("/ws", own), { headers: { Origin: origin } })).status, 403, origin);
    }
  }));

/** A token as RFC 7519 has it, signed with HMAC. */
function token(claims, secret = "a secret of the test", alg = "HS256") {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg, typ: "JWT" })}.${part(claims)}`;
  if (alg === "none") return `${text}.`;
  return `${text}.${createHmac(alg.replace("HS", "sha"), secret).update(text).digest("base64url")}`;
}

test("without a valid token the answer is 401 on every path, and with one 101", () =>
  using(["--jwt-secret", "a secret of the test"], async (own) => {
    const exp = Math.floor(Date.now() / 1000) + 600;
    const invalid = "The token is not valid";
    const bad = {
      none: [undefined, "A token is needed"],
      "another secret": [token({ sub: "ada", exp }, "another"), invalid],
      expired: [token({ sub: "ada", exp: exp - 1200 }), "The token has expired"],
      "no expiry": [token({ sub: "ada" }), invalid],
      "an expiry of the wrong type": [token({ sub: "ada", exp: "never" }), invalid],
      "no subject": [token({ exp }), invalid],
      "another algorithm": [token({ sub: "ada", exp }, undefined, "HS512"), invalid],
      "no algorithm": [token({ sub: "ada", exp }, undefined, "none"), invalid],
      "no token at all": ["nonsense", invalid],
    };
    for (const [what, [value, message]] of Object.entries(bad)) {
      const headers = value === undefined ? {} : { Authorization: `Bearer ${value}` };
      for (const path of ["/ws", "/nest", "/raw"]) {
        const { status, text } = await refusal(lab(path, own), { headers });
        assert.deepEqual([status, JSON.parse(text)], [401, { status: "error", message }], `${what} on ${path}`);
      }
    }
    const good = token({ sub: "ada", exp });
    const client = await Client.open(lab("/ws", own), { headers: { Authorization: `Bearer ${good}` } });
    assert.equal((await client.request("echo", 1)).data, 1);
    const newer = token({ sub: "ada", exp: exp + 60 });
    assert.equal((await client.request("auth.refresh", { token: newer })).error, undefined);
    const { error } = await client.request("auth.refresh", { token: token({ sub: "eve", exp }) });
    assert.equal(error.message, "The token is for somebody else");
    await client.close();
    await (await Client.open(lab(`/nest?token=${good}`, own))).close();
    const browser = await Client.open(lab("/ws", own), {}, ["bearer", good]);
    assert.equal(browser.socket.protocol, "bearer");
    await browser.close();
    assert.ok(!own.log().includes(good), "the token is not in the log");
  }));

test("a server that is full answers 503, and lets the next one in once somebody has left", () =>
  using(["--max-clients", "1"], async (own) => {
    const first = await Client.open(lab("/ws", own));
    for (const path of ["/ws", "/nest", "/raw"]) {
      const { status, headers, text } = await refusal(lab(path, own));
      assert.deepEqual([status, headers["content-type"]], [503, "application/json"], path);
      assert.deepEqual(JSON.parse(text), { status: "error", message: "The server is full" });
    }
    assert.equal((await first.request("echo", 1)).data, 1);
    await first.close();
    let second;
    while (!second) second = await Client.open(lab("/ws", own)).catch(() => undefined);
    await second.close();
  }));

test("one address has only so many connections: a further one is closed without an answer", () =>
  using(["--max-clients-per-ip", "2"], async (own) => {
    const clients = [await Client.open(lab("/ws", own)), await Client.open(lab("/raw", own))];
    const third = await RawSocket.connect(own.host);
    assert.equal((await third.handshake(own.host, "/ws")).status, undefined);
    await third.gone();
    assert.equal((await clients[0].request("echo", 1)).data, 1);
    await Promise.all(clients.map((client) => client.close()));
    let next;
    while (!next) next = await Client.open(lab("/ws", own)).catch(() => undefined);
    await next.close();
  }));

test("a head that does not come to its end is closed", () =>
  using(["--handshake-timeout-ms", "200"], async (own) => {
    const raw = await RawSocket.connect(own.host);
    raw.write("GET /ws HTTP/1.1\r\nHost: ");
    await raw.gone();
    const silent = await RawSocket.connect(own.host);
    await silent.gone();
  }));

test("a client that answers no ping is cut, and one that does stays", () =>
  using(["--ping-interval-ms", "100", "--ping-timeout-ms", "100"], async (own) => {
    const mute = await RawSocket.open(own.host, "/ws");
    const well = await Client.open(lab("/ws", own));
    const pinged = once(well.socket, "ping");
    assert.equal((await mute.frame()).opcode, 9);
    await mute.gone();
    await within(5000, pinged, "a ping");
    assert.equal((await well.request("echo", 1)).data, 1);
    await well.close();
  }));
