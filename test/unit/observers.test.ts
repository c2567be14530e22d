import { expect, test } from "vitest";
import { createLogger } from "../../src/telemetry/logger.ts";
import { tellAll } from "../../src/telemetry/observers.ts";

test("an observer that fails is logged, and neither others nor whoever tells notice", () => {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ level: "error", destination });
  const told: string[] = [];
  const fails = () => {
    throw new Error("at fault");
  };
  const observers = [(report: string) => told.push(`1 ${report}`), fails];
  tellAll([...observers, (report: string) => told.push(`2 ${report}`)], "a", log);
  expect(told).toEqual(["1 a", "2 a"]);
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { msg: "an observer failed", err: { message: "at fault" } },
  ]);
});
