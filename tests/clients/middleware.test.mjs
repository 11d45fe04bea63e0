// Real clients against what the lab's flags put around its gateways, the same on ws and on Socket.IO.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, test } from "node:test";
import { Client, refusal } from "./support/client.mjs";
import { start, within } from "./support/server.mjs";
import * as socketio from "./support/socketio.mjs";

const SECRET = "a secret of the lab that is long enough";
const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function token(claims) {
  const now = Math.floor(Date.now() / 1000);
  const text = `${base64({ alg: "HS256", typ: "JWT" })}.${base64({ sub: "ada", exp: now + 60, ...claims })}`;
  return `${text}.${createHmac("sha256", SECRET).update(text).digest("base64url")}`;
}

/** A server for some tests. */
async function using(args, act) {
  const server = await start("lab", ["--doors", "ws,socketio,sse", ...args]);
  try {
    await act(server.host);
  } finally {
    await server.stop();
  }
}

/** How each client arrives with a token, asks, and leaves. `ask` resolves to the data or to the error. */
const clients = {
  async ws(host, bearer) {
    const client = await Client.open(`ws://${host}/ws`, {}, bearer ? ["bearer", bearer] : []);
    return {
      ask: async (event, data) => {
        const { data: answer, error } = await client.request(event, data);
        return error ?? answer;
      },
      next: async (event) => {
        for (;;) {
          const message = await client.next();
          if (message.event === event) return message.data;
        }
      },
      emit: (event, data) => client.send({ event, data }),
      closed: client.closed.then(({ code }) => code),
      close: () => client.close(),
    };
  },
  async socketio(host, bearer) {
    const socket = await socketio.connected(host, "/", { auth: bearer ? { token: bearer } : {} });
    const closed = new Promise((resolve) => socket.once("disconnect", resolve));
    return {
      ask: (event, ...args) => socketio.ask(socket, event, ...args),
      next: async (event) => (await socketio.next(socket, event))[0],
      emit: (event, data) => socket.emit(event, data),
      closed,
      close: () => socket.disconnect(),
    };
  },
};

const told = (message) => ({ status: "error", message });

for (const [door, open] of Object.entries(clients)) {
  describe(door, () => {
    test("rules, bounds, guards of rooms and failures are told", () =>
      using([], async (host) => {
        const client = await open(host);
        assert.equal(await client.ask("valid", { content: "0123456789" }), "0123456789");
        assert.deepEqual(await client.ask("valid", { content: "", more: 1 }), {
          ...told("Validation failed"),
          errors: [{ path: "more", message: "unknown field" }],
        });
        assert.deepEqual(await client.ask("small", "x".repeat(40)), told("The payload is larger than 32 bytes"));
        assert.deepEqual(await client.ask("shallow", [[[1]]]), told("The payload nests deeper than 2 levels"));
        assert.deepEqual(await client.ask("ask-to-join", "secret:den"), told("Forbidden resource"));
        assert.equal((await client.ask("ask-to-join", "lobby")) ?? null, null);
        assert.deepEqual(await client.ask("fail"), told("Internal server error"));
        await client.close();
      }));

    test("a token lets in, its role opens, and its end closes unless it is renewed", () =>
      using(["--jwt-secret", SECRET], async (host) => {
        const client = await open(host, token({ role: "admin" }));
        assert.equal(await client.ask("admin"), "for admins");
        await client.close();
        const soon = Math.floor(Date.now() / 1000) + 2;
        const [brief, renewed] = [await open(host, token({ exp: soon })), await open(host, token({ exp: soon }))];
        assert.deepEqual(await brief.ask("admin"), told("Forbidden resource"));
        assert.equal((await renewed.ask("auth.refresh", { token: token({}) })) ?? null, null);
        assert.match((await renewed.ask("auth.refresh", { token: token({ sub: "bob" }) })).message, /somebody else/);
        const end = await within(6000, brief.closed, "the end of the token");
        assert.ok([4401, "io server disconnect"].includes(end), String(end));
        assert.equal(await renewed.ask("whoami").then((id) => typeof id), "string");
        await renewed.close();
      }));

    test("a flood is told, another client goes on, and a flood without end is cut off", () =>
      using(["--rate", "50", "--rate-burst", "20", "--trusted-proxy", "127.0.0.0/8"], async (host) => {
        const flooder = await open(host);
        const answers = [];
        for (let n = 0; n < 30; n++) answers.push(await flooder.ask("echo", n));
        const refused = answers.filter((answer) => answer?.status === "error");
        assert.ok(refused.length >= 1, "nothing was refused");
        assert.deepEqual(refused[0], { ...told("Too many messages"), retryAfter: 1 });
        for (let n = 0; n < 500; n++) flooder.emit("echo", n);
        const end = await within(6000, flooder.closed, "the cut");
        assert.ok([1008, "io server disconnect"].includes(end), String(end));
      }));

    test("what hangs is answered, and who waits is told", () =>
      using(["--timeout-ms", "200", "--concurrency-per-client", "1", "--wrap"], async (host) => {
        const client = await open(host);
        assert.deepEqual(await client.ask("hang"), told("The handler took too long"));
        assert.deepEqual(await client.ask("echo", 7), { data: 7 });
        await client.close();
      }));

    test("errors are worded as the lab was told to", async () => {
      await using(["--errors", "event"], async (host) => {
        const client = await open(host);
        const event = client.next("error");
        client.emit("fail");
        assert.deepEqual(await event, told("Internal server error"));
        await client.close();
      });
      await using(["--errors", "development"], async (host) => {
        const client = await open(host);
        const event = client.next("error");
        client.emit("fail");
        assert.deepEqual((await event).detail, ["the lab was asked to fail"]);
        await client.close();
      });
    });
  });
}

test("a signed cookie lets in, and one that was touched does not", () =>
  using(["--cookie-secret", SECRET], async (host) => {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`http://${host}/session`, { method: "POST", headers, body: '{"name":"ada"}' });
    const cookie = answer.headers.get("set-cookie").split(";")[0];
    const client = await Client.open(`ws://${host}/ws`, { headers: { Cookie: cookie } });
    assert.equal((await client.request("echo", 1)).data, 1);
    await client.close();
    for (const headers of [{}, { Cookie: `${cookie}x` }, { Cookie: "sid=s%3Anobody.AAAA" }]) {
      assert.equal((await refusal(`ws://${host}/ws`, { headers })).status, 401, JSON.stringify(headers));
    }
  }));

test("too many connects of one address are refused with 429", () =>
  using(["--rate-connects", "3"], async (host) => {
    const open = await Promise.all([1, 2, 3].map(() => Client.open(`ws://${host}/ws`)));
    const { status, headers } = await refusal(`ws://${host}/ws`);
    assert.equal(status, 429);
    assert.ok(Number(headers["retry-after"]) >= 1);
    await Promise.all(open.map((client) => client.close()));
  }));

test("a scrape shows who is there and what was said, and no more names than were registered", () =>
  using(["--metrics"], async (host) => {
    const [ws, socket] = [await clients.ws(host), await clients.socketio(host)];
    for (const client of [ws, socket]) {
      assert.equal(await client.ask("echo", 1), 1);
      await client.ask("no such event of anybody");
      await client.ask("fail");
    }
    const page = await (await fetch(`http://${host}/metrics`)).text();
    const value = (line) => page.split("\n").find((found) => found.startsWith(line))?.split(" ").at(-1);
    assert.equal(value('narthex_connections{adapter="ws"}'), "1");
    assert.equal(value('narthex_connections{adapter="socketio"}'), "1");
    assert.equal(value('narthex_messages_received_total{event="echo",outcome="ok"}'), "2");
    assert.equal(value('narthex_messages_received_total{event="_unknown",outcome="not_found"}'), "2");
    assert.equal(value('narthex_messages_received_total{event="fail",outcome="internal"}'), "2");
    assert.match(page, /narthex_handler_duration_seconds_bucket\{event="echo",le="0.0005"\}/);
    assert.doesNotMatch(page, /no such event/);
    await Promise.all([ws.close(), socket.close()]);
  }));

test("a trace has the messages and whom they belong to, and never a token", async () => {
  const server = await start("lab", ["--trace", "--jwt-secret", SECRET]);
  const secret = token({ role: "admin" });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const [url, headers] of [
    [`ws://${server.host}/ws?token=${secret}`, { traceparent }],
    [`ws://${server.host}/ws`, { traceparent, Authorization: `Bearer ${secret}` }],
    [`ws://${server.host}/ws`, { traceparent, Cookie: `token=${secret}` }],
  ]) {
    const client = await Client.open(url, { headers });
    assert.equal((await client.request("admin")).data, "for admins");
    assert.ok((await client.request("fail")).error);
    await client.close();
  }
  await server.stop();
  // A terminal's colours stand between a name and its value.
  const log = server.log().replace(/\x1b\[[0-9;]*m/g, "");
  assert.match(log, /connection\{[^}]*trace_id=0af7651916cd43dd8448eb211c80319c/);
  assert.match(log, /message\{[^}]*event="?fail/);
  assert.match(log, /the lab was asked to fail/);
  assert.ok(!log.includes(secret.split(".")[2]), "the token is in the log");
});
