// npm's ws against examples/nest: what NestJS's own WebSocket adapter answers, frame by frame (5.4).
//
// Every row of the raw-ws column of the golden table, with the differences that docs/nest.md lists.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, refusal } from "./support/client.mjs";
import { start } from "./support/server.mjs";

let server, client;
before(async () => {
  server = await start("nest", ["--own", "127.0.0.1:0", "--secret", "a secret of at least thirty-two bytes"]);
  client = await Client.open(`ws://${server.host}/nest`);
});
after(async () => {
  await client?.close();
  await server?.stop();
});

const LAST = '{"event":"echo","data":"that was all"}';

/** Everything that is sent before the answer to a message sent now: a row that answers nothing is seen at once. */
async function rest() {
  client.send(LAST);
  const frames = [];
  for (let frame = await client.frame(); frame !== LAST; frame = await client.frame()) frames.push(frame);
  return frames;
}

/** The message is answered with exactly these frames. */
async function answers(message, ...expected) {
  client.send(message);
  assert.deepEqual(await rest(), expected, String(message.event ?? message));
}

/** The frame of a failure whose cause is this message. */
function exception(message, pattern, data) {
  return JSON.stringify({ event: "exception", data: { status: "error", message, cause: { pattern, data } } });
}

test("5.4: an event with data is answered with the event that the handler returns", async () => {
  const data = { test: "test" };
  await answers({ event: "push", data }, '{"event":"pop","data":{"test":"test"}}');
  await answers({ event: "evt", data: { b: 2 } }, '{"event":"evt-reply","data":{"b":2}}');
});

test("5.4: an event without data has no data member, in either direction", async () => {
  await answers({ event: "evtBare", data: 1 }, '{"event":"evt-reply"}');
  await answers({ event: "push" }, '{"event":"pop"}');
});

test("5.4: data come back as they were written: order of members, numbers, escapes", async () => {
  const data = String.raw`{"b":1.0,"a":[1e3,"\u00fc\/",{"z":null,"y":[]}],"big":12345678901234567890123}`;
  await answers(`{"event":"push","data":${data}}`, `{"event":"pop","data":${data}}`);
});

test("5.4: a bare value is bare JSON", async () => {
  await answers({ event: "str" }, '"pong"');
  await answers({ event: "zero" }, "0");
  await answers({ event: "no" }, "false");
  await answers({ event: "empty" }, '""');
  await answers({ event: "obj", data: { b: 2 } }, '{"a":1,"d":{"b":2}}');
});

test("5.4: nothing is answered with nothing", () => answers({ event: "null" }));

test("5.4: each item of a stream is a frame", async () => {
  await answers({ event: "stream" }, ...[1, 2, 3].map((n) => `{"event":"stream","data":${n}}`));
  await answers({ event: "letters" }, '"a"', '"b"', '"c"');
});

test("5.4: a stream that fails in the middle has sent what came before, then the exception", () =>
  answers({ event: "mid", data: 5 }, '{"event":"s","data":1}', exception("mid", "mid", 5)));

test("5.4: a member of data that is no object is undefined, and the handler runs", async () => {
  await answers({ event: "id", data: { id: "7" } }, '{"id":"7"}');
  for (const data of [null, "str", undefined, [1]]) await answers({ event: "id", data }, "{}");
});

test("5.4: a parsed parameter arrives parsed, or the exception says why not", async () => {
  await answers({ event: "int", data: { id: "12" } }, "12");
  const why = "Validation failed (numeric string is expected)";
  await answers({ event: "int", data: { id: "x" } }, exception(why, "int", { id: "x" }));
});

test("5.4: there are no acks: a handler that takes one has its result sent", async () => {
  await answers({ event: "ack", data: { m: 1 } }, '{"status":"ignored"}');
  await answers({ event: "ackEvt" }, '{"event":"x","data":1}');
});

test("5.4: an id is ignored, of whatever type, and not echoed", async () => {
  await answers('{"event":"push","data":1,"id":9}', '{"event":"pop","data":1}');
  await answers('{"event":"str","id":9}', '"pong"');
  await answers('{"id":{"a":[]},"event":"evt","data":1,"ack":3,"error":"x"}', '{"event":"evt-reply","data":1}');
});

test("5.4: a refusal is an exception with its message and its cause", async () => {
  await answers({ event: "wsStr", data: { d: 1 } }, exception("boom", "wsStr", { d: 1 }));
  await answers({ event: "badRequest", data: [1] }, exception("no such colour", "badRequest", [1]));
});

test("5.4: the cause of a message without data has a pattern alone, and null is data", async () => {
  await answers({ event: "wsStr", data: null }, exception("boom", "wsStr", null));
  await answers({ event: "push", data: null }, '{"event":"pop","data":null}');
  await answers({ event: "wsStr" }, '{"event":"exception","data":{"status":"error","message":"boom","cause":{"pattern":"wsStr"}}}');
});

test("5.4: a refusal with a body of its own is sent as it is", async () => {
  await answers({ event: "wsObj", data: 1 }, '{"event":"exception","data":{"code":42,"message":"m"}}');
  const list = [
    "content must be shorter than or equal to 1000 characters",
    "content must be longer than or equal to 1 characters",
    "content must be a string",
  ];
  await answers({ event: "wsList", data: 1 }, JSON.stringify({ event: "exception", data: list }));
});

test("5.4: what nobody expected says nothing: an error and a panic", async () => {
  for (const event of ["error", "panic"]) {
    await answers({ event, data: { x: 1 } }, exception("Internal server error", event, { x: 1 }));
  }
});

test("5.4: a guard that is false forbids the resource, one that refuses says why", async () => {
  await answers({ event: "guarded", data: 1 }, exception("Forbidden resource", "guarded", 1));
  await answers({ event: "forbidden", data: 1 }, exception("Not yours", "forbidden", 1));
});

test("5.4: the cause can be left out", () =>
  answers({ event: "noCause", data: 1 }, '{"event":"exception","data":{"status":"error","message":"nc"}}'));

test("5.4: data that do not fit say so, or nothing where the filter hides it, as in NestJS", async () => {
  await answers({ event: "validated", data: { content: "x" } }, '"valid"');
  const data = { content: 5 };
  const why = "The payload does not have the expected shape";
  await answers({ event: "validated", data }, exception(why, "validated", data));
  await answers({ event: "hidden", data }, exception("Internal server error", "hidden", data));
});

test("5.4: two gateways with one event both answer, in their order", () => answers({ event: "both" }, '"first"', '"second"'));

test("5.4: an unknown event is answered with an exception", async () => {
  await answers({ event: "nope", data: { a: 1 } }, exception("Unknown event", "nope", { a: 1 }));
  await answers('{"event":{"a":1},"data":2}', exception("Unknown event", '{"a":1}', 2));
});

test("5.4: what is no message is answered with an exception without a cause, and the connection stays open", async () => {
  const failure = (message) => JSON.stringify({ event: "exception", data: { status: "error", message } });
  const shape = "The message does not have the expected shape";
  const faults = {
    "not json": "The message is not valid JSON",
    '{"event":"str"': "The message is not valid JSON",
    "": "The message is not valid JSON",
    null: shape,
    "[]": shape,
    '["push",1]': shape,
    5: shape,
    '"s"': shape,
    "{}": "The event is missing",
    '{"data":1}': "The event is missing",
    '{"event":5}': "The event must be a string",
    '{"event":["str"]}': "The event must be a string",
    '{"event":""}': "The event is empty",
    [`{"event":"${"x".repeat(129)}"}`]: "The event name is too long",
    [`{"event":"push","data":${"[".repeat(129)}${"]".repeat(129)}}`]: "The message is nested too deep",
  };
  for (const [message, text] of Object.entries(faults)) await answers(message, failure(text));
});

test("5.4: a binary frame with JSON text is handled like text, and one without is no JSON", async () => {
  await answers(Buffer.from('{"event":"push","data":"ü"}'), '{"event":"pop","data":"ü"}');
  const data = { status: "error", message: "The message is not valid JSON" };
  await answers(Buffer.from([0xff, 0, 0x7b]), JSON.stringify({ event: "exception", data }));
});

test("5.4: rooms are there on every door, also where NestJS has none", async () => {
  const other = await Client.open(`ws://${server.host}/nest`);
  other.send('{"event":"join","data":"hall"}');
  assert.equal(await other.frame(), '["hall"]');
  other.send('{"event":"join","data":""}');
  assert.match(await other.frame(), /"message":"a name must not be empty"/);
  await other.close();
});

test("5.4: replies come in the order of the messages", async () => {
  const names = ["str", "zero", "wsStr", "letters", "no", "empty"];
  for (const event of names) client.send({ event });
  const frames = await rest();
  assert.deepEqual(frames, ['"pong"', "0", exception("boom", "wsStr"), '"a"', '"b"', '"c"', "false", '""']);
});

test("5.4: a message above the bound closes the connection with 1009", async () => {
  const other = await Client.open(`ws://${server.host}/nest`);
  other.send({ event: "push", data: "x".repeat(64 * 1024) });
  assert.equal((await other.closed).code, 1009);
});

test("5.4: the sub-protocol is named where it is offered", async () => {
  for (const offers of [["nest"], ["other", "nest"]]) {
    const other = await Client.open(`ws://${server.host}/nest`, {}, offers);
    assert.equal(other.socket.protocol, "nest");
    await other.close();
  }
});

test("5.4: a wrong path is an HTTP answer, not a cut connection", async () => {
  for (const path of ["/nope", "/nest/", "/Nest", "/nest/more"]) {
    assert.equal((await refusal(`ws://${server.host}${path}`)).status, 404, path);
  }
  const query = await Client.open(`ws://${server.host}/nest?a=b`);
  await query.close();
  assert.equal((await fetch(`http://${server.host}/nest`)).status, 404, "without an upgrade the path is the application's");
});
