// The official Socket.IO client against the controllers: the cases of the reference system, by their numbers.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Client } from "./support/client.mjs";
import { start, within } from "./support/server.mjs";
import { ask, connected, Engine, next, refused } from "./support/socketio.mjs";

const PASSWORD = "the admins' own";
const open = [];
let server, admin;

async function token(name, password) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ name, password });
  const answer = await fetch(`http://${server.host}/login`, { method: "POST", headers, body });
  assert.equal(answer.status, 200);
  return (await answer.json()).token;
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });

/** A connection; `headers` are its handshake's. */
async function join(headers) {
  const it = await connected(server.host, "/", { auth: { offset: 0 }, extraHeaders: headers });
  open.push(it);
  return it;
}

/** Asks as an admin, and gives the data of the answer. */
async function manage(event, request = {}) {
  const answer = await ask(admin, `admin:${event}`, { headers: admin.as, ...request });
  assert.equal(answer.ok, true, JSON.stringify(answer));
  return answer.data;
}

/** What came of an event before the answer to a request made now: the server keeps the order of what it sends to one client. */
async function before_now(socket, event) {
  const seen = [];
  const note = (message) => seen.push(message);
  socket.on(event, note);
  return async () => {
    await ask(socket, "ws:echo", {});
    socket.off(event, note);
    return seen;
  };
}

async function until(what, holds) {
  for (const end = Date.now() + 5000; Date.now() < end; ) {
    if (await holds()) return;
    await setImmediate();
  }
  assert.fail(what);
}

before(async () => {
  server = await start("controllers", ["--admin-password", PASSWORD, "--ban", "mallory"]);
  admin = await join();
  admin.as = bearer(await token("root", PASSWORD));
});
after(async () => {
  open.forEach((it) => it.disconnect());
  await server?.stop();
});

test("1: an unknown event is not found", async () => {
  const answer = await ask(admin, "ws:does-not-exist", {});
  assert.deepEqual([answer.ok, answer.status], [false, 404]);
  assert.deepEqual(answer.error, {
    name: "NotFoundError",
    status: 404,
    paragraphs: ['Could not find websocket event "ws:does-not-exist"'],
    title: "Not Found",
  });
});

test("2: two arguments are one too many", async () => {
  const answer = await ask(admin, "ws:echo", {}, {});
  assert.deepEqual([answer.ok, answer.status], [false, 400]);
  assert.deepEqual(answer.error.paragraphs, ["There should only be one message sent."]);
});

test("3: a route answers under its controller's prefix, in the envelope", async () => {
  const answer = await ask(admin, "ws:echo", {});
  const { id, createdAt, ...rest } = answer;
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  assert.equal(new Date(createdAt).toISOString(), createdAt);
  assert.ok(Math.abs(Date.now() - new Date(createdAt)) < 60_000);
  assert.deepEqual(rest, { status: 200, event: "ws:response", recipientType: "USER", ok: true, data: { handler: "echo" }, seq: 1 });
});

test("3: the envelope names the user that the connection is of", async () => {
  const ada = await join(bearer(await token("ada-of-3")));
  assert.equal((await ask(ada, "ws:echo", {})).recipientId, "ada-of-3");
});

test("4: without an ack the answer is an event that asks for one", async () => {
  const raw = new Engine(server.host);
  assert.equal((await raw.read())[0], "0");
  raw.send('40{"offset":0}');
  assert.equal((await raw.read()).slice(0, 2), "40");
  for (const event of ["ws:echo", "no-such-event"]) {
    raw.send(`42${JSON.stringify([event, {}])}`);
    const packet = await raw.read();
    const [, id, text] = packet.match(/^42(\d+)(\[.*\])$/s);
    const [name, message] = JSON.parse(text);
    assert.deepEqual([name, message.event, message.ok], ["ws:response", "ws:response", event === "ws:echo"]);
    raw.send(`43${id}[{}]`);
  }
  // Nothing else comes: no answer is sent again for want of a confirmation.
  raw.send(`421${JSON.stringify(["ws:echo", {}])}`);
  assert.match(await raw.read(), /^431\[/);
  raw.ws.close();
});

test("4: a client that confirms nothing is served on, and is told once", async () => {
  const it = await join();
  const heard = [];
  it.on("ws:response", (message) => heard.push(message));
  it.emit("ws:echo", {});
  assert.equal((await ask(it, "ws:echo", {})).ok, true);
  await until("the answer as an event", async () => (await ask(it, "ws:echo", {})) && heard.length);
  assert.equal(heard.length, 1);
});

test("4: a client that confirms nothing is answered for every message, however many", async () => {
  const it = await join();
  let heard = 0;
  it.on("ws:response", ({ ok }) => (heard += ok));
  for (let n = 0; n < 1000; n++) it.emit("ws:echo", {});
  await until("all answers", async () => (await ask(it, "ws:echo", {})) && heard >= 1000);
  assert.equal(heard, 1000);
});

test("5: a key that no request has is unknown", async () => {
  const answer = await ask(admin, "ws:echo", { notAField: true });
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.error, {
    name: "ValidationError",
    status: 400,
    paragraphs: ["Validation failed for websocket request", "- notAField: this key is unknown"],
    title: "Validation Error",
  });
});

test("5: what is no request is told so, whatever it is", async () => {
  for (const [request, paragraph] of [
    [5, "- request: should be of type object"],
    [[], "- request: should be of type object"],
    [null, "- request: is required"],
    [{ headers: 5 }, "- headers: should be of type object"],
    [{ query: "a" }, "- query: should be of type object"],
    [{ params: [] }, "- params: should be of type object"],
  ]) {
    const { status, error } = await ask(admin, "ws:echo", request);
    assert.deepEqual([status, error.paragraphs[1]], [400, paragraph], JSON.stringify(request));
  }
  assert.equal((await ask(admin, "ws:echo")).status, 400);
  assert.equal((await ask(admin, "ws:echo", Buffer.from([1]))).status, 400);
});

test("5: what nests too deeply is refused in the envelope, and the connection lives", async () => {
  let deep = 1;
  for (let level = 0; level < 1000; level++) deep = [deep];
  const answer = await ask(admin, "ws:note", { body: { deep } });
  assert.deepEqual([answer.ok, answer.event, answer.status], [false, "ws:response", 413]);
  assert.equal((await ask(admin, "ws:echo", {})).ok, true);
});

test("5: what is no message is answered in the envelope on the other doors too", async () => {
  const ws = await Client.open(`ws://${server.host}/`);
  ws.send("not json");
  const { event, data } = await ws.next();
  assert.deepEqual([event, data.ok, data.status], ["ws:response", false, 400]);
  assert.equal((await ws.request("ws:echo", {})).data.ok, true);
  await ws.close();
});

test("6: a body that does not fit its model is told why", async () => {
  for (const [request, ...paragraphs] of [
    [{}, "- body: is required"],
    [{ body: {} }, "- message: is required"],
    [{ body: { message: 5 } }, "- message: should be of type string"],
    [{ body: { message: "a", x: 1 } }, "- x: this key is unknown"],
    [{ body: { x: 1 } }, "- message: is required", "- x: this key is unknown"],
    [{ body: "a" }, "- body: should be of type object"],
  ]) {
    const { status, error } = await ask(admin, "chat message", request);
    assert.deepEqual([status, error.name, error.title], [400, "ValidationError", "Validation Error"]);
    assert.deepEqual(error.paragraphs, ["Validation failed for request body", ...paragraphs], JSON.stringify(request));
  }
});

test("6: each rule of a model has its sentence", async () => {
  const good = { id: "0193e0c1-0000-7000-8000-000000000000", handle: "ada", plan: "free" };
  assert.deepEqual((await ask(admin, "ws:profile", { body: good })).data, { ...good, age: null, public: null, address: null });
  for (const [change, paragraph] of [
    [{ id: "7" }, '- id: needs to be in format "uuid"'],
    [{ handle: "Ada" }, '- handle: needs to match regex "^[a-z]+$"'],
    [{ handle: "a" }, "- handle: needs to be at least 2 characters long"],
    [{ handle: "abcdefghi" }, "- handle: needs to be at most 8 characters long"],
    [{ plan: "gold" }, '- plan: needs to match one of "free, paid"'],
    [{ age: "old" }, "- age: should be of type number"],
    [{ public: 1 }, "- public: should be of type boolean"],
    [{ address: {} }, "- address.city: is required"],
    [{ address: { city: "Paris", street: 1 } }, "- address.street: this key is unknown"],
    [{ x: "x".repeat(1024) }, "- body: needs to be smaller than 1024 bytes"],
  ]) {
    const { error } = await ask(admin, "ws:profile", { body: { ...good, ...change } });
    assert.deepEqual(error?.paragraphs, ["Validation failed for request body", paragraph], JSON.stringify(change));
  }
  const { error } = await ask(admin, "ws:tags", { body: [{ name: "a" }, {}, 5] });
  assert.deepEqual(error.paragraphs.slice(1), ["- [1].name: is required", "- [2]: should be of type object"]);
  assert.deepEqual((await ask(admin, "ws:note", {})).data, null);
  assert.deepEqual((await ask(admin, "ws:note", { body: { any: [1] } })).data, { any: [1] });
  const faults = await ask(admin, "ws:tags", { body: Array(10_000).fill(5) });
  assert.equal(faults.error.paragraphs.length, 33);
});

test("6: query and headers of a message have models too", async () => {
  const request = { query: { term: "rust" }, headers: { "accept-language": "de" } };
  assert.deepEqual((await ask(admin, "ws:search", request)).data, { term: "rust", language: "de" });
  const { error } = await ask(admin, "ws:search", { query: { term: "r" } });
  assert.deepEqual(error.paragraphs, ["Validation failed for request query", "- term: needs to be at least 2 characters long"]);
});

test("7: the text of an unexpected error stays on the server", async () => {
  const answer = await ask(admin, "ws:broken", {});
  assert.deepEqual([answer.ok, answer.status], [false, 500]);
  assert.equal(answer.error.name, "InternalServerError");
  assert.deepEqual(answer.error.paragraphs, ["Internal Server Error"]);
  assert.ok(!JSON.stringify(answer).includes("secret"));
  await until("the log of it", () => server.log().includes("secret"));
});

test("8: who needs to log in is told so, and let go", async () => {
  const it = await join();
  const left = next(it, "disconnect");
  const answer = await ask(it, "ws:whoami", {});
  assert.deepEqual([answer.ok, answer.status], [false, 401]);
  assert.deepEqual(answer.error.paragraphs, ["You need to be logged in to access this route."]);
  assert.equal((await left)[0], "io server disconnect");
});

test("8: who asked for no ack is told before it is let go too", async () => {
  const it = await join();
  const [left, told] = [next(it, "disconnect"), next(it, "ws:response")];
  it.emit("ws:whoami", {});
  assert.equal((await told)[0].status, 401);
  assert.equal((await left)[0], "io server disconnect");
});

test("8: the message's own headers say who sends it, the handshake's do not", async () => {
  const headers = bearer(await token("ada"));
  assert.equal((await ask(await join(), "ws:whoami", { headers })).data, "ada");
  assert.equal((await ask(await join(headers), "ws:whoami", {})).status, 401);
  const forged = { Authorization: `${headers.Authorization.slice(0, -4)}AAAA` };
  assert.equal((await ask(await join(), "ws:whoami", { headers: forged })).status, 401);
});

test("8: roles, second factors, owners and those who are not logged in", async () => {
  const headers = bearer(await token("ada"));
  const it = await join();
  assert.equal((await ask(it, "admin:connections", { headers })).status, 403);
  assert.equal((await ask(it, "ws:vault", { headers })).status, 403);
  assert.equal((await ask(it, "ws:own", { headers, params: { userId: "bob" } })).status, 403);
  assert.equal((await ask(it, "ws:own", { headers, params: { userId: "ada" } })).data, "ada");
  assert.equal((await ask(it, "ws:sign-up", { headers })).status, 403);
  assert.equal((await ask(it, "ws:sign-up", {})).status, 200);
  assert.equal((await ask(it, "admin:ping", {})).data, "pong");
});

test("9: who is not allowed to connect reads it, and is never among the connections", async () => {
  const error = await refused(server.host, "/", { extraHeaders: bearer(await token("mallory")) });
  assert.equal(error.message, "Not allowed to connect");
  assert.ok((await manage("connections")).every(({ userId }) => userId !== "mallory"));
});

test("10: connections come and go", async () => {
  const count = async () => (await manage("connections")).length;
  const before = await count();
  const it = await join();
  assert.equal(await count(), before + 1);
  it.disconnect();
  await within(100, until("the connection to go", async () => (await count()) === before), "the connection to go");
});

test("11: a connection is found by its id and by its user's", async () => {
  const it = await join(bearer(await token("eve")));
  assert.deepEqual(await manage("connection", { query: { id: it.id } }), { id: it.id, userId: "eve" });
  assert.deepEqual(await manage("connection", { query: { userId: "eve" } }), { id: it.id, userId: "eve" });
  for (const [query, words] of [[{ id: "nope" }, 'id "nope"'], [{ userId: "nope" }, 'userId "nope"']]) {
    const { status, error } = await ask(admin, "admin:connection", { headers: admin.as, query });
    assert.deepEqual([status, error.paragraphs], [404, [`Could not find connection with ${words}.`]]);
  }
});

let channels = 0;
/** A channel, and members of it. */
async function channel(members) {
  const made = await manage("create-channel", { body: { name: `channel ${++channels}` } });
  for (const it of members) {
    assert.equal((await ask(it, "channel:join", { params: { channelId: made.id } })).status, 200);
  }
  return made;
}

test("12: who joins twice is in the channel once", async () => {
  const it = await join();
  const { id, name } = await channel([it]);
  const again = await ask(it, "channel:join", { params: { channelId: id } });
  assert.deepEqual([again.ok, "data" in again], [true, false]);
  await until("the warning", () => server.log().includes(`The connection with id ${it.id} has already joined the channel ${name}.`));
  const heard = await before_now(it, "news");
  await manage("send-to-channel", { body: { id, event: "news", data: 1 } });
  assert.equal((await heard()).length, 1);
});

test("12: a channel that there is not is not found, and a name is taken once", async () => {
  const channelId = "0193e0c1-0000-7000-8000-000000000000";
  assert.equal((await ask(admin, "channel:join", { params: { channelId } })).status, 404);
  assert.equal((await ask(admin, "channel:join", { params: { channelId: "x" } })).status, 400);
  const { name } = await channel([]);
  assert.equal((await ask(admin, "admin:create-channel", { headers: admin.as, body: { name } })).status, 409);
});

test("12: a user who joins belongs to the channel, and one who leaves does no more", async () => {
  const it = await join(bearer(await token("grace")));
  const { id } = await channel([it]);
  assert.deepEqual((await manage("channel", { query: { id } })).userIds, ["grace"]);
  await ask(it, "channel:leave", { params: { channelId: id } });
  assert.deepEqual((await manage("channel", { query: { id } })).userIds, []);
});

test("13: who has left a channel hears nothing of it", async () => {
  const it = await join();
  const { id } = await channel([it]);
  await ask(it, "channel:leave", { params: { channelId: id } });
  const heard = await before_now(it, "news");
  await manage("send-to-channel", { body: { id, event: "news", data: 1 } });
  assert.deepEqual(await heard(), []);
});

test("14: a channel's message reaches its members", async () => {
  const [a, b, stranger] = [await join(), await join(), await join()];
  const { id } = await channel([a, b]);
  const [news, nothing] = [[next(a, "news"), next(b, "news")], await before_now(stranger, "news")];
  await manage("send-to-channel", { body: { id, event: "news", data: { hello: true } } });
  for (const [message] of await Promise.all(news)) {
    assert.deepEqual([message.data, message.recipientType, message.recipientId], [{ hello: true }, "CHANNEL", id]);
    assert.deepEqual([message.senderConnectionId, message.ok, message.event], [admin.id, true, "news"]);
    assert.ok(message.seq > 0);
  }
  assert.deepEqual(await nothing(), []);
});

test("15: expected answers come together, and one that does not come fails alone", async () => {
  const [a, b] = [await join(), await join()];
  const { id } = await channel([a, b]);
  const confirm = (it) => it.on("sure?", (_, ack) => ack({ received: true }));
  confirm(a);
  confirm(b);
  const body = { id, event: "sure?", data: 1, expectResponse: true };
  const all = await manage("send-to-channel", { body });
  assert.deepEqual(all.map(({ connection }) => connection).toSorted(), [a.id, b.id].toSorted());
  assert.deepEqual(all.map(({ request }) => request), [{ received: true }, { received: true }]);
  b.off("sure?");
  const began = Date.now();
  const answer = await admin.timeout(8000).emitWithAck("admin:send-to-channel", { headers: admin.as, body });
  const waited = Date.now() - began;
  assert.ok(waited >= 4900 && waited < 7000, `${waited}`);
  assert.equal(answer.data.length, 2);
  const of = (it) => answer.data.find(({ connection }) => connection === it.id).request;
  assert.deepEqual(of(a), { received: true });
  const { body: { error }, ...rest } = of(b);
  assert.equal(typeof error, "string");
  assert.deepEqual(rest, { headers: {}, params: {}, query: {} });
});

test("15: one connection's answer comes back, and a connection that is gone is not found", async () => {
  const it = await join(bearer(await token("ida")));
  it.on("sure?", (message, ack) => ack({ body: { you: message.recipientId, type: message.recipientType } }));
  const body = { id: it.id, event: "sure?" };
  const answer = await manage("send", { body });
  assert.deepEqual(answer, { request: { body: { you: "ida", type: "USER" } }, connection: it.id });
  it.disconnect();
  await until("the connection to go", async () => {
    const { status } = await ask(admin, "admin:send", { headers: admin.as, body: { ...body, expectResponse: false } });
    return status === 404;
  });
});

test("16: everybody hears what is for all, on every door", async () => {
  const [a, b] = [await join(), await join()];
  const ws = await Client.open(`ws://${server.host}/`);
  const news = [a, b, admin].map((it) => next(it, "news"));
  await manage("send-to-all", { body: { event: "news", data: { hi: true } } });
  for (const [message] of await Promise.all(news)) {
    assert.deepEqual([message.data, message.recipientType, "recipientId" in message], [{ hi: true }, "ALL", false]);
  }
  const { event, data } = await ws.next();
  assert.deepEqual([event, data.data], ["news", { hi: true }]);
  assert.deepEqual((await ws.request("ws:echo", {})).data.data, { handler: "echo" });
  assert.equal((await ws.request("nope", {})).data.status, 404);
  await ws.close();
});

test("16: what is kept has numbers without gaps, what is not has none of its own", async () => {
  const it = await join();
  const numbers = [];
  it.on("numbered", ({ seq }) => numbers.push(seq));
  const send = (persist) => manage("send-to-all", { body: { event: "numbered", persist } });
  await Promise.all([send(), send(true), send()]);
  await send(false);
  await ask(it, "ws:echo", {});
  const [first, second, third, unkept] = numbers;
  assert.deepEqual([second - first, third - second, unkept], [1, 1, 1]);
});

test("17: a client that is made to leave reads that the server did it", async () => {
  for (const body of [undefined, { close: true }, { close: false }]) {
    const it = await join();
    const [id, left] = [it.id, next(it, "disconnect")];
    await manage("disconnect", { query: { id }, body });
    assert.equal((await left)[0], "io server disconnect");
    await until("the connection to go", async () => {
      const { status } = await ask(admin, "admin:connection", { headers: admin.as, query: { id } });
      return status === 404;
    });
  }
});

test("22: everybody hears a chat message, its sender too, and the answer has no data", async () => {
  const [a, b] = [await join(), await join(bearer(await token("bea")))];
  for (const [sender, senderUserId] of [[a, undefined], [b, "bea"]]) {
    const heard = [a, b].map((it) => next(it, "chat message"));
    const answer = await ask(sender, "chat message", { body: { message: "hi" } });
    assert.deepEqual([answer.ok, answer.status, "data" in answer], [true, 200, false]);
    for (const [message] of await Promise.all(heard)) {
      assert.deepEqual(message.data, { message: "hi" });
      assert.deepEqual([message.senderConnectionId, message.senderUserId], [sender.id, senderUserId]);
      assert.equal("senderUserId" in message, senderUserId !== undefined);
    }
  }
});

test("versions: a handshake's x-version chooses the handlers, and one that there is not is refused", async () => {
  const greeting = async (version, event = "ws:greet") => {
    const it = await join({ "x-version": version });
    return ask(it, event, {});
  };
  assert.equal((await greeting("1.0.0")).data, "hi from 1.0.0");
  assert.equal((await greeting("2025-03-01")).data, "hi from 1.0.0");
  assert.equal((await greeting("2025-09-01T00:00:00Z")).data, "good day from 2.0.0");
  assert.equal((await ask(admin, "ws:greet", {})).data, "good day from 2.1.0");
  const { status, error } = await greeting("1.0.0", "ws:farewell");
  assert.deepEqual([status, error.paragraphs], [404, ['Could not find handler for websocket event for version "1.0.0"']]);
  for (const version of ["9.9.9", "2020-01-01", "x"]) {
    const error = await refused(server.host, "/", { extraHeaders: { "x-version": version } });
    assert.match(error.message, /version/);
  }
});
