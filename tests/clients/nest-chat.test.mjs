// The complete chat of examples/nest (5.6), with socket.io-client, and one client on raw WebSocket in the same room.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "./support/client.mjs";
import { ask, next, socket } from "./support/socketio.mjs";
import { start, within } from "./support/server.mjs";
import { token } from "./support/token.mjs";

const SECRET = "a secret of at least thirty-two bytes";
const PATIENCE = 5000;
const open = (...args) => start("nest", ["--own", "127.0.0.1:0", "--secret", SECRET, ...args]);

let server;
before(async () => (server = await open()));
after(() => server?.stop());

/** A member of the chat that keeps what it hears, in order. */
class Member {
  heard = [];
  #wake = () => {};

  constructor(host, auth) {
    this.socket = socket(host, "/chat", { auth });
    this.socket.onAny((event, data) => this.#take(event, data));
  }

  static async enter(host, name) {
    const member = new Member(host, name ? { token: token(SECRET, { sub: name, name }) } : {});
    await next(member.socket, "connect");
    return member;
  }

  get id() {
    return this.socket.id;
  }

  /** Emits, and notes the answer among what it hears. */
  async ask(event, data) {
    const answer = await ask(this.socket, event, data);
    this.#take("ack", answer);
    return answer;
  }

  #take(...what) {
    this.heard.push(what);
    this.#wake();
  }

  /** What it heard since the last call, once it has heard this many. */
  async hears(count) {
    const enough = async () => {
      while (this.heard.length < count) await new Promise((resolve) => (this.#wake = resolve));
    };
    await within(PATIENCE, enough(), `${count} events, heard ${JSON.stringify(this.heard)}`);
    return this.heard.splice(0);
  }

  leave() {
    this.socket.disconnect();
  }
}

async function members(names, use, host = server.host) {
  const all = await Promise.all(names.map((name) => Member.enter(host, name)));
  try {
    return await use(...all);
  } finally {
    for (const member of all) member.leave();
  }
}

/** The message without what is new each time. */
function plain({ id, timestamp, ...rest }) {
  assert.equal(typeof id, "string");
  assert.equal(typeof timestamp, "number");
  return rest;
}

const error = (message) => ({ status: "error", message });

test("5.6.1: joining: what was said, then the ack; the others see who came", () =>
  members(["A", "B"], async (a, b) => {
    const room = "one";
    await a.ask("join-room", { room });
    assert.deepEqual(await a.hears(2), [["recent-messages", []], ["ack", { status: "ok", room }]]);
    await b.ask("join-room", { room });
    assert.deepEqual(await b.hears(2), [["recent-messages", []], ["ack", { status: "ok", room }]]);
    assert.deepEqual(await a.hears(1), [["user-joined", { userId: b.id, room }]]);
  }));

test("5.6.2: a message reaches its sender, then the ack, and the others in the room", () =>
  members(["A", "B"], async (a, b) => {
    const room = "two";
    for (const member of [a, b]) await member.ask("join-room", { room });
    await a.hears(3);
    await b.hears(2);
    const { messageId } = await a.ask("send-message", { room, content: "Hello, World!" });
    const [[event, message], [, done]] = await a.hears(2);
    assert.equal(event, "new-message");
    assert.deepEqual(plain(message), { content: "Hello, World!", room, sender: { id: a.id, name: "A" } });
    assert.deepEqual(done, { status: "ok", messageId });
    assert.equal(message.id, messageId);
    assert.deepEqual(await b.hears(1), [["new-message", message]]);
  }));

test("5.6.3: without a token one may not speak; typing needs none, nor to be in the room", () =>
  members(["A", "B", undefined], async (a, b, nobody) => {
    const room = "three";
    for (const member of [a, b]) await member.ask("join-room", { room });
    await a.hears(3);
    await b.hears(2);
    await nobody.ask("send-message", { room, content: "Hello" });
    // The event, and an ack that tells the same: nobody waits for ever.
    assert.deepEqual(await nobody.hears(2), [["error", error("Unauthorized")], ["ack", error("Unauthorized")]]);
    nobody.socket.emit("typing", { room });
    for (const member of [a, b]) {
      assert.deepEqual(await member.hears(1), [["user-typing", { userId: nobody.id, room }]]);
    }
  }));

test("5.6.4: a payload that does not fit: what is wrong with it, or nothing as in NestJS", async () => {
  await members(["A"], async (a) => {
    a.socket.emit("send-message", { room: "four", content: "" });
    const errors = [{ path: "content", message: "length is lower than 1" }];
    assert.deepEqual(await a.hears(1), [["error", { ...error("Validation failed"), errors }]]);
    a.socket.emit("join-room", {});
    assert.deepEqual(await a.hears(1), [["error", error("The payload does not have the expected shape")]]);
  });
  const hiding = await open("--hide-faults");
  try {
    await members(["A"], async (a) => {
      a.socket.emit("send-message", { room: "four", content: "" });
      a.socket.emit("join-room", {});
      const internal = ["error", error("Internal server error")];
      assert.deepEqual(await a.hears(2), [internal, internal]);
    }, hiding.host);
  } finally {
    await hiding.stop();
  }
});

test("5.6.5: who left hears nothing more, and reads the newest first when it is back", () =>
  members(["A", "B"], async (a, b) => {
    const room = "five";
    for (const member of [a, b]) await member.ask("join-room", { room });
    await a.hears(3);
    await b.hears(2);
    await a.ask("send-message", { room, content: "first" });
    await a.hears(2);
    await b.hears(1);
    await b.ask("leave-room", { room });
    assert.deepEqual(await b.hears(1), [["ack", { status: "ok", room }]]);
    assert.deepEqual(await a.hears(1), [["user-left", { userId: b.id, room }]]);
    await a.ask("send-message", { room, content: "second" });
    assert.equal((await a.hears(2))[0][1].content, "second");
    await b.ask("join-room", { room });
    const [[event, recent]] = await b.hears(2);
    assert.equal(event, "recent-messages", "the message was not for it");
    assert.deepEqual(recent.map(({ content }) => content), ["second", "first"]);
  }));

test("5.6.6: a thousand characters are accepted, one more is not, and the room may be absent", () =>
  members(["A"], async (a) => {
    for (const content of ["x".repeat(1000), "é".repeat(1000)]) {
      assert.equal((await a.ask("send-message", { content })).status, "ok");
      const [[event, message]] = await a.hears(2);
      assert.equal(event, "new-message");
      assert.deepEqual(plain(message), { content, sender: { id: a.id, name: "A" } });
    }
    assert.equal((await a.ask("send-message", { content: "x".repeat(1001) })).message, "Validation failed");
  }));

test("5.3.26: messages to the others in a room, and to one client alone", () =>
  members(["A", "B"], async (a, b) => {
    const room = "others";
    for (const member of [a, b]) await member.ask("join-room", { room });
    await a.hears(3);
    await b.hears(2);
    assert.equal((await a.ask("room-message", { room, content: "hi" })).status, "ok");
    const [[event, message]] = await b.hears(1);
    assert.equal(event, "room-message");
    assert.deepEqual(plain(message), { content: "hi", room, sender: { id: a.id, name: "A" } });
    assert.equal((await a.hears(1))[0][0], "ack", "its sender does not hear it");
    await a.ask("private-message", { to: b.id, content: "psst" });
    const [[whispered, secret]] = await b.hears(1);
    assert.equal(whispered, "private-message");
    assert.deepEqual(plain(secret), { content: "psst", sender: { id: a.id, name: "A" } });
    assert.equal((await a.ask("private-message", { to: "nobody", content: "?" })).message, "there is no such client");
  }));

test("5.3.27: who is not in a room may not speak in it, and who goes has left it", () =>
  members(["A"], async (a) => {
    const room = "private";
    await a.ask("join-room", { room });
    await a.hears(2);
    await members(["B"], async (b) => {
      assert.deepEqual(await b.ask("send-message", { room, content: "hi" }), error("join the room first"));
      await b.ask("join-room", { room });
      b.left = [["user-joined", { userId: b.id, room }], ["user-left", { userId: b.id, room }]];
      assert.deepEqual(await a.hears(1), b.left.splice(0, 1));
      a.expected = b.left;
    });
    assert.deepEqual(await a.hears(1), a.expected);
  }));

test("5.3.25: a token that is not valid is refused at once", async () => {
  const member = new Member(server.host, { token: token("another secret of at least thirty-two bytes") });
  assert.equal((await next(member.socket, "connect_error"))[0].message, "The token is not valid");
  member.leave();
});

test("5.6.1, 5.6.2: the same room on raw WebSocket", () =>
  members(["A"], async (a) => {
    const room = "doors";
    await a.ask("join-room", { room });
    await a.hears(2);
    const headers = { authorization: `Bearer ${token(SECRET, { sub: "W", name: "W" })}` };
    const ws = await Client.open(`ws://${server.host}/chat`, { headers });
    ws.send({ event: "join-room", data: { room } });
    assert.deepEqual(await ws.next(), { event: "recent-messages", data: [] });
    // A bare value is bare JSON there.
    assert.deepEqual(await ws.next(), { status: "ok", room });
    assert.equal((await a.hears(1))[0][0], "user-joined");
    await a.ask("send-message", { room, content: "hello" });
    const { event, data } = await ws.next();
    assert.deepEqual([event, plain(data).content], ["new-message", "hello"]);
    await ws.close();
  }));
