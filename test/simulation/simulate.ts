/**
 * `npm run simulate`: see chaos.ts. Ends with 1 when a promise was broken; the same seed brings the
 * same schedule of faults.
 *
 *     npm run simulate -- --minutes 30 --seed 7
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { runChaos } from "./chaos.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string", default: String(randomInt(1, 1_000_000)) },
    brokers: { type: "string", default: "3" },
    rate: { type: "string", default: "100" },
  },
});
const startedAt = performance.now();
const { report, broken } = await runChaos({
  seed: Number(values.seed),
  seconds: Number(values.minutes) * 60,
  brokers: values.brokers === "1" ? 1 : 3,
  rate: Number(values.rate),
  say(progress) {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stderr.write(`${seconds.padStart(7)} s  ${progress}\n`);
  },
});
process.stdout.write(`${report}\n`);
process.exit(broken.length > 0 ? 1 : 0);
