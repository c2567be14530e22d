/**
 * The trials of `bench/`, at a size of seconds: each must work, and keep what it promises. And a few
 * rows of the benchmark, which must work. Their figures mean nothing here.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";

/** Several times what one takes on two busy cores. */
const deadlineMs = 90_000;

test.each([
  ...["locked", "keyed", "outage", "ndjson", "retention", "depth"],
  ...["textbook", "hung", "paced", "down", "behind", "spread", "killed", "idle"],
  ...["receipt", "replay", "inbox", "observed", "scrape", "undelivered", "grown", "portal"],
])("the trial %s keeps its promises", { timeout: deadlineMs }, async (name) => {
  await run("trial.ts", name, "--small");
});

test("rows of the benchmark are measured", { timeout: deadlineMs }, async () => {
  const rows = ["append-single-100-tenants", "push-1-to-20", "pull"];
  const said = await run("bench.ts", ...rows, "--rounds", "1", "--seconds", "0.1");
  for (const row of rows) expect(said).toMatch(new RegExp(`^${row} +throughput`, "m"));
});

/** Ends well, or tells all that was said. */
async function run(program: string, ...args: string[]): Promise<string> {
  const path = fileURLToPath(new URL(`../../bench/${program}`, import.meta.url));
  const given = [path, ...args, "--server", inject("postgresUrl")];
  const running = spawn(process.execPath, given, { timeout: deadlineMs });
  const [stdout, stderr, [code]] = await Promise.all([
    text(running.stdout),
    text(running.stderr),
    once(running, "close"),
  ]);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return stdout;
}
