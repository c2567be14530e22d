import { expect, test } from "vitest";
import { createLogger, nextLevel } from "../../src/telemetry/logger.ts";

test("secrets and authorization headers never reach the log", () => {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const log = createLogger({ level: "info", destination });
  log.info(
    {
      endpoint: { id: "ep_1", secret: "whsec_hidden" },
      request: { headers: { authorization: "Bearer hidden", accept: "*/*" } },
      operatorKey: "tg_op_hidden",
    },
    "attempt",
  );
  expect(written.join("")).not.toContain("hidden");
  expect(JSON.parse(written[0] ?? "")).toMatchObject({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    endpoint: { id: "ep_1" },
    request: { headers: { accept: "*/*" } },
    msg: "attempt",
  });
});

test("lines below the level are not written", () => {
  const written: string[] = [];
  const log = createLogger({
    level: "warn",
    destination: { write: (line: string) => void written.push(line) },
  });
  log.info("quiet");
  log.warn("loud");
  expect(written).toHaveLength(1);
});

test("a logger's children, made before or after, follow its level", () => {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const log = createLogger({ level: "info", destination });
  const child = log.child({ tenant: "acme" });
  const grandchild = child.child({ endpoint: "ep_1" });
  grandchild.debug("not yet");
  log.level = "debug";
  grandchild.debug({ attempt: 1 }, "told");
  child.debug("told");
  expect(child.isLevelEnabled("debug")).toBe(true);
  log.level = "warn";
  grandchild.info("no more");
  expect(written.map((line) => JSON.parse(line) as object)).toMatchObject([
    { tenant: "acme", endpoint: "ep_1", attempt: 1, msg: "told" },
    { tenant: "acme", msg: "told" },
  ]);
});

test("an error is told with what caused it, without what it quotes", () => {
  const written: string[] = [];
  const destination = { write: (line: string) => void written.push(line) };
  const log = createLogger({ level: "info", destination });
  const invalid = Object.assign(new Error('invalid input syntax for type uuid: "hidden"'), {
    ...{ name: "PostgresError", code: "22P02", detail: "hidden" },
  });
  const query = { query: "select $1", params: ["hidden"] };
  const statement = Object.assign(new Error("Failed: select hidden", { cause: invalid }), query);
  log.error({ err: new Error("not appended", { cause: statement }) }, "append");
  log.error({ err: null }, "append");
  expect(written.join("")).not.toContain("hidden");
  expect(written.map((line) => (JSON.parse(line) as { err: unknown }).err)).toMatchObject([
    { type: "Error", message: 'not appended: invalid input syntax for type uuid: "…"' },
    null,
  ]);
});

test.each([
  ["info", ["debug", "trace", "info", "debug"]],
  ["debug", ["trace", "debug"]],
  ["trace", ["trace"]],
  ["silent", ["debug", "trace", "silent"]],
])("the level goes round from %s, and tells more each time", (configured, steps) => {
  let level = configured;
  for (const step of steps) expect((level = nextLevel(configured, level))).toBe(step);
});
