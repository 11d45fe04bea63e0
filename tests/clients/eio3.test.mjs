// The official client of socket.io 2 (Engine.IO 3) against the lab, on every transport, alone and beside that of socket.io 4.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { start, within } from "./support/server.mjs";
import { ask, connected, next, TRANSPORTS } from "./support/socketio.mjs";
import { oldAsk, oldConnected, oldRefused, oldSocket } from "./support/socketio2.mjs";

// The parser that the old client itself uses.
const installed = createRequire(createRequire(import.meta.url).resolve("socket.io-client-2"));
const { decodePayload } = createRequire(installed.resolve("engine.io-client"))("engine.io-parser");

let server;
const open = [];
const old = async (namespace, options) => {
  const it = await oldConnected(server.host, namespace, options);
  open.push(it);
  return it;
};
const url = (query) => `http://${server.host}/socket.io/?${query}`;

before(async () => {
  server = await start("lab", ["--doors", "socketio", "--eio3", "--ping-interval-ms", "400", "--ping-timeout-ms", "400", "--connect-timeout-ms", "600"]);
});
after(async () => {
  open.forEach((it) => it.disconnect());
  await server?.stop();
});

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  describe(`socket.io 2 on ${name}`, () => {
    let it;
    before(async () => {
      it = await old("/", { transports, query: { colour: "blue" }, extraHeaders: { "x-lab": "extra" } });
    });

    test("it is on the transport that was asked for", () => {
      assert.equal(it.io.engine.transport.name, name === "polling" ? "polling" : "websocket");
    });

    test("query and headers reach the server, and the engine's own members do not", async () => {
      const { query, header } = await oldAsk(it, "handshake");
      assert.deepEqual([query.colour, header], ["blue", "extra"]);
      assert.ok(!("sid" in query) && !("EIO" in query));
    });

    test("an event has any number of arguments", async () => {
      for (const args of [[], [1], [null], ["a", 2], [1, { a: [] }, "ß", null, false], ["日本 \u{1f600}"]]) {
        const back = next(it, "message-back");
        it.emit("message", ...args);
        assert.deepEqual(await back, args);
      }
    });

    test("an answer has any number of arguments", async () => {
      for (const args of [[], [1], ["a", 2, { b: 3 }]]) {
        const answer = new Promise((resolve) => it.emit("message-with-ack", ...args, (...back) => resolve(back)));
        assert.deepEqual(await answer, args);
      }
    });

    test("the server asks, and the client answers", async () => {
      it.once("ask", (question, answer) => answer({ to: question }));
      assert.deepEqual(await oldAsk(it, "ask", "sure?"), { to: "sure?" });
    });

    test("bytes travel both ways, alone and among others", async () => {
      const bytes = Buffer.from([0, 1, 254, 255]);
      assert.deepEqual(Buffer.from(await oldAsk(it, "message-with-ack", bytes)), bytes);
      const back = next(it, "message-back");
      it.emit("message", "a", bytes, { b: [bytes] });
      const [first, second, third] = await back;
      assert.deepEqual([first, Buffer.from(second), Buffer.from(third.b[0])], ["a", bytes, bytes]);
    });

    test("many events keep their order", async () => {
      const seen = [];
      const done = new Promise((resolve) => it.on("message-back", (n) => seen.push(n) === 300 && resolve()));
      for (let n = 0; n < 300; n += 1) it.emit("message", n);
      await within(10_000, done, "all of them");
      it.off("message-back");
      assert.deepEqual(seen, Array.from({ length: 300 }, (_, n) => n));
    });

    test("namespaces are clients of their own on one connection", async () => {
      const custom = it.io.socket("/custom");
      open.push(custom);
      if (!custom.connected) await next(custom, "connect");
      const ids = [await oldAsk(it, "whoami"), await oldAsk(custom, "message-with-ack", "here")];
      assert.equal(ids[1], "here");
      const gone = next(custom, "disconnect");
      custom.disconnect();
      assert.deepEqual(await gone, ["io client disconnect"]);
      assert.equal(await oldAsk(it, "whoami"), ids[0]);
    });

    test("a namespace has its parameter and its own query", async () => {
      const game = await old("/game/7", { transports, query: { colour: "a b" } });
      assert.equal(await oldAsk(game, "which"), "7");
      assert.deepEqual((await oldAsk(game, "handshake")).query.colour, "a b");
    });

    test("an unknown namespace is refused with its reason as text", async () => {
      assert.equal(await oldRefused(server.host, "/nowhere", { transports }), "Invalid namespace");
    });

    test("it stays, because it pings and is answered", async () => {
      const other = await old("/", { transports });
      const pongs = new Promise((resolve) => {
        let count = 0;
        other.on("pong", () => (count += 1) === 4 && resolve());
      });
      await within(8_000, pongs, "four pongs");
      assert.ok(other.connected);
    });

    test("the server disconnects it", async () => {
      const other = await old("/", { transports });
      const gone = next(other, "disconnect");
      other.emit("kick");
      assert.deepEqual(await gone, ["io server disconnect"]);
    });

    test("it leaves, and rooms know it no more", async () => {
      const [stays, leaves] = [await old("/", { transports }), await old("/", { transports })];
      const room = `leaves-${name}`;
      for (const each of [stays, leaves]) await oldAsk(each, "join", { room });
      assert.equal((await oldAsk(stays, "members", { room })).length, 2);
      leaves.disconnect();
      let members;
      for (let tries = 0; tries < 100; tries += 1) {
        members = await oldAsk(stays, "members", { room });
        if (members.length === 1) break;
      }
      assert.deepEqual(members, [await oldAsk(stays, "whoami")]);
    });

    test("socket.io 2 and socket.io 4 sit in one room", async () => {
      const [two, four] = [await old("/", { transports }), await connected(server.host, "/", { transports })];
      open.push(four);
      const room = `mixed-${name}`;
      await oldAsk(two, "join", { room });
      await ask(four, "join", { room });
      const reads = [next(two, "message"), next(four, "message")];
      assert.equal(await ask(four, "publish", { room, data: { from: "four" } }), 2);
      assert.deepEqual(await Promise.all(reads), [[{ from: "four" }], [{ from: "four" }]]);
      const told = next(four, "message");
      await oldAsk(two, "tell", { room, data: "from two" });
      assert.deepEqual(await told, ["from two"]);
    });
  });
}

describe("what a peer sees of its session", () => {
  const ENGINE = /^[A-Za-z0-9_-]{16}$/;

  test("the open packet names a secret and no id of the engine", async () => {
    const text = await (await fetch(url("EIO=3&transport=polling&b64=1"))).text();
    const [, length, packet] = /^(\d+):(.*)$/s.exec(text);
    const { sid, upgrades } = JSON.parse(packet.slice(1));
    assert.equal(packet.length, Number(length));
    assert.match(sid, /^[A-Za-z0-9_-]{32}$/);
    assert.doesNotMatch(sid, ENGINE);
    assert.deepEqual(upgrades, ["websocket"]);
    const poll = await (await fetch(url(`EIO=3&transport=polling&b64=1&sid=${sid}`))).text();
    assert.ok(poll.startsWith("2:40"), poll);
  });

  test("a peer that takes bytes on polling reads its attachments", async () => {
    const { sid } = JSON.parse((await (await fetch(url("EIO=3&transport=polling"))).text()).replace(/^\d+:0/, ""));
    const own = url(`EIO=3&transport=polling&sid=${sid}`);
    const event = '451-1["message-with-ack",{"_placeholder":true,"num":0}]';
    const digits = [...String(event.length)].map(Number);
    const body = Buffer.concat([Buffer.from([0, ...digits, 255]), Buffer.from(event), Buffer.from([1, 4, 255, 4, 1, 2, 255])]);
    assert.ok((await (await fetch(own)).text()).startsWith("2:40"));
    await fetch(own, { method: "POST", body, headers: { "content-type": "application/octet-stream" } });
    const packets = [];
    while (packets.length < 2) {
      const read = Buffer.from(await (await fetch(own)).arrayBuffer());
      decodePayload(read, "nodebuffer", (packet) => packets.push(packet));
    }
    assert.deepEqual(packets.map(({ data }) => data), ['61-1[{"_placeholder":true,"num":0}]', Buffer.from([1, 2, 255])]);
  });

  test("a session does not change its version", async () => {
    for (const [own, other] of [[3, 4], [4, 3]]) {
      const text = await (await fetch(url(`EIO=${own}&transport=polling`))).text();
      const { sid } = JSON.parse(text.slice(text.indexOf("{")));
      const poll = await fetch(url(`EIO=${other}&transport=polling&sid=${sid}`));
      assert.equal(poll.status, 400);
      assert.ok(!(await poll.text()).includes("sid\":\""));
    }
  });

  test("versions that nobody speaks are refused", async () => {
    for (const version of ["2", "5", "3x", "3=4", ""]) {
      for (const transport of ["polling", "websocket"]) {
        assert.equal((await fetch(url(`EIO=${version}&transport=${transport}`))).status, 400, version);
      }
    }
  });

  test("a session that enters no namespace ends in time", async () => {
    const other = await oldConnected(server.host, "/");
    open.push(other);
    const closed = new Promise((resolve) => other.io.engine.once("close", resolve));
    const bare = new WebSocket(`ws://${server.host}/socket.io/?EIO=3&transport=websocket`);
    const ended = new Promise((resolve) => bare.once("close", resolve));
    bare.once("message", () => bare.send("41"));
    const pinging = setInterval(() => bare.readyState === 1 && bare.send("2"), 100);
    await within(5_000, ended, "its end").finally(() => clearInterval(pinging));
    assert.ok(other.connected);
    other.disconnect();
    await closed;
  });
});

describe("bad packets of an old peer", () => {
  const session = async () => {
    const text = await (await fetch(url("EIO=3&transport=polling&b64=1"))).text();
    return JSON.parse(text.slice(text.indexOf("{"))).sid;
  };

  test("end its session and nothing else", async () => {
    const bodies = ["", "x", "5:2", "99999999999999999999:2", "1:", "0:", "1:9", "3:4\u{1f600}", ":", "2:4", Buffer.from([0, 255]), Buffer.from([1, 5, 255]), Buffer.from([1, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 255])];
    for (const body of bodies) {
      const sid = await session();
      const type = typeof body === "string" ? "text/plain;charset=UTF-8" : "application/octet-stream";
      const posting = fetch(url(`EIO=3&transport=polling&sid=${sid}`), { method: "POST", body, headers: { "content-type": type } });
      const answer = await within(5_000, posting, "an answer");
      assert.ok([200, 400, 413, 500].includes(answer.status), `${JSON.stringify(body)} ${answer.status}`);
      await answer.arrayBuffer();
    }
    const it = await oldConnected(server.host, "/");
    assert.ok(await oldAsk(it, "whoami"));
    it.disconnect();
  });

  test("a namespace with a query that is none of a URI is refused", async () => {
    assert.equal(await oldRefused(server.host, "/custom", { query: "a=\u0001" }), "The namespace is not valid");
  });
});

describe("a server that does not let them in", () => {
  let strict;
  before(async () => {
    strict = await start("lab", ["--doors", "socketio"]);
  });
  after(() => strict?.stop());

  test("refuses Engine.IO 3 on every transport", async () => {
    for (const transport of ["polling", "websocket"]) {
      const response = await fetch(`http://${strict.host}/socket.io/?EIO=3&transport=${transport}`);
      assert.equal(response.status, 400);
      assert.deepEqual(await response.json(), { code: 5, message: "Unsupported protocol version" });
    }
    const it = oldSocket(strict.host, "/", { transports: ["polling"] });
    await next(it, "connect_error");
    it.close();
  });
});
