#!/usr/bin/env node
/**
 * The command `tidegate`. In a package it runs what was compiled to dist/, in a clone the
 * TypeScript of src/, which takes a current Node: when the one at hand is older, the command goes on
 * in the one that npm has installed beside it (the package `node`).
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** What the gateway needs, and what runs TypeScript. */
const wantedMajor = 24;

/** With this the compiled command line is content, but for the gateway in it. */
const leastMajor = 20;

const compiled = new URL("../dist/cli/tidegate.js", import.meta.url);
const source = new URL("../src/cli/tidegate.ts", import.meta.url);
// Of a clone dist/ may be older than src/.
const isCompiled = !existsSync(source);

const major = Number(process.versions.node.split(".")[0]);
const other = major < wantedMajor ? findNode() : undefined;
if (other !== undefined) {
  goOn(other);
} else if (major >= (isCompiled ? leastMajor : wantedMajor)) {
  const { run } = await import(isCompiled ? compiled : source);
  await run(process.argv.slice(2));
} else {
  process.stderr.write(
    `tidegate: Node ${process.versions.node} is too old. \`npm install\` brings one along, where ` +
      `install scripts may run; or install Node ${wantedMajor}.\n`,
  );
  process.exitCode = 1;
}

/** Its install script may not have been allowed to run: then there is none. */
function findNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json");
    const name = process.platform === "win32" ? "node.exe" : "node";
    const path = join(dirname(manifest), "bin", name);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function goOn(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // Ctrl-C in a terminal reaches both, and the child decides. What is sent to this process alone is
  // handed on.
  const inTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  process.on("SIGINT", () => inTerminal || child.kill("SIGINT"));
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    process.stderr.write(`tidegate: ${node} does not start: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    // As a shell tells that a signal has ended a program.
    process.exitCode = code ?? 128 + (signal === "SIGKILL" ? 9 : 15);
  });
}
