// The end-to-end cases of nestjs/nest (5.5) against examples/nest, with socket.io-client and npm's ws.
//
// docs/from-nestjs.md says which cases need NestJS's container, and are not here.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, refusal } from "./support/client.mjs";
import { ask, connected, next, refused, socket as client } from "./support/socketio.mjs";
import { start, within } from "./support/server.mjs";

const SECRET = "a secret of at least thirty-two bytes";
const open = (...args) => start("nest", ["--own", "127.0.0.1:0", "--secret", SECRET, ...args]);
const PUSH = { event: "push", data: { test: "test" } };
const PATIENCE = 5000;

let server, own;
before(async () => {
  server = await open();
  own = server.said.find((line) => line.startsWith("own ")).slice("own ".length);
});
after(() => server?.stop());

/** A socket for as long as it is used. */
async function onSocketIo(host, namespace, use) {
  const socket = await connected(host, namespace);
  try {
    return await use(socket);
  } finally {
    socket.disconnect();
  }
}

async function onWs(host, path, use) {
  const client = await Client.open(`ws://${host}${path}`);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** What is emitted in answer. */
async function emits(socket, event, ...args) {
  const answer = next(socket, args.pop());
  socket.emit(event, ...args);
  return (await answer)[0];
}

const pops = (host, namespace) =>
  onSocketIo(host, namespace, async (socket) =>
    assert.deepEqual(await emits(socket, "push", { test: "test" }, "pop"), { test: "test" }));

const answersOnWs = (host, path, message, expected) =>
  onWs(host, path, async (client) => {
    client.send(message);
    assert.deepEqual(await client.next(), expected);
  });

const POP = { event: "pop", data: { test: "test" } };

test("5.5.1: a gateway on a port of its own", async () => {
  assert.notEqual(own, server.host);
  await pops(own, "/own");
});

test("5.5.2: a gateway on the port of the pages", () => pops(server.host, "/"));

test("5.5.3: two namespaces do not interfere", () =>
  onSocketIo(server.host, "/", (root) =>
    onSocketIo(server.host, "/example", async (other) => {
      const quiet = [];
      other.onAny((event) => quiet.push(event));
      assert.deepEqual(await emits(root, "push", { test: "root" }, "pop"), { test: "root" });
      root.emit("push", { test: "again" });
      assert.deepEqual(await emits(other, "push", { test: "other" }, "pop"), { test: "other" });
      assert.deepEqual(quiet, ["pop"]);
    })));

test("5.5.4: an interceptor knows the pattern", () =>
  onSocketIo(server.host, "/", async (socket) => {
    const found = await emits(socket, "getClient", { test: "test" }, "popClient");
    assert.deepEqual(found, { id: socket.id, path: "getClient" });
  }));

test("5.5.5: a filter of one's own emits what it likes, and knows the pattern", () =>
  onSocketIo(server.host, "/", async (socket) => {
    const told = await emits(socket, "getClientWithError", { test: "test" }, "exception");
    assert.deepEqual(told, { pattern: "getClientWithError", message: "This is a test exception" });
  }));

/** A page that never ends, and a client: what becomes of them when the server is asked to stop. */
async function stopped(milliseconds) {
  const other = await open("--drain-ms", `${milliseconds}`);
  const page = await fetch(`http://${other.host}/sse`);
  assert.equal(page.status, 200);
  const ended = page.text().then(() => "ended", () => "cut");
  const client = await Client.open(`ws://${other.host}/example`);
  const begin = performance.now();
  const told = client.closed.then(({ code }) => ({ code, after: performance.now() - begin }));
  await other.stop();
  return { page: await ended, told: await told, took: performance.now() - begin };
}

test("5.5.6: a page that never ends holds a shutdown up for the drain's time and no longer; clients are told at once", async () => {
  const { page, told, took } = await stopped(1500);
  assert.ok(took >= 1400 && took < 1500 + PATIENCE, `${took} ms`);
  assert.equal(told.code, 1001);
  assert.ok(told.after < took, "before the page was cut");
  assert.equal(page, "cut");
});

test("5.5.7: a drain without time is over at once", async () => {
  const { page, took } = await stopped(0);
  assert.ok(took < 1400, `${took} ms`);
  assert.equal(page, "cut");
});

test("5.5.8: raw WebSocket on a port of its own", () => answersOnWs(own, "/own", PUSH, POP));

test("5.5.9: raw WebSocket on the port of the pages", () => answersOnWs(server.host, "/", PUSH, POP));

test("5.5.10: a path", () => answersOnWs(server.host, "/ws-path", PUSH, POP));

test("5.5.11: two gateways on two paths of one port", () =>
  onWs(server.host, "/example", (first) =>
    onWs(server.host, "/ws-path", async (second) => {
      first.send({ event: "push", data: 1 });
      second.send({ event: "push", data: 2 });
      assert.deepEqual(await first.next(), { event: "pop", data: 1 });
      assert.deepEqual(await second.next(), { event: "pop", data: 2 });
    })));

test("5.5.12: two gateways on two ports", async () => {
  await answersOnWs(server.host, "/example", PUSH, POP);
  await answersOnWs(own, "/own", PUSH, POP);
  assert.equal((await refusal(`ws://${server.host}/own`)).status, 404, "it is at its own port alone");
});

test("5.5.13: an interceptor knows the pattern, on raw WebSocket", () =>
  onWs(server.host, "/", async (client) => {
    client.send({ event: "getClient", data: { test: "test" } });
    assert.equal((await client.next()).data.path, "getClient");
  }));

test("5.5.14, 5.5.15: a message parser of one's own", () =>
  answersOnWs(server.host, "/pairs", '["push",{"test":"test"}]', POP));

const ack = (run) => () => onSocketIo(server.host, "/ack", run);

test("5.5.16: a returned value answers the ack", ack(async (socket) =>
  assert.equal(await ask(socket, "push", { test: "test" }), "pong")));

test("5.5.17: and without data", ack(async (socket) => assert.equal(await ask(socket, "push"), "pong")));

test("5.5.18: an ack by hand, later", ack(async (socket) =>
  assert.deepEqual(await ask(socket, "manual-ack", { shouldSucceed: true }), {
    status: "success",
    data: { shouldSucceed: true },
  })));

test("5.5.19: an ack by hand that says no; what is returned is ignored", ack(async (socket) => {
  const answer = { status: "error", message: "Operation failed" };
  assert.deepEqual(await ask(socket, "manual-ack", { shouldSucceed: false }), answer);
}));

const FAILED = { status: "error", message: "test", cause: { pattern: "push", data: { test: "test" } } };

test("5.5.20: a stream that fails is an exception with its cause", () =>
  onSocketIo(server.host, "/error", async (socket) =>
    assert.deepEqual(await emits(socket, "push", { test: "test" }, "exception"), FAILED)));

test("5.5.21: and exactly that on raw WebSocket", () =>
  onWs(server.host, "/error", async (client) => {
    client.send(PUSH);
    assert.equal(await client.frame(), JSON.stringify({ event: "exception", data: FAILED }));
  }));

test("5.5.22: a filter that throws is logged, and connection and server live on", () =>
  onWs(server.host, "/validation", async (client) => {
    client.send({ event: "push", data: { stringProp: 123 } });
    const data = { status: "error", message: "Internal server error" };
    assert.deepEqual(await client.next(), { event: "exception", data });
    client.send({ event: "push", data: { stringProp: "123" } });
    assert.deepEqual(await client.next(), { event: "pop", data: { stringProp: "123" } });
    assert.match(server.log(), /stringProp: expected another type/);
  }));

test("5.5.23: without a pipe anything goes", () =>
  answersOnWs(server.host, "/no-validation", { event: "push", data: { stringProp: 123 } }, {
    event: "pop",
    data: { stringProp: 123 },
  }));

for (const [number, namespace] of [["24", "/throws"], ["25", "/rejects"]]) {
  test(`5.5.${number}: a hook of the connect that fails refuses the client, which reads why`, async () => {
    assert.equal((await refused(server.host, namespace)).message, "Unauthorized");
  });
}

for (const [number, path] of [["26", "/throws"], ["27", "/rejects"]]) {
  test(`5.5.${number}: and on raw WebSocket it is closed with the reason`, async () => {
    const client = await Client.open(`ws://${server.host}${path}`);
    client.send({ event: "push", data: 1 });
    const { code, reason } = await within(PATIENCE, client.closed, "the close");
    assert.deepEqual([code, reason], [1008, "Unauthorized"]);
  });
}

test("5.5.31: a guard on the server refuses the messages of every gateway, and no handler runs", async () => {
  const closed = await open("--closed");
  try {
    await onSocketIo(closed.host, "/scope", async (socket) => {
      const told = await emits(socket, "ping", "hello", "exception");
      assert.deepEqual(told, { status: "error", message: "Forbidden resource" });
    });
    await onWs(closed.host, "/example", async (client) => {
      client.send(PUSH);
      const data = { status: "error", message: "Forbidden resource" };
      assert.deepEqual(await client.next(), { event: "exception", data });
    });
  } finally {
    await closed.stop();
  }
});

/** A client of `/scope`, and what it was greeted with. */
async function scoped(use) {
  const socket = await connected(server.host, "/scope");
  try {
    return await use(socket);
  } finally {
    socket.disconnect();
  }
}

/** What a hook tells of a connection that leaves; those of other tests may leave too. */
function leaving(watcher, hook, id) {
  const told = new Promise((resolve) => watcher.on(hook, (left) => left.instanceId === id && resolve(left)));
  return within(PATIENCE, told, hook);
}

/** Asks again until it is so. */
function until(holds, what) {
  const asked = async () => {
    while (!(await holds()));
  };
  return within(PATIENCE, asked(), what);
}

test("5.5.32: a guard of the server refuses, and what it lets pass is the first that the handler sees", () =>
  scoped(async (socket) => {
    const told = await emits(socket, "ping", "denied", "exception");
    assert.equal(told.message, "Forbidden resource");
    // 1 was taken by the greeting.
    assert.equal((await ask(socket, "ping", "hello")).sequence, 2);
  }));

test("5.5.36: guard, pipe and interceptor together; state is a connection's own", () =>
  scoped((first) => scoped(async (second) => {
    for (const socket of [first, second]) {
      for (const sequence of [2, 3]) {
        const answer = await ask(socket, "ping", "hello");
        assert.deepEqual(answer, { data: "hello:pipe", sequence, intercepted: true });
      }
    }
  })));

test("5.5.38: a pipe alone", () =>
  scoped(async (socket) => assert.deepEqual(await ask(socket, "piped", "hello"), { data: "hello:pipe" })));

test("5.5.39: an interceptor alone", () =>
  scoped(async (socket) =>
    assert.deepEqual(await ask(socket, "intercepted", "hello"), { data: "hello", intercepted: true })));

test("5.5.41: a connection's state is one from the connect to the disconnect, another's is another, and it ends", async () => {
  const watcher = await connected(server.host, "/scope");
  const alive = async () => ask(watcher, "alive");
  await until(async () => (await alive()) === 1, "the clients of the tests before to be gone");
  const socket = client(server.host, "/scope");
  const [{ instanceId, sequence }] = await next(socket, "connectedState");
  assert.equal(sequence, 1);
  assert.deepEqual(await ask(socket, "state"), { instanceId, sequence: 2 });
  assert.equal(await alive(), 2);
  const other = await ask(watcher, "state");
  assert.notEqual(other.instanceId, instanceId);
  const left = leaving(watcher, "fast", instanceId);
  socket.disconnect();
  assert.deepEqual(await left, { instanceId, sequence: 3, reason: "client_closed" });
  // The last hook has told of it a moment before it lets it go.
  await until(async () => (await alive()) === 1, "the end of the state");
  watcher.disconnect();
});

test("5.5.42: two gateways of one connection see its state in their disconnect hooks, however slow", () =>
  scoped(async (watcher) => {
    const socket = await connected(server.host, "/scope");
    const { instanceId } = await ask(socket, "state");
    const told = Promise.all([leaving(watcher, "fast", instanceId), leaving(watcher, "slow", instanceId)]);
    socket.disconnect();
    const [fast, slow] = await told;
    assert.deepEqual([fast.sequence, slow.sequence], [3, 4]);
  }));

test("5.5.43: what a connection needs is made before any of its messages", () =>
  onWs(server.host, "/scope", async (client) => {
    client.send({ event: "ready" });
    const initialized = await client.next();
    assert.deepEqual(initialized, { event: "initialized", data: { id: initialized.data.id, ready: true } });
    assert.equal((await client.next()).event, "connectedState");
    assert.deepEqual(await client.next(), initialized.data);
  }));

const joins = (room, expected) =>
  onWs(server.host, `/chat/${room}/socket`, async (client) => {
    client.send({ event: "join", data: { message: "Hello World" } });
    const { event, data } = await client.next();
    assert.equal(event, "joined");
    assert.deepEqual(data, { roomId: expected, message: "Hello World", timestamp: data.timestamp });
    assert.equal(typeof data.timestamp, "number");
  });

test("5.5.44: a parameter in the path", () => joins("test-room-123", "test-room-123"));

test("5.5.45: with dashes and digits", () => joins("room-42-a-7", "room-42-a-7"));

test("5.5.46: all parameters", () =>
  answersOnWs(server.host, "/chat/abc/socket", { event: "getParams", data: { x: 1 } }, {
    event: "allParams",
    data: { params: { roomId: "abc" }, receivedData: { x: 1 } },
  }));

test("5.5.47: percent-encoded", () => joins("room%20with%20spaces", "room with spaces"));

const SEAT = "/game/g1/room/r2/player/p3/socket";

test("5.5.48: several parameters", () =>
  answersOnWs(server.host, SEAT, { event: "move", data: { x: 10, y: 20, action: "attack" } }, {
    event: "moveProcessed",
    data: { gameId: "g1", roomId: "r2", playerId: "p3", move: { x: 10, y: 20, action: "attack" } },
  }));

test("5.5.49: without data", () =>
  answersOnWs(server.host, SEAT, { event: "status" }, {
    event: "statusUpdate",
    data: { gameId: "g1", roomId: "r2", playerId: "p3", status: "active" },
  }));

test("5.5.50: ids that look like numbers stay text", () =>
  answersOnWs(server.host, "/game/1/room/02/player/3/socket", { event: "status" }, {
    event: "statusUpdate",
    data: { gameId: "1", roomId: "02", playerId: "3", status: "active" },
  }));

for (const [number, path] of [["51", "/invalid-path"], ["52", "/chat/socket"]]) {
  test(`5.5.${number}: ${path} does not open`, async () => {
    assert.equal((await refusal(`ws://${server.host}${path}`)).status, 404);
  });
}

const afterwards = async (client) => {
  client.send(typeof client.pairs === "string" ? client.pairs : PUSH);
  assert.deepEqual(await client.next(), POP);
};

test("5.5.53: a parser of one's own that fails is told, and the connection lives on", () =>
  onWs(server.host, "/pairs", async (client) => {
    client.send('{"event":"push"}');
    const data = { status: "error", message: "A message is [event, data]" };
    assert.deepEqual(await client.next(), { event: "exception", data });
    client.pairs = '["push",{"test":"test"}]';
    await afterwards(client);
  }));

test("5.5.54: what is no JSON is told, and not logged", async () => {
  const before = server.log().length;
  await onWs(server.host, "/", async (client) => {
    client.send("not json");
    const data = { status: "error", message: "The message is not valid JSON" };
    assert.deepEqual(await client.next(), { event: "exception", data });
    await afterwards(client);
  });
  assert.equal(server.log().slice(before), "");
});

test("5.5.55: an event that nobody handles is told", () =>
  onWs(server.host, "/example", async (client) => {
    client.send({ event: "nope", data: 1 });
    assert.equal((await client.next()).data.message, "Unknown event");
    await afterwards(client);
  }));

test("5.5.57: a handler knows its event", ack(async (socket) => assert.equal(await ask(socket, "whoami"), "whoami")));

test("5.5.58: a handler that throws ends its own call alone", () =>
  onWs(server.host, "/nest", async (client) => {
    client.send({ event: "panic" });
    assert.equal((await client.next()).data.message, "Internal server error");
    client.send(PUSH);
    assert.deepEqual(await client.next(), POP);
  }));

test("5.5.60: port 0 takes a free port, which serves both doors", async () => {
  assert.notEqual(Number(own.split(":")[1]), 0);
  await pops(own, "/own");
  await answersOnWs(own, "/own", PUSH, POP);
});

test("5.5.62: an answer that is nested 100,000 deep is sent, and later messages are answered", () =>
  onWs(server.host, "/", async (client) => {
    client.send({ event: "deep" });
    assert.equal(await client.frame(), "[".repeat(100_000) + "]".repeat(100_000));
    await afterwards(client);
  }));
