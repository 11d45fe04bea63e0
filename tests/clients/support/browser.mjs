// A headless Chromium, and pages of the chat in it.

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const shots = process.env.NARTHEX_SHOTS ?? mkdtempSync(join(tmpdir(), "narthex-shots-"));

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A page of the chat, with the words of its interface. `faults` is what the page itself did wrong. */
export class ChatPage {
  faults = [];

  constructor(page) {
    this.page = page;
    this.log = page.getByRole("log");
    this.members = page.getByRole("complementary");
    this.conversations = page.getByRole("navigation");
    page.setDefaultTimeout(10_000);
    page.on("pageerror", (error) => this.faults.push(String(error)));
    page.on("console", (message) => {
      // A browser reports each connection that fails, and each login of a page that a new server does not know: no fault of the page.
      const connecting = message.text().startsWith("WebSocket connection") || /\/(login|refresh)$/.test(message.location().url);
      if (message.type() === "error" && !connecting) this.faults.push(message.text());
    });
  }

  /** Opens the chat in a browser of its own and comes in. */
  static async open(browser, host, name, { door = "ws", password, ...options } = {}) {
    const context = await browser.newContext({ viewport: { width: 1200, height: 760 }, ...options });
    const chat = new ChatPage(await context.newPage());
    await chat.page.goto(`http://${host}/?door=${door}`);
    await chat.page.getByLabel("Your name").fill(name);
    if (password) {
      await chat.page.getByText("I belong to the staff").click();
      await chat.page.getByLabel("Staff password").fill(password);
    }
    await chat.page.getByRole("button", { name: "Come in" }).click();
    await chat.connected();
    return chat;
  }

  connected() {
    return this.page.getByRole("status").getByText("Connected", { exact: true }).waitFor();
  }

  /** The door that the page says it is behind. */
  door() {
    return this.page.getByRole("status").getAttribute("data-door");
  }

  async join(room) {
    await this.page.getByLabel("Join a room").fill(room);
    await this.page.getByRole("button", { name: "Join", exact: true }).click();
    await this.page.getByRole("heading", { name: room, exact: true }).waitFor();
  }

  write(text) {
    return this.page.getByLabel("Message", { exact: true }).pressSequentially(text);
  }

  async send(text) {
    await this.page.getByLabel("Message", { exact: true }).fill(text);
    await this.page.getByRole("button", { name: "Send" }).click();
    await this.sees(text);
  }

  /** Waits until the conversation shows a message, and for exactly one. */
  sees(text) {
    return this.log.getByText(text, { exact: true }).waitFor();
  }

  /** Whether the page is no wider than its window. */
  fits() {
    return this.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  }

  async shot(name) {
    mkdirSync(shots, { recursive: true });
    await this.page.screenshot({ path: join(shots, `${name}.png`) });
  }
}
