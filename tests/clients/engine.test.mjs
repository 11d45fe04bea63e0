// What lies below Socket.IO, by hand: sessions, their secrets, pings and bounds.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start } from "./support/server.mjs";
import { ask, connected, Engine, next, Poller, TRANSPORTS } from "./support/socketio.mjs";

const TIMES = ["--ping-interval-ms", "400", "--ping-timeout-ms", "400", "--connect-timeout-ms", "300"];

let server, quick;
before(async () => {
  server = await start("lab", ["--doors", "socketio"]);
  quick = await start("lab", ["--doors", "socketio", ...TIMES]);
});
after(async () => {
  await server?.stop();
  await quick?.stop();
});

test("the open packet has the keys of the protocol and no other", async () => {
  const polling = (await Poller.open(server.host)).open;
  const engine = new Engine(server.host);
  const websocket = JSON.parse((await engine.read()).slice(1));
  engine.ws.close();
  for (const [open, upgrades] of [[polling, ["websocket"]], [websocket, []]]) {
    const { sid, ...rest } = open;
    assert.deepEqual(rest, { upgrades, pingInterval: 25_000, pingTimeout: 10_000, maxPayload: 65_536 });
    assert.match(sid, /^[A-Za-z0-9_-]{22,}$/);
  }
});

test("no ping comes before the interval, on either transport", async () => {
  const engine = new Engine(quick.host);
  await engine.read();
  const opened = performance.now();
  engine.send("40");
  const packets = [];
  do packets.push(await engine.read()); while (packets.at(-1) !== "2");
  const waited = performance.now() - opened;
  engine.ws.close();
  assert.deepEqual(packets.map((packet) => packet.slice(0, 2)), ["40", "42", "2"]);
  assert.ok(waited > 350, `${waited} ms`);

  const poller = await Poller.open(quick.host);
  const begun = performance.now();
  assert.equal((await poller.post("40")).status, 200);
  const seen = [];
  while (!seen.includes("2")) seen.push(...(await poller.poll()).packets);
  const elapsed = performance.now() - begun;
  assert.deepEqual(seen.map((packet) => packet.slice(0, 2)), ["40", "42", "2"]);
  assert.ok(elapsed > 350, `${elapsed} ms`);
  await poller.post("1");
});

test("a peer that answers no ping is gone after its time, on either transport", async () => {
  const engine = new Engine(quick.host);
  await engine.read();
  engine.send("40");
  assert.equal(await engine.end(), undefined);
  const poller = await Poller.open(quick.host);
  await poller.post("40");
  let poll;
  do poll = await poller.poll(); while (poll.status === 200 && !/^[16]$/.test(poll.packets.at(-1)));
  assert.equal((await poller.post('42["echo"]')).status, 400);
});

test("a connection without a namespace is closed after its time, on either transport", async () => {
  const engine = new Engine(quick.host);
  const poller = await Poller.open(quick.host);
  await engine.end();
  let poll;
  do poll = await poller.poll(); while (poll.status === 200 && !/^[16]$/.test(poll.packets.at(-1)));
  assert.equal((await poller.post("40")).status, 400);
});

test("a public id opens nothing", async () => {
  for (const transports of Object.values(TRANSPORTS)) {
    const victim = await connected(server.host, "/", { transports });
    const game = victim.io.socket("/game/1");
    game.connect();
    await next(game, "connect");
    victim.on("message-back", () => assert.fail("somebody speaks in its name"));
    for (const sid of [victim.id, game.id, "", "AAAAAAAAAAAAAAAA", `${victim.io.engine.id}A`, victim.io.engine.id.slice(0, -1)]) {
      const url = `http://${server.host}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
      assert.equal((await fetch(url)).status, 400, `GET ${sid}`);
      assert.equal((await fetch(url, { method: "POST", body: '42["message","forged"]' })).status, 400, `POST ${sid}`);
      assert.equal(await new Engine(server.host, `&sid=${sid}`).end(), 400, `WebSocket ${sid}`);
    }
    assert.equal(await ask(victim, "echo", "mine"), "mine");
    victim.disconnect();
  }
});

test("the session's secret is told to its owner alone", async () => {
  const [one, other] = [await connected(server.host), await connected(server.host)];
  const seen = [];
  one.onAny((...args) => seen.push(args));
  await ask(one, "join", { room: "secret" });
  await ask(other, "join", { room: "secret" });
  const members = await ask(one, "members", { room: "secret" });
  assert.deepEqual(members.toSorted(), [one.id, other.id].toSorted());
  await ask(other, "publish", { room: "secret", data: await ask(other, "handshake") });
  await ask(one, "echo", 1);
  assert.ok(seen.length > 0);
  assert.ok(!JSON.stringify(seen).includes(other.io.engine.id));
  one.disconnect();
  other.disconnect();
});

test("a message beyond the bound closes its connection alone, on every transport", async () => {
  const other = await connected(server.host);
  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    const it = await connected(server.host, "/", { transports });
    const fits = "x".repeat(60_000);
    assert.equal(await ask(it, "echo", fits), fits, name);
    const gone = next(it, "disconnect");
    it.emit("echo", "x".repeat(70_000));
    assert.match((await gone)[0], /^transport/, name);
    const bytes = await connected(server.host, "/", { transports });
    const away = next(bytes, "disconnect");
    bytes.emit("message", Buffer.alloc(40_000), Buffer.alloc(40_000));
    await away;
  }
  assert.equal(await ask(other, "echo", 1), 1);
  other.disconnect();
});

test("requests that are none are refused", async () => {
  const url = (query) => `http://${server.host}/socket.io/${query}`;
  const cases = [
    ["?EIO=abc&transport=polling"], ["?transport=polling"], ["?EIO=4"], ["?EIO=4&transport=carrier"], ["?EIO=4&transport=websocket"],
    ["?EIO=4&transport=polling", { method: "POST" }], ["?EIO=4&transport=polling", { method: "PUT" }],
    ["?EIO=4&transport=polling", { method: "DELETE" }], ["?EIO=4&transport=polling&sid=%00"], [`?EIO=4&transport=polling&sid=${"A".repeat(5000)}`],
  ];
  for (const [query, options] of cases) assert.equal((await fetch(url(query), options)).status, 400, query);
});

test("pages of other origins are refused on every transport", async () => {
  const headers = { Origin: "https://evil.example" };
  assert.equal((await fetch(`http://${server.host}/socket.io/?EIO=4&transport=polling`, { headers })).status, 403);
  const poller = await Poller.open(server.host);
  assert.equal((await fetch(poller.url, { headers })).status, 403);
  assert.equal((await fetch(poller.url, { method: "POST", headers, body: "40" })).status, 403);
  await poller.post("1");
});

test("a second WebSocket with the same session is closed, and the first goes on", async () => {
  const it = await connected(server.host, "/", { transports: TRANSPORTS.upgrade });
  await new Engine(server.host, `&sid=${it.io.engine.id}`).end();
  assert.equal(await ask(it, "echo", 1), 1);
  it.disconnect();
});
