// Three pages on three doors of one server: the same gateway, one room.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ChatPage, launch } from "./support/browser.mjs";
import { start } from "./support/server.mjs";

const doors = { ws: "WebSocket", socketio: "Socket.IO", sse: "SSE" };
let server, browser;
let pages = {};

before(async () => {
  server = await start("chat", ["--memory"]);
  browser = await launch();
  for (const door of Object.keys(doors)) pages[door] = await ChatPage.open(browser, server.host, `via ${door}`, { door });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test("each page says which door it came through", async () => {
  for (const [door, name] of Object.entries(doors)) assert.equal(await pages[door].door(), name);
});

test("three pages on three doors are in one room and hear each other, each message once and in order", async () => {
  for (const page of Object.values(pages)) await page.join("hall");
  for (const page of Object.values(pages)) await page.members.getByText("In this room (3)").waitFor();
  const said = [];
  for (const [door, page] of Object.entries(pages)) {
    for (const n of [1, 2, 3]) {
      const text = `${n} from ${door}`;
      await page.send(text);
      said.push(text);
    }
  }
  for (const page of Object.values(pages)) {
    for (const text of said) await page.sees(text);
    const shown = await page.log.getByRole("listitem").allTextContents();
    assert.equal(shown.length, said.length);
    said.forEach((text, at) => assert.ok(shown[at].includes(text), `${shown[at]} at ${at}`));
  }
  await pages.sse.shot("doors");
});

test("a refusal reads the same behind each door", async () => {
  for (const page of Object.values(pages)) {
    await page.page.getByLabel("Join a room").fill("ü".repeat(65));
    await page.page.getByRole("button", { name: "Join", exact: true }).click();
    const alert = page.page.getByRole("alert");
    await alert.getByText("at most 128 bytes").waitFor();
    await alert.getByRole("button", { name: "Dismiss" }).click();
    await page.page.getByLabel("Join a room").fill("");
  }
});

test("a page that changes its door is back in its rooms", async () => {
  for (const door of ["sse", "socketio", "ws"]) {
    await pages.ws.page.getByLabel("Door").selectOption(door);
    await pages.ws.page.locator(`#connection[data-state=open][data-door="${doors[door]}"]`).waitFor();
    for (const page of Object.values(pages)) await page.members.getByText("In this room (3)").waitFor();
    await pages.ws.send(`now through ${door}`);
    await pages.sse.sees(`now through ${door}`);
  }
});

test("with WebSockets blocked the page works over SSE", async () => {
  const context = await browser.newContext();
  await context.routeWebSocket(/.*/, (socket) => socket.close());
  const page = await context.newPage();
  await page.addInitScript(() => {
    globalThis.WebSocket = class {
      constructor() {
        throw new Error("blocked");
      }
    };
  });
  const chat = new ChatPage(page);
  await page.goto(`http://${server.host}/?door=sse`);
  await page.getByLabel("Your name").fill("Blocked");
  await page.getByRole("button", { name: "Come in" }).click();
  await chat.connected();
  await chat.join("hall");
  await chat.send("no WebSocket here");
  await pages.socketio.sees("no WebSocket here");
  await context.close();
});

test("the pages did nothing wrong in all this", () => {
  assert.deepEqual(Object.values(pages).map((page) => page.faults), [[], [], []]);
});
