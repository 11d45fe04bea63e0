// Real clients of the SSE door against the lab: npm's EventSource with tickets, a streaming fetch with a header, curl, and the
// page's own module, over a connection that breaks.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { EventSource } from "eventsource";
import { connect, SseSocket } from "../../examples/chat/page/sse.js";
import { Client } from "./support/client.mjs";
import { Proxy } from "./support/proxy.mjs";
import { start, within } from "./support/server.mjs";

const PATIENCE = 10_000;
const SECRET = "a secret of the test";

const soon = (promise, what) => within(PATIENCE, promise, what);

let server, url, guarded;
before(async () => {
  server = await start("lab", ["--doors", "ws,sse"]);
  guarded = await start("lab", ["--doors", "sse", "--jwt-secret", SECRET, "--sse-grace-ms", "200"]);
  url = `http://${server.host}/sse`;
});
after(async () => {
  await server?.stop();
  await guarded?.stop();
});

/** A token as RFC 7519 has it, signed with HMAC. */
function bearer(sub) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub, exp })}`;
  return `Bearer ${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

function post(to, session, seq, messages) {
  const headers = { "Content-Type": "application/json", "X-Narthex-Session": session, "X-Narthex-Seq": `${seq}` };
  return fetch(to, { method: "POST", headers, body: JSON.stringify(messages) });
}

/** What an EventSource gives, one after another. */
function events(source) {
  const [heard, waiting] = [[], []];
  for (const name of ["session", "message", "close"]) {
    source.addEventListener(name, ({ data, lastEventId }) => {
      const event = { name, id: lastEventId, data: JSON.parse(data) };
      if (waiting.length) waiting.shift()(event);
      else heard.push(event);
    });
  }
  return () => soon(heard.length ? heard.shift() : new Promise((resolve) => waiting.push(resolve)), "an event");
}

async function ticket(headers = {}) {
  const response = await fetch(`${url}/ticket`, { method: "POST", headers });
  return (await response.json()).ticket;
}

test("an EventSource comes in with a ticket, and goes on with another where it stopped", async () => {
  const first = new EventSource(`${url}?ticket=${await ticket()}`);
  const next = events(first);
  const { name, data } = await next();
  assert.equal(name, "session");
  const echo = (n) => ({ event: "echo", data: n, id: n });
  assert.deepEqual(await (await post(url, data.session, 1, [echo(1), echo(2)])).json(), { seq: 2 });
  assert.deepEqual(await next(), { name: "message", id: "1", data: { ack: 1, data: 1 } });
  first.close();
  await post(url, data.session, 3, echo(3));
  const resume = await ticket({ "X-Narthex-Session": data.session });
  const second = new EventSource(`${url}?ticket=${resume}&lastEventId=1`);
  const more = events(second);
  const again = await more();
  assert.deepEqual([again.data.client, again.data.resumed, again.data.seq], [data.client, true, 3]);
  assert.deepEqual((await more()).data, { ack: 2, data: 2 });
  assert.deepEqual(await more(), { name: "message", id: "3", data: { ack: 3, data: 3 } });
  second.close();
  await fetch(url, { method: "DELETE", headers: { "X-Narthex-Session": data.session } });
});

test("a ticket that was used makes an EventSource stop", async () => {
  const once_ = await ticket();
  const used = new EventSource(`${url}?ticket=${once_}`);
  await events(used)();
  used.close();
  const late = new EventSource(`${url}?ticket=${once_}`);
  const [{ code }] = await soon(once(late, "error"), "an error");
  assert.deepEqual([code, late.readyState], [204, EventSource.CLOSED]);
});

test("a streaming fetch brings its Authorization header", async () => {
  const at = `http://${guarded.host}/sse`;
  const open = (headers) => fetch(at, { headers: { Accept: "text/event-stream", ...headers } });
  const refused = await open();
  assert.equal(refused.status, 401);
  await refused.body?.cancel();
  const response = await open({ Authorization: bearer("ada") });
  assert.equal(response.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (end) => {
    while (!text.includes(end)) text += (await soon(reader.read(), end)).value;
  };
  await until("\n\n");
  const { session } = JSON.parse(/data: (.*)/.exec(text)[1]);
  await post(at, session, 1, { event: "echo", data: "grüß dich", id: 7 });
  await until('id: 1\ndata: {"ack":7,"data":"grüß dich"}\n\n');
  await reader.cancel();
  // The token alone does not go on with a session.
  const again = await open({ "X-Narthex-Session": session });
  assert.equal(again.status, 401);
  await again.body?.cancel();
});

test("curl reads a stream and posts", async () => {
  const curl = (...args) => spawn("curl", ["-sS", ...args], { stdio: ["ignore", "pipe", "inherit"] });
  const stream = curl("-N", "-H", "Accept: text/event-stream", url);
  const ended = once(stream, "exit");
  const pieces = stream.stdout.setEncoding("utf8")[Symbol.asyncIterator]();
  let text = "";
  const until = async (end) => {
    while (!text.includes(end)) text += (await soon(pieces.next(), end)).value;
  };
  await until("\n\n");
  const { session } = JSON.parse(/data: (.*)/.exec(text)[1]);
  const sent = curl(
    ...["-H", `X-Narthex-Session: ${session}`, "-H", "X-Narthex-Seq: 1", "-H", "Content-Type: application/json"],
    ...["-d", '{"event":"echo","data":"from curl","id":1}', "-w", " %{http_code}", url],
  );
  assert.equal((await sent.stdout.toArray()).join(""), '{"seq":1} 200');
  await until('id: 1\ndata: {"ack":1,"data":"from curl"}\n\n');
  const left = curl("-X", "DELETE", "-H", `X-Narthex-Session: ${session}`, "-w", "%{http_code}", url);
  assert.equal((await left.stdout.toArray()).join(""), "204");
  await until('event: close\ndata: {"code":1000,"reason":""}\n\n');
  // The stream ends by itself.
  assert.deepEqual(await soon(ended, "curl's end"), [0, null]);
});

/** Waits until a connection of the module is in a state. */
function reaches(client, wanted) {
  const { promise, resolve } = deferred();
  client.watch((state) => state === wanted && resolve());
  return soon(promise, wanted);
}

function deferred() {
  const deferred = {};
  deferred.promise = new Promise((resolve) => (deferred.resolve = resolve));
  return deferred;
}

test("the module asks, is asked, and shares a room with a client on WebSocket", async () => {
  const client = connect(url, { EventSource });
  await reaches(client, "open");
  assert.deepEqual(await client.request("echo", { a: [1, null] }), { a: [1, null] });
  await assert.rejects(client.request("no-such-event"), { name: "RequestError" });
  client.on("ask", (question) => `${question} yes`);
  assert.equal(await client.request("ask", "sure?"), "sure? yes");
  const other = await Client.open(`ws://${server.host}/ws`);
  await other.request("join", { room: "both" });
  await client.request("join", { room: "both" });
  const heard = deferred();
  client.on("message", heard.resolve);
  assert.equal((await other.request("publish", { room: "both", data: { n: 1 } })).data, 2);
  assert.deepEqual(await soon(heard.promise, "a message"), { n: 1 });
  client.close();
  // The server knows at once that it has left.
  for (;;) {
    const { data } = await other.request("members", { room: "both" });
    if (data.length === 1) break;
  }
  await other.close();
});

test("the module goes on through breaks: nothing is lost, nothing comes twice", async () => {
  const proxy = await Proxy.start(server.host);
  const client = connect(`http://${proxy.host}/sse`, { EventSource });
  const states = [];
  client.watch((state) => states.push(state));
  await reaches(client, "open");
  const me = await client.request("whoami");
  await client.request("join", { room: "breaks" });
  const publisher = await Client.open(`ws://${server.host}/ws`);
  await publisher.request("join", { room: "breaks" });
  const [heard, all] = [[], deferred()];
  const count = 60;
  client.on("message", (n) => heard.push(n) === count && all.resolve());
  const asked = [];
  for (let n = 0; n < count; n++) {
    await publisher.request("publish", { room: "breaks", data: n });
    asked.push(client.request("echo", n));
    if (n % 20 === 10) proxy.cut();
  }
  await soon(all.promise, "all messages");
  assert.deepEqual(heard, Array.from({ length: count }, (_, n) => n));
  assert.deepEqual(await Promise.all(asked), heard);
  assert.equal(await client.request("whoami"), me);
  assert.deepEqual(states, ["connecting", "open"]);
  client.close();
  await publisher.close();
  proxy.stop();
});

test("a session that is gone is not hidden: the module says so and opens a new one", async () => {
  const proxy = await Proxy.start(guarded.host);
  const headers = { Authorization: bearer("ada") };
  const client = connect(`http://${proxy.host}/sse`, { EventSource, headers, shortest: 50, longest: 200 });
  await reaches(client, "open");
  const me = await client.request("whoami");
  const waiting = reaches(client, "waiting");
  proxy.closed = true;
  proxy.cut();
  await waiting;
  proxy.closed = false;
  await reaches(client, "open");
  assert.notEqual(await client.request("whoami"), me);
  client.close();
  proxy.stop();
});

test("a client that is not let in is told, and a message that is too large ends the socket", async () => {
  const closed = (socket) => soon(new Promise((resolve) => (socket.onclose = resolve)), "the end");
  const stranger = new SseSocket(`http://${guarded.host}/sse`, { EventSource });
  assert.deepEqual(await closed(stranger), { code: 1006, reason: "The server answered 401." });
  const loud = new SseSocket(url, { EventSource });
  await soon(new Promise((resolve) => (loud.onopen = resolve)), "the socket to open");
  loud.send(JSON.stringify({ event: "echo", data: "x".repeat(70_000) }));
  assert.equal((await closed(loud)).code, 1009);
});
