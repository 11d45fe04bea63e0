// npm's ws and socket.io-client against the lab inside of an axum application: its doors on somebody else's listener.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { io } from "socket.io-client";
import { Client, refusal } from "./support/client.mjs";
import { start } from "./support/server.mjs";

const PATIENCE = 5000;

let server;
before(async () => (server = await start("lab", ["--nested", "--doors", "ws,socketio"])));
after(() => server?.stop());

const get = async (path) => (await fetch(`http://${server.host}${path}`)).text();

test("the application's routes and the server's own HTTP are both there", async () => {
  assert.equal(await get("/outer"), "outer");
  assert.equal(await get("/healthz"), "ok");
});

test("a WebSocket echoes text and a megabyte of bytes", async () => {
  const client = await Client.open(`ws://${server.host}/ws`);
  assert.deepEqual((await client.request("echo", "ü".repeat(30_000))).data, "ü".repeat(30_000));
  await client.close();
  const raw = await Client.open(`ws://${server.host}/raw`);
  const bytes = Buffer.alloc(1024 * 1024, 7);
  raw.send(bytes);
  assert.deepEqual(await raw.frame(), bytes);
  await raw.close();
});

test("a handshake is refused as it is on the listener", async () => {
  const { status } = await refusal(`ws://${server.host}/ws`, { origin: "https://evil.example" });
  assert.equal(status, 403);
});

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  test(`socket.io-client connects over ${transports.join(" and then ")}`, async () => {
    const socket = io(`http://${server.host}`, { transports, forceNew: true });
    try {
      assert.equal(await socket.timeout(PATIENCE).emitWithAck("echo", "inside"), "inside");
    } finally {
      socket.disconnect();
    }
  });
}

test("the end says 1001 to WebSockets and a reason to Socket.IO, and the program ends well", async () => {
  const another = await start("lab", ["--nested", "--doors", "ws,socketio"]);
  const client = await Client.open(`ws://${another.host}/ws`);
  await client.request("echo", 1);
  const socket = io(`http://${another.host}`, { transports: ["websocket"], reconnection: false, forceNew: true });
  const reason = new Promise((resolve) => socket.once("disconnect", resolve));
  await socket.timeout(PATIENCE).emitWithAck("echo", 1);
  assert.equal(await another.stop(), 0);
  assert.equal((await client.closed).code, 1001);
  assert.equal(await reason, "io server disconnect");
});
