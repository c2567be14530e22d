/**
 * The simulation in small. Goal and method: see chaos.ts; `npm run simulate` runs it at length, and
 * the scenarios beside it.
 */
import { expect, test } from "vitest";
import { chaos } from "./chaos.ts";
import { faultKinds, planFaults } from "./plan.ts";

/** In which every kind comes. */
const seconds = 30;

const seed = Number(process.env["TEST_SIMULATION_SEED"] ?? 5);

test(`nothing is lost whatever fails (seed ${seed})`, { timeout: 400_000 }, async () => {
  const progress: string[] = [];
  const { report, broken } = await chaos.run({
    ...{ ...chaos.defaults, seed, seconds, brokers: 1, source: undefined },
    say: (line) => progress.push(line),
  });
  expect(broken, `seed ${seed}\n${progress.join("\n")}\n\n${report}`).toEqual([]);
});

const options = { seed, seconds, gateways: 4, brokers: 3, tenants: 3 };

test("the seed decides the schedule of the faults", () => {
  expect(planFaults(options)).toEqual(planFaults(options));
  expect(planFaults({ ...options, seed: seed + 1 })).not.toEqual(planFaults(options));
});

test("every kind of fault comes, at different moments, and ends in time", () => {
  const faults = planFaults(options);
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
  expect(faults.every(({ atMs, forMs }) => atMs + forMs <= seconds * 1_000)).toBe(true);
  expect(faults.map(({ atMs }) => atMs)).toEqual(
    faults.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
  );
});
