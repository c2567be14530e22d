import { expect, test } from "vitest";
import { createFaults } from "../../src/fanout/faults.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

test("every fault is counted, and each kind logged once in ten seconds with its number", () => {
  const lines: string[] = [];
  const log = createLogger({ level: "warn", destination: { write: (line) => lines.push(line) } });
  const faults = createFaults(log);
  for (let now = 0; now < 25_000; now += 10) faults.report("dropped", "not connected", now);
  faults.report("threw", new Error("at fault"), 25_000);
  expect(faults.counts()).toMatchObject({ dropped: 2_500, threw: 1, failed: 0 });
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { fault: "dropped", times: 1, reason: "not connected" },
    { fault: "dropped", times: 1_000, total: 1_001 },
    { fault: "dropped", times: 1_000, total: 2_001 },
    { fault: "threw", times: 1, err: { message: "at fault" } },
  ]);
});
