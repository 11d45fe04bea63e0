// The custom adapter chapter, case by case (the numbers are those of its acceptance page): one token for REST, ws and Socket.IO, and an
// adapter of the example's own.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:net";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { io } from "socket.io-client";
import { Client, refusal } from "./support/client.mjs";
import { start, within } from "./support/server.mjs";

const SECRET = "the secret of these tests, long enough";
let server, own, bearer;

/** A port that is free now. */
async function free() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return `127.0.0.1:${port}`;
}

before(async () => {
  own = await free();
  server = await start("comments", ["--own-addr", own, "--secret", SECRET]);
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch(`http://${server.host}/token`, { method: "POST", headers, body: '{"name":"ada"}' });
  bearer = (await answer.json()).token;
});
after(() => server?.stop());

const expired = () => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "ada", exp: 1_000_000_000 })}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
};
const ws = (token, host = server.host) => `ws://${host}/${token === undefined ? "" : `?token=${token}`}`;
const comment = { id: 1, entryId: 2, author: "somebody", body: "I disagree." };

async function socket(query) {
  const socket = io(`http://${server.host}`, { query, forceNew: true, reconnection: false, transports: ["websocket"] });
  const opened = new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });
  return within(5000, opened, "the connect").catch((error) => {
    socket.disconnect();
    throw error;
  });
}

const next = (socket, event) => within(5000, new Promise((resolve) => socket.once(event, resolve)), event);

test("1: an adapter with the three methods alone serves the gateway", async () => {
  const client = await Client.open(ws(bearer, own));
  client.send({ type: "showComment", entryId: 2, commentId: 1 });
  assert.deepEqual(await client.next(), { event: "showComment", data: comment });
  await client.close();
  const stranger = await Client.open(ws(undefined, own));
  const { code, reason } = await within(5000, stranger.closed, "the refusal");
  assert.deepEqual([code, reason], [1008, "Unauthorized"]);
});

test("2: over Socket.IO with a token in the query, comments come as events of the same name", async () => {
  const client = await socket({ auth_token: bearer });
  const index = next(client, "indexComment");
  client.emit("indexComment", { entryId: 2 });
  assert.deepEqual((await index).map(({ id }) => id), [1, 2]);
  const show = next(client, "showComment");
  client.emit("showComment", { entryId: 2, commentId: 1 });
  assert.deepEqual(await show, comment);
  client.disconnect();
});

test("3: a missing id is an exception with its cause", async () => {
  const client = await socket({ auth_token: bearer });
  for (const [event, data, message] of [
    ["indexComment", {}, "Missing entry id."],
    ["showComment", { entryId: 2 }, "Missing comment id."],
  ]) {
    const exception = next(client, "exception");
    client.emit(event, data);
    assert.deepEqual(await exception, { status: "error", message, cause: { pattern: event, data } });
  }
  client.disconnect();
});

test("4: without a token, or with a bad one, nobody is let in", async () => {
  for (const query of [{}, { auth_token: "x" }, { auth_token: `${bearer}x` }, { auth_token: expired() }]) {
    await assert.rejects(socket(query), undefined, JSON.stringify(query));
  }
});

test("5: a flat message is answered by one text frame", async () => {
  const client = await Client.open(ws(bearer));
  client.send('{"type":"showComment","entryId":2,"commentId":1}');
  assert.equal(await client.frame(), JSON.stringify({ event: "showComment", data: comment }));
  await client.close();
});

test("6: a handshake without a token is refused as ws does, and one's own check may take its time", async () => {
  for (const url of [ws(undefined), ws("x"), ws(expired()), `${ws(bearer)}&token=x`]) {
    const { status, headers, text } = await refusal(url);
    assert.deepEqual([status, text], [401, "Unauthorized"], url);
    assert.equal(headers["content-type"], "text/html");
    assert.equal(headers["content-length"], "12");
    assert.equal(headers.connection, "close");
  }
  const { status, headers, text } = await refusal(`${ws(bearer)}&nope`);
  assert.deepEqual([status, headers["x-a"], text], [403, "b", "Nope"]);
  await (await Client.open(`${ws(bearer)}&x=1`)).close();
});

test("7: an unknown type is answered by nothing, and after what is no JSON a valid message is answered", async () => {
  for (const host of [server.host, own]) {
    const client = await Client.open(ws(bearer, host));
    client.send({ type: "nobody", entryId: 2 });
    client.send("{");
    assert.equal((await client.next()).event, "exception");
    client.send({ type: "showComment", entryId: 2, commentId: 1 });
    assert.equal((await client.next()).event, "showComment");
    await client.close();
  }
});

test("8: two slow messages are both answered", async () => {
  const client = await Client.open(ws(bearer));
  client.send({ type: "slow", ms: 50 });
  client.send({ type: "slow", ms: 10 });
  assert.deepEqual([(await client.next()).data, (await client.next()).data], [50, 10]);
  await client.close();
});

test("REST and sockets share the port, the token and the comments", async () => {
  const url = `http://${server.host}/entries/9/comments`;
  assert.equal((await fetch(url)).status, 401);
  const headers = { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" };
  const made = await fetch(url, { method: "POST", headers, body: '{"body":"Over REST."}' });
  assert.equal(made.status, 201);
  const client = await Client.open(ws(bearer));
  client.send({ type: "showComment", entryId: 9, commentId: 1 });
  assert.deepEqual((await client.next()).data, { id: 1, entryId: 9, author: "ada", body: "Over REST." });
  await client.close();
  assert.deepEqual((await (await fetch(url, { headers })).json()).length, 1);
  assert.equal((await fetch(`${url}/7`, { headers })).status, 404);
});
