// npm's ws against the chat: the acceptance cases of the chat, by number.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, logIn, refusal } from "./support/client.mjs";
import { start } from "./support/server.mjs";

let server;
const options = ["--memory", "--staff-password", "open sesame"];
before(async () => (server = await start("chat", options)));
after(() => server?.stop());

const url = () => `ws://${server.host}/chat`;

/** Somebody in the chat, with the id that the server gave. */
async function arrive(name, password) {
  const token = await logIn(server.host, { name, password });
  const client = await Client.open(url(), {}, ["bearer", token]);
  assert.equal(client.socket.protocol, "bearer");
  client.id = (await client.request("whoami")).data.id;
  return client;
}

/** Two in one room, each test in a room of its own. */
async function two(room) {
  const [a, b] = [await arrive("Ada"), await arrive("Bob")];
  await a.request("join-room", { room });
  await b.request("join-room", { room });
  assert.deepEqual(await a.next(), { event: "user-joined", data: { userId: b.id, name: "Bob", room } });
  return [a, b];
}

const leave = (...clients) => Promise.all(clients.map((client) => client.close()));

test("1: who joins gets the recent messages, then the ack; the others see who came", async () => {
  const [a, b] = [await arrive("Ada"), await arrive("Bob")];
  const id = a.ask("join-room", { room: "r1" });
  assert.deepEqual(await a.next(), { event: "recent-messages", data: [] });
  assert.deepEqual(await a.next(), { ack: id, data: { status: "ok", room: "r1" } });
  b.ask("join-room", { room: "r1" });
  assert.deepEqual(await a.next(), { event: "user-joined", data: { userId: b.id, name: "Bob", room: "r1" } });
  assert.equal((await b.next()).event, "recent-messages");
  assert.equal((await b.next()).data.status, "ok");
  await leave(a, b);
});

test("2: a message reaches the whole room, the sender before its ack", async () => {
  const [a, b] = await two("r2");
  const asked = Date.now();
  const id = a.ask("send-message", { room: "r2", content: "Hello, World!" });
  const { event, data: message } = await a.next();
  assert.equal(event, "new-message");
  assert.deepEqual(await a.next(), { ack: id, data: { status: "ok", messageId: message.id } });
  assert.deepEqual(await b.next(), { event: "new-message", data: message });
  assert.equal(typeof message.id, "string");
  assert.ok(Math.abs(message.timestamp - asked) < 60_000);
  const { content, room, sender } = message;
  assert.deepEqual({ content, room, sender }, { content: "Hello, World!", room: "r2", sender: { id: a.id, name: "Ada" } });
  await leave(a, b);
});

test("3: who is not a member cannot send, but is seen typing by all in the room", async () => {
  const [a, b] = await two("r3");
  const stranger = await arrive("Sam");
  const { error } = await stranger.request("send-message", { room: "r3", content: "hello" });
  assert.deepEqual(error, { status: "error", message: "join the room first" });
  assert.equal((await stranger.request("members", { room: "r3" })).error.status, "error");
  stranger.send({ event: "typing", data: { room: "r3" } });
  const typing = { event: "user-typing", data: { userId: stranger.id, name: "Sam", room: "r3" } };
  assert.deepEqual(await a.next(), typing);
  assert.deepEqual(await b.next(), typing);
  a.send({ event: "typing", data: { room: "r3" } });
  assert.equal((await b.next()).data.userId, a.id);
  assert.deepEqual(await a.before("whoami"), [], "the sender does not see itself typing");
  await leave(a, b, stranger);
});

test("4: an empty message and a join without a room are answered with an error", async () => {
  const [a, b] = await two("r4");
  const empty = await a.request("send-message", { room: "r4", content: "" });
  const errors = [{ path: "content", message: "length is lower than 1" }];
  assert.deepEqual(empty.error, { status: "error", message: "Validation failed", errors });
  assert.equal((await a.request("join-room", {})).error.status, "error");
  for (const room of ["", "x".repeat(129), "a\nb", 5, null]) {
    assert.equal((await a.request("join-room", { room })).error?.status, "error", `the room ${room}`);
  }
  a.send({ event: "send-message", data: { room: "r4", content: "" } });
  assert.deepEqual(await a.next(), { event: "exception", data: empty.error });
  assert.deepEqual(await b.before("whoami"), []);
  await leave(a, b);
});

test("5: who left gets nothing more, and on coming back the last messages, newest first", async () => {
  const [a, b] = await two("r5");
  await b.request("leave-room", { room: "r5" });
  assert.deepEqual(await a.next(), { event: "user-left", data: { userId: b.id, name: "Bob", room: "r5" } });
  for (let n = 1; n <= 52; n += 1) await a.request("send-message", { room: "r5", content: `message ${n}` });
  assert.deepEqual(await b.before("whoami"), []);
  b.ask("join-room", { room: "r5" });
  const { event, data } = await b.next();
  assert.equal(event, "recent-messages");
  assert.deepEqual(data.map(({ content }) => content), Array.from({ length: 50 }, (_, n) => `message ${52 - n}`));
  await leave(a, b);
});

test("6: a message has up to 1000 characters, and a room only where one is meant", async () => {
  const [a, b] = await two("r6");
  const long = (length) => ({ room: "r6", content: "ü".repeat(length) });
  assert.equal((await a.request("send-message", long(1000))).data.status, "ok");
  assert.equal((await a.request("send-message", long(1001))).error.status, "error");
  assert.equal((await b.next()).data.content.length, 1000);
  const id = a.ask("send-message", { content: "to everybody" });
  assert.equal((await a.next()).data.content, "to everybody");
  assert.equal((await a.next()).ack, id);
  const { content, room } = (await b.next()).data;
  assert.deepEqual({ content, room }, { content: "to everybody", room: null });
  await leave(a, b);
});

test("a private message reaches one client, and a client that is gone is not found", async () => {
  const [a, b] = await two("p1");
  const stranger = await arrive("Sam");
  const { data } = await a.request("private-message", { to: b.id, content: "psst" });
  const message = await b.next();
  assert.equal(message.event, "private-message");
  const { id, from, content } = message.data;
  assert.deepEqual({ id, from, content }, { id: data.messageId, from: { id: a.id, name: "Ada" }, content: "psst" });
  assert.deepEqual(await stranger.before("whoami"), []);
  await b.close();
  assert.equal((await a.next()).event, "user-left");
  assert.equal((await a.request("private-message", { to: b.id, content: "psst" })).error.status, "error");
  assert.equal((await a.request("private-message", { to: "nobody", content: "psst" })).error.status, "error");
  await leave(a, stranger);
});

test("members are listed with their names, and a client that goes leaves its rooms", async () => {
  const [a, b] = await two("m1");
  const { data } = await a.request("members", { room: "m1" });
  const expected = [{ id: a.id, name: "Ada" }, { id: b.id, name: "Bob" }];
  assert.deepEqual(data.toSorted((x, y) => x.name.localeCompare(y.name)), expected);
  b.socket.terminate();
  assert.deepEqual(await a.next(), { event: "user-left", data: { userId: b.id, name: "Bob", room: "m1" } });
  assert.deepEqual((await a.request("members", { room: "m1" })).data, [{ id: a.id, name: "Ada" }]);
  await leave(a);
});

test("joining twice tells the others once", async () => {
  const [a, b] = await two("j1");
  assert.equal((await b.request("join-room", { room: "j1" })).data.status, "ok");
  assert.deepEqual(await a.before("whoami"), []);
  await leave(a, b);
});

test("a handshake without a token, or with one that is not of this chat, is refused with 401 and says why", async () => {
  const token = await logIn(server.host, { name: "Ada" });
  const forged = `${token.slice(0, -4)}AAAA`;
  const tries = [{}, { Authorization: `Bearer ${forged}` }, { Authorization: "Bearer" }, { "Sec-WebSocket-Protocol": `bearer, ${forged}` }];
  for (const headers of tries) {
    const { status, headers: answered, text } = await refusal(url(), { headers });
    assert.equal(status, 401, JSON.stringify(headers));
    assert.match(answered["www-authenticate"], /^Bearer/);
    assert.equal(JSON.parse(text).status, "error");
  }
  const client = await Client.open(url(), { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await client.request("whoami")).data.name, "Ada");
  await client.close();
});

test("a login without a name, or with one that is no name, is refused with 400 and says why", async () => {
  for (const name of [undefined, "", "x".repeat(41), "a\u0007b", 7]) {
    await assert.rejects(logIn(server.host, { name }), /400: (a name|a login)/, String(name));
  }
  await assert.rejects(logIn(server.host, { name: "Ada", password: "guessed" }), /401: this is not the staff's password/);
});

test("a token is renewed while the connection is open, for the same guest alone", async () => {
  const a = await arrive("Ada");
  const token = await logIn(server.host, { name: "Ada" });
  assert.match((await a.request("auth.refresh", { token })).error.message, /somebody else/);
  assert.match((await a.request("auth.refresh", { token: "x" })).error.message, /./);
  await leave(a);
  const b = await Client.open(url(), {}, ["bearer", token]);
  const answer = await fetch(`http://${server.host}/refresh`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
  const renewed = await answer.json();
  assert.ok(renewed.token && renewed.seconds > 0);
  assert.deepEqual(Object.keys(await b.request("auth.refresh", { token: renewed.token })), ["ack"]);
  await leave(b);
});

test("a room for the staff is joined by the staff alone, also by name", async () => {
  const [guest, staff] = [await arrive("Guest"), await arrive("Boss", "open sesame")];
  const refused = await guest.request("join-room", { room: "staff:desk" });
  assert.equal(refused.error.message, "this room is for the staff");
  assert.match((await guest.request("send-message", { room: "staff:desk", content: "hello" })).error.message, /join the room first/);
  assert.equal((await staff.request("join-room", { room: "staff:desk" })).data.status, "ok");
  await leave(guest, staff);
});

test("a message that is too long, empty or no text is refused with its path", async () => {
  const [a, b] = await two("v1");
  for (const [content, message] of [
    ["", "length is lower than 1"],
    ["ü".repeat(1001), "length is greater than 1000"],
    [7, "expected another type"],
    [undefined, "missing field"],
  ]) {
    const { error } = await a.request("send-message", { room: "v1", content });
    assert.deepEqual(error, { status: "error", message: "Validation failed", errors: [{ path: "content", message }] });
  }
  assert.equal((await a.request("send-message", { room: "v1", content: "ü".repeat(1000) })).data.status, "ok");
  await leave(a, b);
});

test("who floods is told so, recovers, and is let go where it does not stop", async () => {
  const strict = await start("chat", ["--memory", "--rate", "10"]);
  try {
    const token = await logIn(strict.host, { name: "Flooder" });
    const flooder = await Client.open(`ws://${strict.host}/chat`, {}, ["bearer", token]);
    const flood = async (count) => {
      const ids = Array.from({ length: count }, () => flooder.ask("whoami"));
      const answers = [];
      for (const id of ids) {
        answers.push(await flooder.next());
        assert.equal(answers.at(-1).ack, id);
      }
      return answers;
    };
    const refused = (await flood(40)).filter(({ error }) => error);
    assert.ok(refused.length >= 15 && refused.length <= 20, `${refused.length} refused`);
    assert.deepEqual(refused[0].error, { status: "error", message: "Too many messages", retryAfter: 1 });
    let answer;
    do answer = await flooder.request("whoami");
    while (answer.error && flooder.socket.readyState === 1 && (await new Promise((resolve) => setTimeout(resolve, 100, true))));
    assert.equal(answer.data.name, "Flooder");
    for (let n = 0; n < 200; n++) flooder.ask("whoami");
    assert.deepEqual(await flooder.closed, { code: 1008, reason: "too many messages" });
  } finally {
    await strict.stop();
  }
});

test("a scrape counts the chat's messages by their events", async () => {
  const a = await arrive("Ada");
  await a.request("whoami");
  const page = await (await fetch(`http://${server.host}/metrics`)).text();
  assert.match(page, /narthex_messages_received_total\{event="whoami",outcome="ok"\} \d+/);
  assert.match(page, /narthex_connections\{adapter="ws"\} \d+/);
  await leave(a);
});

test("the page is served with headers that keep it honest", async () => {
  const types = { "/": "text/html", "/app.js": "text/javascript", "/style.css": "text/css", "/icon.svg": "image/svg+xml" };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers } = await fetch(`http://${server.host}${path}`);
    assert.equal(status, 200);
    assert.ok(headers.get("content-type").startsWith(type), path);
    assert.match(headers.get("content-security-policy"), /default-src 'self'/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  }
});

test("logins of one address are limited, so that passwords cannot be tried out", async () => {
  const strict = await start("chat", ["--memory", "--staff-password", "open sesame"]);
  try {
    const tries = await Promise.all(
      Array.from({ length: 70 }, (_, n) => logIn(strict.host, { name: "Mallory", password: `guess ${n}` }).catch(({ message }) => message)),
    );
    const limited = tries.filter((why) => why.startsWith("429"));
    assert.ok(limited.length >= 8 && limited.length <= 10, `${limited.length} limited`);
    assert.equal(tries.filter((why) => why.startsWith("401")).length, 70 - limited.length);
  } finally {
    await strict.stop();
  }
});
