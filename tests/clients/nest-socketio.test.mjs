// socket.io-client against examples/nest: what NestJS's Socket.IO adapter answers, packet by packet (5.4).
//
// Every row of the socket.io column of the golden table, with the differences that docs/differences.md lists: an ack that nobody
// answers there is answered without data here. Packets are written as in the table, as if the namespace were the default one and
// each ack the first.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Engine, connected, next } from "./support/socketio.mjs";
import { RawSocket } from "./support/raw.mjs";
import { start } from "./support/server.mjs";

let server, client;
before(async () => {
  server = await start("nest", ["--own", "127.0.0.1:0", "--secret", "a secret of at least thirty-two bytes"]);
  client = await connected(server.host, "/nest");
});
after(async () => {
  client?.disconnect();
  await server?.stop();
});

const LAST = '42["echo","that was all"]';
const ASK = () => {};

/** The packets that answer an event: all that come before the answer to an event sent after it. */
async function packets(event, ...args) {
  const seen = [];
  const see = ({ type, data }) => {
    if (type === "message") seen.push(data.replace(/^(\d)\/nest,(\d*)/, (_, kind, id) => `4${kind}${id && "1"}`));
  };
  const { engine } = client.io;
  engine.on("packet", see);
  client.emit(event, ...args);
  client.emit("echo", "that was all");
  await next(client, "echo");
  engine.off("packet", see);
  assert.equal(seen.pop(), LAST);
  return seen;
}

async function answers(args, ...expected) {
  assert.deepEqual(await packets(...args), expected, args[0]);
}

/** The packet of a failure whose cause is this message. */
function exception(message, pattern, data) {
  return `42${JSON.stringify(["exception", { status: "error", message, cause: { pattern, data } }])}`;
}

test("5.4: a bare value answers the ack, and nobody else", async () => {
  await answers(["str", ASK], '431["pong"]');
  await answers(["str"]);
  await answers(["zero", ASK], "431[0]");
  await answers(["no", ASK], "431[false]");
  await answers(["empty", ASK], '431[""]');
  await answers(["obj", { b: 2 }, ASK], '431[{"a":1,"d":{"b":2}}]');
  await answers(["obj", { b: 2 }]);
});

test("5.4: nothing answers an ack without data", async () => {
  await answers(["null", ASK], "431[]");
  await answers(["null"]);
});

test("5.4: an event is emitted, and an ack beside it is answered without data", async () => {
  await answers(["push", { test: "test" }], '42["pop",{"test":"test"}]');
  await answers(["evt", { b: 2 }], '42["evt-reply",{"b":2}]');
  await answers(["evt", { b: 2 }, ASK], '42["evt-reply",{"b":2}]', "431[]");
  await answers(["evtBare"], '42["evt-reply"]');
});

test("5.4: a stream of events", () => answers(["stream"], ...[1, 2, 3].map((n) => `42["stream",${n}]`)));

test("5.4: the first value of a stream answers the ack, and without one there is nothing", async () => {
  await answers(["letters", ASK], '431["a"]');
  await answers(["letters"]);
});

test("5.4: a stream that fails in the middle", () =>
  answers(["mid", 5], '42["s",1]', exception("mid", "mid", 5)));

test("5.4: a member of data that is no object is undefined", async () => {
  await answers(["id", { id: "7" }, ASK], '431[{"id":"7"}]');
  for (const data of [null, "str"]) await answers(["id", data, ASK], "431[{}]");
});

test("5.4: a parsed parameter", async () => {
  await answers(["int", { id: "12" }, ASK], "431[12]");
  await answers(["int", { id: "x" }], exception("Validation failed (numeric string is expected)", "int", { id: "x" }));
});

test("5.4: a handler that acks by itself, and what it returns beside", async () => {
  await answers(["ack", { m: 1 }, ASK], '431[{"got":{"m":1}}]');
  await answers(["ackEvt", ASK], "431[1]", '42["x",1]');
});

test("5.4: a refusal is an exception with its message and its cause", async () => {
  await answers(["wsStr", { d: 1 }], exception("boom", "wsStr", { d: 1 }));
  await answers(["wsStr", { d: 1 }, ASK], exception("boom", "wsStr", { d: 1 }), "431[]");
  await answers(["wsStr", "obj", 1], exception("boom", "wsStr", ["obj", 1]));
  await answers(["wsObj", 1], '42["exception",{"code":42,"message":"m"}]');
  await answers(["badRequest", [1]], exception("no such colour", "badRequest", [1]));
});

test("5.4: a list of faults", async () => {
  const list = [
    "content must be shorter than or equal to 1000 characters",
    "content must be longer than or equal to 1 characters",
    "content must be a string",
  ];
  await answers(["wsList", 1], `42${JSON.stringify(["exception", list])}`);
});

test("5.4: what nobody expected says nothing", async () => {
  for (const event of ["error", "panic"]) await answers([event, 1], exception("Internal server error", event, 1));
});

test("5.4: guards", async () => {
  await answers(["guarded", 1], exception("Forbidden resource", "guarded", 1));
  await answers(["forbidden", 1], exception("Not yours", "forbidden", 1));
});

test("5.4: the cause can be left out", () => answers(["noCause", 1], '42["exception",{"status":"error","message":"nc"}]'));

test("5.4: data that do not fit", async () => {
  await answers(["validated", { content: "x" }, ASK], '431["valid"]');
  const data = { content: 5 };
  await answers(["validated", data], exception("The payload does not have the expected shape", "validated", data));
  await answers(["hidden", data], exception("Internal server error", "hidden", data));
});

test("5.4: the same event in two gateways: both run, and the first value answers the ack", async () => {
  await answers(["both", ASK], '431["first"]');
  await answers(["both"]);
});

test("5.4: an unknown event", () => answers(["nope", { a: 1 }], exception("Unknown event", "nope", { a: 1 })));

test("5.4: several arguments are a list, and so is a list", async () => {
  await answers(["obj", 1, 2, ASK], '431[{"a":1,"d":[1,2]}]');
  await answers(["obj", [1, 2], ASK], '431[{"a":1,"d":[1,2]}]');
});

test("5.4: rooms", () => answers(["join", "hall", ASK], '431[["hall"]]'));

test("5.4: slow calls are answered in the order of their messages, and as they are done where the handler opts out", async () => {
  const root = await connected(server.host, "/");
  for (const [event, expected] of [["slow", [200, 50]], ["slowAtOnce", [50, 200]]]) {
    const seen = [];
    const both = new Promise((resolve) => root.on("slow", (ms) => seen.push(ms) === 2 && resolve()));
    root.emit(event, 200);
    root.emit(event, 50);
    await both;
    root.off("slow");
    assert.deepEqual(seen, expected, event);
  }
  root.disconnect();
});

test("5.4: a namespace that is not there", async () => {
  const engine = new Engine(server.host);
  assert.match(await engine.read(), /^0/);
  engine.send("40/nope,");
  assert.equal(await engine.read(), '44/nope,{"message":"Invalid namespace"}');
  engine.ws.close();
});

test("5.4: an event before CONNECT ends the connection", async () => {
  const engine = new Engine(server.host);
  assert.match(await engine.read(), /^0/);
  engine.send('42/nest,["push",1]');
  await engine.end();
});

test("5.4: a message above the bound ends the connection", async () => {
  const other = await connected(server.host, "/nest");
  const gone = next(other, "disconnect");
  other.emit("push", "x".repeat(64 * 1024));
  assert.equal((await gone)[0], "transport close");
});

test("5.4: a wrong path is the application's 404, polling and upgrade alike", async () => {
  assert.equal((await fetch(`http://${server.host}/nope/?EIO=4&transport=polling`)).status, 404);
  const raw = await RawSocket.connect(server.host);
  assert.equal((await raw.handshake(server.host, "/nope/?EIO=4&transport=websocket")).status, 404);
});

test("5.4: a transport and a protocol version that nobody knows", async () => {
  const get = async (query) => {
    const response = await fetch(`http://${server.host}/socket.io/?${query}`);
    return [response.status, await response.json()];
  };
  assert.deepEqual(await get("EIO=4&transport=bogus"), [400, { code: 0, message: "Transport unknown" }]);
  assert.deepEqual(await get("EIO=2&transport=polling"), [400, { code: 5, message: "Unsupported protocol version" }]);
});
