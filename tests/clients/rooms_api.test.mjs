// The chat server with its rooms API: each test whose name begins with a number is that case of the reference. Clients are those of
// socket.io 2, which the reference has, and of socket.io 4.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import WebSocket from "ws";
import { start, within } from "./support/server.mjs";
import { ask, connected } from "./support/socketio.mjs";
import { oldConnected } from "./support/socketio2.mjs";

const ROOMS = "/api/v1/rooms";
const AT = "2021-01-01T00:00:00.000Z";
const FAILED = { status: "error", message: "Internal server error" };

/** REST calls against a server: status, body as text and as JSON. */
function rest(host) {
  const call = async (method, path, body, headers = { "content-type": "application/json" }) => {
    const response = await fetch(`http://${host}${path}`, { method, body, headers: body === undefined ? {} : headers });
    const text = await response.text();
    return { status: response.status, text, json: text ? JSON.parse(text) : undefined, length: response.headers.get("content-length") };
  };
  return {
    call,
    create: (roomId, creatorUsername = "idirnaitali") => call("POST", ROOMS, JSON.stringify({ roomId, creatorUsername })),
    messages: (room, query) => call("GET", `${ROOMS}/${room}/messages${query}`),
    close: (room) => call("DELETE", `${ROOMS}/${room}`),
  };
}

const nest = (message) => ({ statusCode: 400, message, error: "Bad Request" });

/** All events that a socket reads, to be taken one by one. */
function inbox(socket) {
  const read = [];
  let wake = () => {};
  const add = (event, args) => {
    read.push([event, ...args]);
    wake();
  };
  if (socket.onAny) socket.onAny((event, ...args) => add(event, args));
  else {
    // The client of socket.io 2 has no such hook.
    const { onevent } = socket;
    socket.onevent = function (packet) {
      add(packet.data[0], packet.data.slice(1));
      onevent.call(this, packet);
    };
  }
  return {
    async next() {
      if (!read.length) await within(5000, new Promise((resolve) => (wake = resolve)), "an event");
      return read.shift();
    },
    rest: () => read.splice(0),
  };
}

const CLIENTS = {
  "socket.io 2 on polling and websocket": (host) => oldConnected(host, "/", { transports: ["polling", "websocket"] }),
  "socket.io 2 on websocket": (host) => oldConnected(host, "/"),
  "socket.io 2 on polling": (host) => oldConnected(host, "/", { transports: ["polling"] }),
  "socket.io 4": (host) => connected(host, "/"),
};

describe("REST", () => {
  let server, api;
  before(async () => {
    server = await start("rooms_api", ["--memory"]);
    api = rest(server.host);
  });
  after(() => server?.stop());

  test("1: a room is created: 201 and nothing", async () => {
    const { status, text, length } = await api.create("3XX");
    assert.deepEqual([status, text, length], [201, "", "0"]);
  });

  test("2: without members, with empty ones, or without a content type it is a 400 with a list", async () => {
    const both = nest(["roomId should not be empty", "creatorUsername should not be empty"]);
    const valid = JSON.stringify({ roomId: "x", creatorUsername: "y" });
    const bodies = [["{}"], ['{"roomId":""}'], ['{"roomId":null,"creatorUsername":""}'], ["[]"], [valid, { "content-type": "text/plain" }], [valid, { "content-type": "application/x-www-form-urlencoded" }]];
    for (const [body, headers] of bodies) {
      const { status, json } = await api.call("POST", ROOMS, body, headers);
      assert.deepEqual([status, json], [400, both], body);
    }
    assert.deepEqual((await api.call("POST", ROOMS)).json, both);
    assert.deepEqual((await api.call("POST", ROOMS, '{"roomId":"x"}')).json, nest(["creatorUsername should not be empty"]));
  });

  test("3: a room that is there is a 409", async () => {
    const { status, json } = await api.create("3XX");
    assert.deepEqual([status, json], [409, { code: "room.conflict", message: "Room with '3XX' already exists" }]);
  });

  test("4: malformed JSON is a 400 with the parser's text", async () => {
    for (const body of ['{"roomId":', "nope", "{'a':1}", '"text"', "5"]) {
      const { status, json } = await api.call("POST", ROOMS, body);
      assert.deepEqual([status, json.statusCode, json.error, typeof json.message], [400, 400, "Bad Request", "string"], body);
      assert.ok(json.message.length > 0);
    }
  });

  test("5: an empty room has no messages", async () => {
    const { status, json } = await api.messages("3XX", "?fromIndex=1&toIndex=20");
    assert.deepEqual([status, json], [200, []]);
  });

  test("6: an index that is missing or no number is a 400", async () => {
    for (const query of ["", "?toIndex=2", "?fromIndex=1", "?fromIndex=a&toIndex=2", "?fromIndex=1&toIndex=", "?fromIndex=1&toIndex=2x", "?fromIndex=1&fromIndex=2&toIndex=3", "?fromIndex=1&toIndex=Infinity"]) {
      const { status, json } = await api.messages("3XX", query);
      assert.deepEqual([status, json], [400, nest("Validation failed (numeric string is expected)")], query);
    }
  });

  test("7: an index below one is a 400", async () => {
    const expected = { code: "req-params.validation", message: "Invalid parameters, 'fromIndex' and 'toIndex' must be positive" };
    for (const [from, to] of [[0, 1], [-1, 1], [1, 0], [1, -5], [0, 0]]) {
      const { status, json } = await api.messages("3XX", `?fromIndex=${from}&toIndex=${to}`);
      assert.deepEqual([status, json], [400, expected]);
    }
  });

  test("8: an end before the beginning is a 400", async () => {
    const { status, json } = await api.messages("3XX", "?fromIndex=3&toIndex=2");
    const message = "Invalid parameters, 'toIndex' must no not be less than 'fromIndex'";
    assert.deepEqual([status, json], [400, { code: "req-params.validation", message }]);
  });

  test("9: parameters are looked at before the room, and 1.5 is 1", async () => {
    assert.equal((await api.messages("nope", "?fromIndex=3&toIndex=2")).status, 400);
    assert.equal((await api.messages("nope", "?fromIndex=0&toIndex=2")).status, 400);
    assert.deepEqual((await api.messages("3XX", "?fromIndex=1.5&toIndex=1")).json, []);
  });

  test("10: messages of an unknown or closed room are a 403", async () => {
    await api.create("closed");
    await api.close("closed");
    for (const room of ["nope", "closed"]) {
      const { status, json } = await api.messages(room, "?fromIndex=1&toIndex=2");
      assert.deepEqual([status, json], [403, { code: "access-forbidden", message: "The access is forbidden" }]);
    }
  });

  test("11: a room is closed: 204 and nothing; an unknown one is a 404", async () => {
    await api.create("short");
    const closed = await api.close("short");
    assert.deepEqual([closed.status, closed.text], [204, ""]);
    const { status, json } = await api.close("nope");
    assert.deepEqual([status, json], [404, { code: "room.not-fond", message: "Room with 'nope' not found" }]);
    assert.equal((await api.close("short")).status, 404);
  });

  test("12: an unknown route is a 404", async () => {
    for (const [method, path] of [["GET", "/api/v1/zzz"], ["PUT", ROOMS], ["GET", `${ROOMS}?a=1`], ["GET", "/"]]) {
      const { status, json } = await api.call(method, path);
      assert.deepEqual([status, json], [404, { statusCode: 404, message: `Cannot ${method} ${path}`, error: "Not Found" }]);
    }
  });

  test("a number is the room of its digits, and other members are allowed", async () => {
    assert.equal((await api.call("POST", ROOMS, '{"roomId":5,"creatorUsername":"ann","more":[1]}')).status, 201);
    assert.equal((await api.messages("5", "?fromIndex=1&toIndex=2")).status, 200);
    assert.equal((await api.create("5")).status, 409);
  });

  test("names that are events or too long, and bodies that are too large, are refused", async () => {
    for (const name of ["disconnect", "exception", "participants/3XX", "x".repeat(101), "a\nb", { a: 1 }]) {
      assert.equal((await api.create(name)).status, 400, JSON.stringify(name));
    }
    assert.equal((await api.create("big", "x".repeat(3_000_000))).status, 413);
    assert.equal((await api.call("DELETE", `${ROOMS}/%ff`)).status, 400);
  });

  test("a name may have any characters that an URL can carry", async () => {
    for (const name of ["a b", "ß/日本", "'; drop", "100%"]) {
      assert.equal((await api.create(name)).status, 201);
      assert.equal((await api.messages(encodeURIComponent(name), "?fromIndex=1&toIndex=2")).status, 200);
      assert.equal((await api.close(encodeURIComponent(name))).status, 204);
    }
  });
});

for (const [kind, connect] of Object.entries(CLIENTS)) {
  describe(`everybody hears, ${kind}`, () => {
    let server, api, a, b, c;
    const open = [];
    const come = async () => {
      const socket = await connect(server.host);
      open.push(socket);
      return { socket, inbox: inbox(socket), emit: (...args) => socket.emit(...args) };
    };
    const all = (expected, ...clients) => Promise.all(clients.map(async ({ inbox }) => assert.deepEqual(await inbox.next(), expected)));
    const entry = (username, connected = true, more = {}) => ({ roomId: "3XX", username, ...more, connected });
    before(async () => {
      server = await start("rooms_api", ["--memory", "--everybody"]);
      api = rest(server.host);
      await api.create("3XX");
      [a, b, c] = [await come(), await come(), await come()];
    });
    after(async () => {
      open.forEach((socket) => socket.disconnect());
      await server?.stop();
    });

    test("13: whoever joins is listed as connected, and everybody reads the list", async () => {
      a.emit("participants", { roomId: "3XX", username: "ann", avatar: "a.png" });
      await all(["participants/3XX", [entry("ann", true, { avatar: "a.png" })]], a, b, c);
      b.emit("participants", { roomId: "3XX", username: "bob", connected: false });
      await all(["participants/3XX", [entry("ann", true, { avatar: "a.png" }), entry("bob")]], a, b, c);
    });

    test("13: whoever joins again keeps its place", async () => {
      a.emit("participants", { roomId: "3XX", username: "ann", more: { x: 1 } });
      await all(["participants/3XX", [entry("ann", true, { more: { x: 1 } }), entry("bob")]], a, b, c);
    });

    test("14: a message has the server's order and nothing but its own members", async () => {
      a.emit("exchanges", { roomId: "3XX", username: "ann", content: "hi", createdAt: AT, avatar: "a.png", order: 99 });
      await all(["3XX", { order: 1, username: "ann", content: "hi", createdAt: AT }], a, b, c);
    });

    test("15: who has not joined may talk, and what is left out stays out", async () => {
      c.emit("exchanges", { roomId: "3XX", username: "mallory", content: "not joined" });
      await all(["3XX", { order: 2, username: "mallory", content: "not joined" }], a, b, c);
    });

    test("16: talking in an unknown room fails for the sender alone, who stays", async () => {
      a.emit("exchanges", { roomId: "nope", username: "ann", content: "hi" });
      await all(["exception", FAILED], a);
      assert.ok(a.socket.connected);
    });

    test("17: joining an unknown room ends the connection, without a word", async () => {
      const d = await come();
      const gone = new Promise((resolve) => d.socket.once("disconnect", resolve));
      d.emit("participants", { roomId: "nope", username: "dan" });
      assert.equal(await within(5000, gone, "the end"), "io server disconnect");
      assert.deepEqual(d.inbox.rest(), []);
    });

    test("18: no payload is an exception, an unknown event nothing", async () => {
      c.emit("unknown", { roomId: "3XX" });
      c.emit("participants");
      await all(["exception", FAILED], c);
      c.emit("exchanges");
      await all(["exception", FAILED], c);
      assert.ok(c.socket.connected);
    });

    test("19: who disconnects is listed as not connected", async () => {
      b.socket.disconnect();
      await all(["participants/3XX", [entry("ann", true, { more: { x: 1 } }), entry("bob", false)]], a, c);
      assert.deepEqual([...a.inbox.rest(), ...b.inbox.rest(), ...c.inbox.rest()], []);
    });

    test("20: messages are read by their order", async () => {
      const [first, second] = [{ order: 1, username: "ann", content: "hi", createdAt: AT }, { order: 2, username: "mallory", content: "not joined" }];
      assert.deepEqual((await api.messages("3XX", "?fromIndex=1&toIndex=20")).json, [first, second]);
      assert.deepEqual((await api.messages("3XX", "?fromIndex=2&toIndex=2")).json, [second]);
      assert.deepEqual((await api.messages("3XX", "?fromIndex=5&toIndex=9")).json, []);
    });

    test("21: a closed room takes no messages, and who was in it leaves unheard", async () => {
      assert.equal((await api.close("3XX")).status, 204);
      a.emit("exchanges", { roomId: "3XX", username: "ann", content: "late" });
      await all(["exception", FAILED], a);
      a.socket.disconnect();
      c.emit("exchanges");
      await all(["exception", FAILED], c);
      assert.deepEqual(c.inbox.rest(), []);
    });

    test("22: who was in a room that was closed and opened anew leaves, and the server lives", async () => {
      await api.create("again");
      const e = await come();
      e.emit("participants", { roomId: "again", username: "eve" });
      await all(["participants/again", [{ roomId: "again", username: "eve", connected: true }]], e, c);
      await api.close("again");
      await api.create("again");
      e.socket.disconnect();
      const f = await come();
      f.emit("participants", { roomId: "again", username: "fay" });
      await all(["participants/again", [{ roomId: "again", username: "fay", connected: true }]], f, c);
      assert.deepEqual((await api.messages("again", "?fromIndex=1&toIndex=2")).json, []);
    });
  });
}

describe("members alone hear", () => {
  let server, api;
  const open = [];
  const come = async (connect) => {
    const socket = await connect(server.host);
    open.push(socket);
    return { socket, inbox: inbox(socket) };
  };
  before(async () => {
    server = await start("rooms_api", ["--memory"]);
    api = rest(server.host);
    await api.create("hall");
  });
  after(async () => {
    open.forEach((socket) => socket.disconnect());
    await server?.stop();
  });

  test("13 to 15: old and new clients in a room hear each other, and whoever is outside neither hears nor talks", async () => {
    const [old, young, outside] = [await come(CLIENTS["socket.io 2 on websocket"]), await come(CLIENTS["socket.io 4"]), await come(CLIENTS["socket.io 2 on polling"])];
    const ann = { roomId: "hall", username: "ann", connected: true };
    const bob = { roomId: "hall", username: "bob", connected: true };
    old.socket.emit("participants", { roomId: "hall", username: "ann" });
    assert.deepEqual(await old.inbox.next(), ["participants/hall", [ann]]);
    young.socket.emit("participants", { roomId: "hall", username: "bob" });
    for (const each of [old, young]) assert.deepEqual(await each.inbox.next(), ["participants/hall", [ann, bob]]);
    old.socket.emit("exchanges", { roomId: "hall", username: "ann", content: "hi", createdAt: AT });
    for (const each of [old, young]) assert.deepEqual(await each.inbox.next(), ["hall", { order: 1, username: "ann", content: "hi", createdAt: AT }]);
    outside.socket.emit("exchanges", { roomId: "hall", username: "mallory", content: "not joined" });
    assert.deepEqual(await outside.inbox.next(), ["exception", { status: "error", message: "The access is forbidden" }]);
    young.socket.disconnect();
    assert.deepEqual(await old.inbox.next(), ["participants/hall", [ann, { ...bob, connected: false }]]);
    assert.deepEqual([...old.inbox.rest(), ...outside.inbox.rest()], []);
    assert.equal((await api.messages("hall", "?fromIndex=1&toIndex=9")).json.length, 1);
  });

  test("who was in a room that was closed does not hear the next of its name", async () => {
    await api.create("gone");
    const [before, after] = [await come(CLIENTS["socket.io 4"]), await come(CLIENTS["socket.io 2 on websocket"])];
    before.socket.emit("participants", { roomId: "gone", username: "ann" });
    await before.inbox.next();
    await api.close("gone");
    await api.create("gone");
    after.socket.emit("participants", { roomId: "gone", username: "bob" });
    assert.deepEqual(await after.inbox.next(), ["participants/gone", [{ roomId: "gone", username: "bob", connected: true }]]);
    before.socket.emit("exchanges");
    assert.deepEqual(await before.inbox.next(), ["exception", FAILED]);
  });

  test("who is in two rooms leaves both", async () => {
    for (const room of ["one", "two"]) await api.create(room);
    const [both, watcher] = [await come(CLIENTS["socket.io 2 on websocket"]), await come(CLIENTS["socket.io 4"])];
    const joins = async ({ socket, inbox }, roomId, username, count) => {
      socket.emit("participants", { roomId, username });
      for (;;) {
        const [event, list] = await inbox.next();
        if (event === `participants/${roomId}` && list.length === count) return;
      }
    };
    for (const roomId of ["one", "two"]) {
      await joins(both, roomId, "ann", 1);
      await joins(watcher, roomId, "bob", 2);
    }
    both.socket.disconnect();
    const lists = [await watcher.inbox.next(), await watcher.inbox.next()];
    assert.deepEqual(lists.map(([event, list]) => [event, list.find(({ username }) => username === "ann").connected]).sort(), [["participants/one", false], ["participants/two", false]]);
  });

  test("an answer that is asked for is given, empty", async () => {
    const it = await come(CLIENTS["socket.io 4"]);
    await api.create("asked");
    assert.equal(await ask(it.socket, "participants", { roomId: "asked", username: "ann" }), undefined);
    assert.equal((await ask(it.socket, "exchanges", { roomId: "nope" })).message, "Internal server error");
  });

  test("a plain WebSocket is a member like any other", async () => {
    await api.create("plain");
    const old = await come(CLIENTS["socket.io 2 on websocket"]);
    old.socket.emit("participants", { roomId: "plain", username: "ann" });
    await old.inbox.next();
    const ws = new WebSocket(`ws://${server.host}/`);
    const read = new Promise((resolve) => ws.once("message", (text) => resolve(JSON.parse(text))));
    await new Promise((resolve) => ws.once("open", resolve));
    ws.send(JSON.stringify({ event: "participants", data: { roomId: "plain", username: "web" } }));
    const { event, data } = await within(5000, read, "the list");
    assert.deepEqual([event, data.map(({ username }) => username)], ["participants/plain", ["ann", "web"]]);
    assert.deepEqual(await old.inbox.next(), ["participants/plain", data]);
    ws.close();
  });

  test("a flood of messages of several clients is read by all in one order", async () => {
    await api.create("flood");
    const clients = await Promise.all(Object.values(CLIENTS).map(come));
    for (const { socket } of clients) socket.emit("participants", { roomId: "flood", username: "x" });
    const orders = clients.map(() => []);
    clients.forEach(({ socket }) => { for (let n = 0; n < 25; n += 1) socket.emit("exchanges", { roomId: "flood", content: n }); });
    await Promise.all(clients.map(async ({ inbox }, at) => {
      while (orders[at].at(-1) !== 100) {
        const [event, message] = await inbox.next();
        if (event === "flood") orders[at].push(message.order);
      }
    }));
    for (const order of orders) assert.deepEqual(order, [...order].sort((x, y) => x - y));
    assert.equal((await api.messages("flood", "?fromIndex=1&toIndex=1000")).json.length, 100);
  });
});
