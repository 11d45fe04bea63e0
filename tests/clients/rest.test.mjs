// REST over the socket, case by case (the numbers are those of its acceptance page): the official Socket.IO client, the one of sails.io.js, and the
// default envelope over ws and SSE.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import { connect } from "../../examples/chat/page/sse.js";
import { Client } from "./support/client.mjs";
import { Engine } from "./support/socketio.mjs";
import { start, within } from "./support/server.mjs";

const require = createRequire(import.meta.url);
let server, web;
before(async () => {
  server = await start("rest", ["--timeout-ms", "1000"]);
  web = await socket();
});
after(async () => {
  web?.disconnect();
  await server?.stop();
});

/** A connected socket; `cookie` is what the server gave it. */
async function socket(query = { channel: "web-channel" }, extraHeaders = {}, options = {}) {
  const once = { forceNew: true, reconnection: false, transports: ["websocket"] };
  const it = io(`http://${server.host}`, { query, extraHeaders, ...once, ...options });
  it.once("set-cookie", (cookie) => (it.cookie = cookie));
  const opened = new Promise((resolve, reject) => {
    it.once("connect", resolve);
    it.once("connect_error", reject);
  });
  try {
    await within(5000, opened, "the connect");
    return it;
  } catch (error) {
    it.disconnect();
    throw error;
  }
}

const send = (to, event, ...args) => to.timeout(5000).emitWithAck(event, ...args);
const request = (method, url, more = {}) => send(web, method, { method, headers: {}, data: {}, url, ...more });
const refused = (message) => ({ body: { message, error: "Bad Request", statusCode: 400 }, headers: {}, statusCode: 400 });
const internal = { body: { message: "Internal Server Error" }, headers: {}, statusCode: 500 };
const nowhere = { body: { message: "Not Found" }, headers: {}, statusCode: 404 };
const hello = { body: "Hello !", headers: {}, statusCode: 200 };

test("1: a route answers", async () => {
  assert.deepEqual(await request("get", "/example?id=1"), hello);
});

test("2: an error of a route has its body and status", async () => {
  const body = { message: "Id not found", error: "Not Found", statusCode: 404 };
  assert.deepEqual(await request("get", "/example"), { body, headers: {}, statusCode: 404 });
});

test("3: a request may be a string of JSON", async () => {
  assert.deepEqual(await send(web, "get", JSON.stringify({ method: "get", headers: {}, data: {}, url: "/example?id=1" })), hello);
});

test("4: what is no JSON is answered 400", async () => {
  assert.deepEqual(await send(web, "get", "not json"), refused("Invalid JSON format"));
});

test("5: without a method or a url the answer is 400", async () => {
  for (const args of [[{ url: "/" }], [{ method: "get" }], [null], [], [7], [[1]]]) {
    assert.deepEqual(await send(web, "get", ...args), refused("Missing required fields: method, url"), JSON.stringify(args));
  }
});

test("6: a url that is none is answered 400", async () => {
  for (const url of ["http://[bad", "example?id=1", "/a\r\nx-evil: 1", "/a b"]) {
    assert.deepEqual(await request("get", url), refused("Cannot parse url"), url);
  }
});

test("7: a method that is none is answered 400", async () => {
  for (const method of ["trace", "GET"]) {
    assert.deepEqual(await send(web, "get", { method, url: "/example?id=1" }), refused("Invalid method!"), method);
  }
});

test("8: the event names the method", async () => {
  assert.deepEqual(await send(web, "get", { method: "post", url: "/example?id=1" }), hello);
});

test("9: a host in the url is ignored", async () => {
  assert.deepEqual(await request("get", "http://evil.example/example?id=1"), hello);
});

test("10: a slash at the end does not matter", async () => {
  assert.deepEqual(await request("get", "/example/?id=1"), hello);
});

test("11: no such route is 404", async () => {
  assert.deepEqual(await request("get", "/nope"), nowhere);
  assert.deepEqual(await request("get", "/../../etc/passwd"), nowhere);
});

test("12: a request has its own query over the handshake's, data over params, and an identity that it cannot change", async () => {
  const own = await socket({ channel: "web-channel", first_name: "Jo" });
  const answer = await send(own, "post", {
    method: "post",
    headers: { "x-h": 1, cookie: "spoof=1", host: "spoof", origin: "http://spoof" },
    params: { p: 1, q: 2 },
    data: { q: 3, z: [1] },
    url: "/echo?a=1&a=2&b=%20x&channel=over",
  });
  const { body, headers, statusCode } = answer;
  assert.deepEqual([statusCode, headers], [201, { "X-A": "b", "Content-Type": "application/json" }]);
  assert.deepEqual([body.method, body.path, body.body], ["POST", "/echo", { p: 1, q: 3, z: [1] }]);
  assert.deepEqual(body.query, { channel: "over", first_name: "Jo", a: "2", b: " x" });
  assert.deepEqual(body.headers, { host: server.host, "x-h": "1" });
  own.disconnect();
});

test("13: data that is a list is the body", async () => {
  const { body } = await request("post", "/echo", { data: [1, 2], params: { p: 1 } });
  assert.deepEqual(body.body, [1, 2]);
});

test("14: put, patch and delete", async () => {
  const json = { "Content-Type": "application/json" };
  assert.deepEqual(await request("put", "/p"), { body: { ok: 1 }, headers: json, statusCode: 200 });
  assert.deepEqual(await request("patch", "/p"), { body: { ok: 2 }, headers: json, statusCode: 200 });
  assert.deepEqual(await request("delete", "/p/"), { headers: {}, statusCode: 204 });
});

test("15: a method that a route has not is 404", async () => {
  assert.equal((await request("options", "/p")).statusCode, 404);
  assert.equal((await request("head", "/p")).statusCode, 404);
});

test("16: a route that throws tells nothing of why", async () => {
  const answer = await request("get", "/boom");
  assert.deepEqual(answer, internal);
  assert.doesNotMatch(JSON.stringify(answer), /secret/);
});

test("17: an error has the body that the route gave it", async () => {
  assert.deepEqual(await request("get", "/unauth"), { body: { message: "Unauthorized", statusCode: 401 }, headers: {}, statusCode: 401 });
  assert.deepEqual(await request("get", "/badobj"), { body: { a: 1 }, headers: {}, statusCode: 400 });
});

test("18: a route that never answers is answered for, in time", async () => {
  assert.equal((await request("get", "/noreply")).statusCode, 504);
});

test("1, 19, 22, 25 on the wire: a session, one answer for each question, and none for what asks for none", async () => {
  const engine = new Engine(server.host, "&channel=web-channel");
  const packets = async (count) => {
    const read = [];
    while (read.length < count) {
      const packet = await engine.read();
      if (packet !== "2") read.push(packet);
    }
    return read;
  };
  assert.match((await packets(1))[0], /^0\{"sid":/);
  engine.send("40");
  const [connect, cookie] = await packets(2);
  assert.match(connect, /^40\{"sid":/);
  assert.match(cookie, /^42\["set-cookie","hex\.sid=s%3A[^"]+; Max-Age=86400"\]$/);
  const asked = JSON.stringify({ method: "get", headers: {}, data: {}, url: "/example?id=1" });
  for (const id of ["1", "", "2"]) engine.send(`42${id}["get",${asked}]`);
  const answer = '[{"body":"Hello !","headers":{},"statusCode":200}]';
  assert.deepEqual(await packets(2), [`431${answer}`, `432${answer}`]);
  engine.ws.terminate();
});

test("20: parameters of a path, also behind the API's prefix", async () => {
  const id = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
  for (const url of [`/webhook/${id}`, `/api/webhook/${id}`]) assert.deepEqual((await request("get", url)).body, { sourceRef: id });
});

test("21: slashes at the end are taken off, in linear time", async () => {
  assert.deepEqual(await request("get", `/${"/".repeat(5000)}`), nowhere);
  assert.deepEqual(await request("get", `/example${"/".repeat(5000)}?id=1`), hello);
});

test("22: without an ack the route runs and nothing comes back", async () => {
  const own = await socket();
  own.onAny((event) => assert.equal(event, "set-cookie"));
  own.emit("get", { method: "get", url: "/count" });
  assert.equal((await send(own, "get", { method: "get", url: "/count" })).body, 2);
  own.disconnect();
});

test("23: a health check is answered by an event", async () => {
  const healthy = () => within(5000, new Promise((resolve) => web.once("event", resolve)), "the event");
  let event = healthy();
  web.emit("healthcheck", "Hello world!");
  assert.equal(await event, "OK");
  event = healthy();
  web.emit("healthcheck", "Hello world!", () => {});
  assert.equal(await event, "OK");
});

test("24: without a cookie and a web channel nobody is let in", async () => {
  for (const query of [{}, { channel: "console-channel" }]) {
    await assert.rejects(socket(query), /Unauthorized to connect to WS/);
  }
});

test("25: a new session has a cookie, with which it is found again", async () => {
  const first = await socket();
  const count = (it) => send(it, "get", { method: "get", url: "/count" });
  assert.equal((await count(first)).body, 1);
  assert.match(first.cookie, /^hex\.sid=s%3A/);
  const second = await socket({ channel: "web-channel" }, { Cookie: first.cookie.split(";")[0] });
  assert.equal((await count(second)).body, 2);
  assert.equal(second.cookie, undefined);
  first.disconnect();
  second.disconnect();
});

test("26: a cookie with a bad signature is refused", async () => {
  await assert.rejects(socket({ channel: "web-channel" }, { Cookie: "hex.sid=s%3Abad.sig" }), /Unable to parse session ID from cookie/);
});

test("27: other cookies are no session", async () => {
  const it = await socket({ channel: "web-channel" }, { Cookie: "other=1" });
  await send(it, "get", { method: "get", url: "/example" });
  assert.match(it.cookie, /^hex\.sid=/);
  it.disconnect();
  await assert.rejects(socket({}, { Cookie: "other=1" }), /Unauthorized to connect to WS/);
});

test("28: a client of Engine.IO 3 is served", async () => {
  const old = require("socket.io-client-2")(`http://${server.host}?channel=web-channel`, { forceNew: true, reconnection: false, transports: ["websocket"] });
  await within(5000, new Promise((resolve) => old.once("connect", resolve)), "the connect");
  const answer = await new Promise((resolve) => old.emit("get", { method: "get", url: "/example?id=1" }, resolve));
  assert.deepEqual(answer, hello);
  old.disconnect();
});

test("29, 30: who asks and may is joined to a room, and nobody else", async () => {
  const [a, b, stranger] = [await socket(), await socket(), await socket()];
  const ask = (it, method, url) => send(it, method, { method, url });
  assert.equal((await ask(stranger, "get", "/message/subscribe/")).statusCode, 403);
  for (const it of [a, b]) {
    await ask(it, "post", "/login");
    const answer = await ask(it, "get", "/message/subscribe/");
    assert.deepEqual(answer, { body: { success: true }, headers: { "Content-Type": "application/json" }, statusCode: 200 });
  }
  stranger.on("message", () => assert.fail("a stranger hears"));
  const heard = [a, b].map((it) => within(5000, new Promise((resolve) => it.once("message", resolve)), "the message"));
  assert.equal((await ask(a, "post", "/message")).body.told, 2);
  assert.deepEqual(await Promise.all(heard), Array(2).fill({ op: "messageSent", speakerId: "operator" }));
  assert.equal((await ask(stranger, "get", "/example?id=1")).body, "Hello !");
  [a, b, stranger].forEach((it) => it.disconnect());
});

test("31: requests of one socket are answered in order, those of two side by side", async () => {
  const order = [];
  const ask = (it, ms) => send(it, "get", { method: "get", url: `/slow?ms=${ms}` }).then(({ body }) => order.push(body));
  await Promise.all([ask(web, 200), ask(web, 10)]);
  const other = await socket();
  await Promise.all([ask(web, 200), ask(other, 10)]);
  assert.deepEqual(order, [200, 10, 10, 200]);
  other.disconnect();
});

test("33: a client that asks again makes the route run again", async () => {
  const own = await socket({ channel: "web-channel" }, {}, { retries: 3, ackTimeout: 100 });
  const answers = [];
  const all = new Promise((resolve) => {
    own.io.engine.on("packet", ({ data }) => {
      if (`${data}`.startsWith("3") && answers.push(JSON.parse(/\[.*/.exec(data)[0])[0].body) === 4) resolve();
    });
  });
  await assert.rejects(own.emitWithAck("get", { method: "get", url: "/count?ms=150" }), /timed out/);
  await within(5000, all, "four answers, all of them late");
  assert.deepEqual(answers, [1, 2, 3, 4]);
  own.disconnect();
});

test("35: bodies come back as they were, a status of one's own arrives, and nosession means none", async () => {
  for (const data of [null, 0, "text", false, { a: { b: 1 } }, [null]]) {
    assert.deepEqual((await request("post", "/body", { data })).body, data, JSON.stringify(data));
  }
  assert.deepEqual(await request("get", "/teapot"), { body: { blah: "blah" }, headers: {}, statusCode: 501 });
  const none = await socket({}, { nosession: "true" });
  assert.equal((await send(none, "get", { method: "get", url: "/count" })).body, "NOSESSION");
  none.disconnect();
});

test("35: the client of sails.io.js asks, is answered, and queues what it asks before it is connected", async () => {
  const sails = require("sails.io.js")(require("socket.io-client-2"));
  Object.assign(sails.sails, { autoConnect: false, environment: "production", query: "channel=web-channel&token=290891" });
  const it = sails.sails.connect(`http://${server.host}`);
  const ask = (method, ...args) =>
    within(5000, new Promise((resolve) => it[method](...args, (body, jwr) => resolve({ body, jwr }))), `${method} ${args[0]}`);
  const early = ask("get", "/example", { id: 1 });
  assert.equal(it.isConnected(), false);
  const first = await early;
  assert.equal(first.jwr.statusCode, 404);
  const found = await ask("get", "/example?id=1");
  assert.deepEqual([found.body, found.jwr.statusCode], ["Hello !", 200]);
  const echo = await ask("post", "/echo?x=1", { q: 1 });
  assert.deepEqual([echo.jwr.statusCode, echo.body.body, echo.body.query.token], [201, { q: 1 }, "290891"]);
  assert.equal(echo.body.query.__sails_io_sdk_version, "1.2.1");
  assert.deepEqual((await ask("put", "/p")).body, { ok: 1 });
  assert.deepEqual((await ask("patch", "/p")).body, { ok: 2 });
  assert.equal((await ask("delete", "/p")).jwr.statusCode, 204);
  const failed = await ask("get", "/boom");
  assert.equal(failed.jwr.statusCode, 500);
  assert.ok(failed.jwr.error);
  const pending = new Promise((resolve) => it.get("/noreply", (body, jwr) => resolve({ body, jwr })));
  it.disconnect();
  const { body, jwr } = await within(5000, pending, "the end of what was pending");
  assert.deepEqual([jwr.body, jwr.statusCode, jwr.headers], [null, 0, {}]);
  assert.match(`${body?.message ?? jwr.error?.message}`, /The socket disconnected before the request completed/);
});

test("features 34, 59: a cookie that HTTP gave is the session of the socket, and that of HTTP", async () => {
  const given = await fetch(`http://${server.host}/__getcookie`);
  assert.equal(await given.text(), "");
  const Cookie = given.headers.get("set-cookie").split(";")[0];
  const it = await socket({}, { Cookie });
  const count = async () => (await send(it, "get", { method: "get", url: "/count" })).body;
  const overHttp = async (headers) => (await fetch(`http://${server.host}/count`, { headers })).text();
  assert.deepEqual([await count(), await overHttp({ Cookie }), await count()], [1, "2", 3]);
  assert.equal(await overHttp({ Cookie: "hex.sid=s%3Abad.sig" }), "NOSESSION");
  assert.equal(it.cookie, undefined);
  it.disconnect();
});

test("feature 45: bytes inside of a message come beside its body", async () => {
  const data = { name: "two", file: Buffer.alloc(5), more: [Buffer.alloc(7)] };
  const { body, statusCode } = await request("post", "/upload", { data });
  assert.deepEqual([statusCode, body], [200, { name: "two", sizes: [5, 7] }]);
});

test("a body that nests too deep is answered with an error, and one that is too large ends the connection", async () => {
  const deep = (levels) => JSON.parse("[".repeat(levels) + "]".repeat(levels));
  const answer = await request("post", "/body", { data: deep(500) });
  assert.equal(answer.status, "error");
  assert.deepEqual((await request("post", "/body", { data: deep(50) })).body, deep(50));
  const own = await socket();
  const closed = within(5000, new Promise((resolve) => own.once("disconnect", resolve)), "the end");
  own.emit("post", { method: "post", url: "/body", data: "x".repeat(100_000) });
  assert.equal(await closed, "transport close");
  assert.deepEqual(await request("get", "/example?id=1"), hello);
});

test("over ws, over SSE and over HTTP the same routes answer", async () => {
  const client = await Client.open(`ws://${server.host}/ws?channel=web-channel`);
  const { data } = await client.request("get", { method: "get", url: "/example?id=1" });
  assert.deepEqual(data, hello);
  await client.close();
  const page = connect(`http://${server.host}/sse?channel=web-channel`, { fetch, EventSource });
  await within(5000, new Promise((resolve) => page.watch((state) => state === "open" && resolve())), "the stream");
  assert.deepEqual(await page.request("get", { method: "get", url: "/example?id=1" }), hello);
  page.close();
  const answer = await fetch(`http://${server.host}/example?id=1`);
  assert.deepEqual([answer.status, await answer.text()], [200, "Hello !"]);
});
