import { expect, test } from "vitest";
import { createLogger } from "../../src/telemetry/logger.ts";

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
