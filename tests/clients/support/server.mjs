// Starts an example's binary and ends it again, by its own process id and no other.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const target = fileURLToPath(new URL("../../../target/", import.meta.url));

/** The binary of an example: what the environment says (NARTHEX_CHAT, NARTHEX_LAB), else what was built. */
function binary(example) {
  const named = process.env[`NARTHEX_${example.toUpperCase()}`];
  const places = named ? [named] : ["debug", "release"].map((profile) => `${target}${profile}/examples/${example}`);
  const found = places.find((place) => existsSync(place));
  if (!found) throw new Error(`no binary: run "cargo build --example ${example}" first (looked at ${places})`);
  return found;
}

/** A server that runs. `host` is "127.0.0.1:port"; `said` are the lines that it wrote before it was ready. */
export async function start(example, args = [], addr = "127.0.0.1:0") {
  const child = spawn(binary(example), ["--addr", addr, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const said = [];
  let log = "";
  child.stderr.on("data", (text) => (log = (log + text).slice(-20_000)));
  const ready = (async () => {
    for await (const line of createInterface(child.stdout)) {
      if (line.startsWith("ready ")) return line.slice("ready ".length).trim();
      said.push(line);
    }
    throw new Error(`${example} ended before it was ready\n${log}`);
  })();
  const host = await within(20_000, ready, `${example} to be ready`).catch((error) => {
    child.kill("SIGKILL");
    throw error;
  });
  child.stdout.resume();
  return {
    host,
    said,
    log: () => log,
    /** Asks it to stop, as a service manager would, and returns its exit code. */
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGKILL"), 15_000);
      const [code] = await exited;
      clearTimeout(forced);
      return code;
    },
  };
}

/** The promise, or an error that says what was awaited in vain. */
export async function within(milliseconds, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${milliseconds} ms for ${what}`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
