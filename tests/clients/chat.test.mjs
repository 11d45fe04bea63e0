// The chat's page in a real browser: two people, two windows, one server that goes away once.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { ChatPage, launch } from "./support/browser.mjs";
import { start } from "./support/server.mjs";

const folder = mkdtempSync(join(tmpdir(), "narthex-chat-"));
const args = ["--db", join(folder, "chat.redb"), "--staff-password", "open sesame"];
let server, browser, ada, bob;

before(async () => {
  server = await start("chat", args);
  browser = await launch();
  ada = await ChatPage.open(browser, server.host, "Ada");
  bob = await ChatPage.open(browser, server.host, "Bob", { colorScheme: "dark" });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("two people see each other in a room", async () => {
  await ada.join("garden");
  await bob.join("garden");
  for (const chat of [ada, bob]) await chat.members.getByText("In this room (2)").waitFor();
  await ada.members.getByText("Ada (you)").waitFor();
  await ada.members.getByRole("button", { name: "Bob" }).waitFor();
});

test("a message is seen by both", async () => {
  await ada.send("Good morning, Bob");
  await bob.sees("Good morning, Bob");
  await bob.send("Good morning!\nHow are the roses?");
  await ada.sees("Good morning!\nHow are the roses?");
  assert.equal(await ada.log.getByRole("listitem").count(), 2);
});

test("who types is seen typing until the message is there", async () => {
  await bob.write("They bl");
  await ada.page.getByText("Bob is typing…").waitFor();
  await bob.shot("dark");
  await bob.send("They bloom");
  await ada.sees("They bloom");
  await ada.page.getByText("Bob is typing…").waitFor({ state: "detached" });
});

test("a click on a member opens a private conversation", async () => {
  await ada.members.getByRole("button", { name: "Bob" }).click();
  await ada.page.getByRole("heading", { name: "Bob", exact: true }).waitFor();
  await ada.send("Between us");
  const entry = bob.conversations.getByRole("button", { name: "Ada" });
  await entry.getByText("1 unread").waitFor();
  await entry.click();
  await bob.sees("Between us");
  await bob.send("Of course");
  await ada.sees("Of course");
  await ada.shot("private");
  for (const chat of [ada, bob]) await chat.conversations.getByRole("button", { name: "garden" }).click();
  assert.equal(await ada.log.getByText("Between us").count(), 0);
});

test("what looks like HTML is text wherever it is shown", async () => {
  const html = '<img src=x onerror="globalThis.hacked=1"><b>bold</b>';
  const mallory = await ChatPage.open(browser, server.host, "<img src=x onerror=hacked=1>");
  await mallory.join("garden");
  await mallory.send(html);
  await ada.sees(html);
  await ada.members.getByText("<img src=x onerror=hacked=1>").waitFor();
  await ada.join("<i>room</i>");
  await ada.conversations.getByText("<i>room</i>").waitFor();
  await ada.page.getByRole("button", { name: "Leave room" }).click();
  assert.equal(await ada.page.locator("#chat :is(b, i, #log img, #members img)").count(), 0);
  assert.equal(await ada.page.evaluate(() => globalThis.hacked), undefined);
  assert.deepEqual(mallory.faults, []);
  await mallory.page.context().close();
  await ada.members.getByText("In this room (2)").waitFor();
});

test("what the server refuses is shown", async () => {
  await ada.page.getByLabel("Join a room").fill("ü".repeat(65));
  await ada.page.getByRole("button", { name: "Join", exact: true }).click();
  const alert = ada.page.getByRole("alert");
  await alert.getByText("at most 128 bytes").waitFor();
  await ada.shot("refused");
  await alert.getByRole("button", { name: "Dismiss" }).click();
  await ada.page.getByLabel("Join a room").fill("");
});

test("a room for the staff is for those alone who have the password", async () => {
  await ada.page.getByLabel("Join a room").fill("staff:desk");
  await ada.page.getByRole("button", { name: "Join", exact: true }).click();
  const alert = ada.page.getByRole("alert");
  await alert.getByText("this room is for the staff").waitFor();
  await alert.getByRole("button", { name: "Dismiss" }).click();
  await ada.page.getByLabel("Join a room").fill("");
  const boss = await ChatPage.open(browser, server.host, "Boss", { password: "open sesame" });
  await boss.join("staff:desk");
  assert.deepEqual(boss.faults, []);
  await boss.page.context().close();
});

test("a page renews its token, so that it outlives many", async () => {
  const short = await start("chat", ["--memory", "--token-seconds", "6"]);
  const page = await ChatPage.open(browser, short.host, "Methuselah");
  const states = await page.page.evaluateHandle(() => {
    const states = [];
    const connection = document.getElementById("connection");
    new MutationObserver(() => states.push(connection.dataset.state)).observe(connection, { attributes: true });
    return states;
  });
  for (let n = 0; n < 3; n++) await page.page.waitForResponse((answer) => answer.url().endsWith("/refresh") && answer.ok());
  await page.join("old age");
  assert.deepEqual(await states.jsonValue(), []);
  assert.deepEqual(page.faults, []);
  await page.page.context().close();
  await short.stop();
});

test("after the server was away, the page is back in its rooms, and nothing is lost or twice", async () => {
  await server.stop();
  await ada.page.getByRole("status").getByText("Connection lost").waitFor();
  await ada.shot("lost");
  server = await start("chat", args, server.host);
  for (const chat of [ada, bob]) {
    await chat.connected();
    await chat.members.getByText("In this room (2)").waitFor();
  }
  await ada.send("Still here?");
  await bob.sees("Still here?");
  assert.equal(await bob.log.getByRole("listitem").count(), 5);
  const late = await ChatPage.open(browser, server.host, "Cleo", { viewport: { width: 390, height: 780 } });
  await late.join("garden");
  await late.sees("Good morning, Bob");
  assert.equal(await late.log.getByRole("listitem").count(), 5);
  assert.ok(await late.fits(), "nothing is cut off on a phone");
  await ada.shot("back");
  await late.shot("narrow");
  await late.page.context().close();
});

test("who leaves a room hears no more of it", async () => {
  await bob.page.getByRole("button", { name: "Leave room" }).click();
  await ada.members.getByText("In this room (1)").waitFor();
  await ada.send("Anybody?");
  await bob.page.getByRole("heading", { name: "Everyone" }).waitFor();
  await bob.send("To all");
  await ada.conversations.getByRole("button", { name: "Everyone" }).getByText("1 unread").waitFor();
  assert.equal(await bob.conversations.getByRole("button", { name: "garden" }).count(), 0);
  await ada.shot("light");
});

test("the page did nothing wrong in all this", () => {
  assert.deepEqual([ada.faults, bob.faults], [[], []]);
});
