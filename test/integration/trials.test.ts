/**
 * The trials of `bench/`, at a size of seconds: each must work, and keep what it promises. Their
 * figures mean nothing here.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";

const program = fileURLToPath(new URL("../../bench/trial.ts", import.meta.url));

/** Several times what one takes on two busy cores. */
const deadlineMs = 90_000;

test.each([
  ...["locked", "keyed", "outage", "ndjson", "retention", "depth"],
  ...["textbook", "hung", "paced", "down", "behind", "spread", "killed", "idle"],
  ...["receipt", "replay", "inbox", "observed", "scrape", "undelivered", "grown"],
])("the trial %s keeps its promises", { timeout: deadlineMs }, async (name) => {
  const args = [name, "--small", "--server", inject("postgresUrl")];
  const trial = spawn(process.execPath, [program, ...args], { timeout: deadlineMs });
  const [stdout, stderr, [code]] = await Promise.all([
    text(trial.stdout),
    text(trial.stderr),
    once(trial, "close"),
  ]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
});
