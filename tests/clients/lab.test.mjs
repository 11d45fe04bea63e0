// npm's ws against the lab: the default envelope, its failures, requests of the server, and bytes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "./support/client.mjs";
import { start } from "./support/server.mjs";

let server, client;
before(async () => {
  server = await start("lab");
  client = await Client.open(`ws://${server.host}/ws`);
});
after(async () => {
  await client?.close();
  await server?.stop();
});

test("an echo answers under the id that it was asked with", async () => {
  const data = { text: "grüß dich", list: [1, null, true] };
  assert.deepEqual((await client.request("echo", data)).data, data);
});

test("what is no message is answered with an exception, and the connection lives", async () => {
  for (const frame of ["not json", "null", "[]", "5", '"s"', "{}", '{"data":1}', '{"event":5}']) {
    client.send(frame);
    const { event, data } = await client.next();
    assert.deepEqual([event, data.status, typeof data.message], ["exception", "error", "string"], frame);
  }
  assert.equal((await client.request("echo", 1)).data, 1);
});

test("an unknown event is an error: in the answer where one was asked for, else as an exception", async () => {
  assert.equal((await client.request("no-such-event")).error.status, "error");
  client.send({ event: "no-such-event" });
  assert.equal((await client.next()).event, "exception");
});

test("a panic ends the call alone and tells nothing", async () => {
  const { error } = await client.request("panic");
  assert.deepEqual(error, { status: "error", message: "Internal server error" });
  assert.equal((await client.request("echo", 1)).data, 1);
});

test("the server asks, and the answer finds its way to who waits for it", async () => {
  const asked = client.ask("ask", "sure?");
  const question = await client.next();
  assert.equal(typeof question.id, "number");
  client.send({ ack: question.id, data: "yes" });
  const answer = await client.next();
  assert.equal(answer.ack, asked);
  assert.match(JSON.stringify(answer.data), /yes/);
});

test("messages of one client are handled in their order", async () => {
  const ids = [client.ask("slow", { ms: 50 }), client.ask("echo", 2), client.ask("echo", 3)];
  const acks = [await client.next(), await client.next(), await client.next()].map(({ ack }) => ack);
  assert.deepEqual(acks, ids);
});

test("what is published reaches the members of the room, and who is none may not publish", async () => {
  const other = await Client.open(`ws://${server.host}/ws`);
  assert.equal((await other.request("publish", { room: "lab", data: 1 })).error.status, "error");
  await client.request("join", { room: "lab" });
  await other.request("join", { room: "lab" });
  const ids = [(await client.request("whoami")).data, (await other.request("whoami")).data];
  assert.deepEqual((await client.request("members", { room: "lab" })).data.toSorted(), ids.toSorted());
  assert.equal((await other.request("publish", { room: "lab", data: { n: 1 } })).data, 2);
  assert.deepEqual(await client.next(), { event: "message", data: { n: 1 } });
  await other.close();
});

test("bytes come back as bytes", async () => {
  const raw = await Client.open(`ws://${server.host}/raw`);
  const bytes = Buffer.from([0, 255, 1, 254]);
  raw.send(bytes);
  assert.deepEqual(await raw.frame(), bytes);
  await raw.close();
});
