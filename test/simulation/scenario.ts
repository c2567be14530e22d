/** What the scenarios share: how they are called, and how they end. */
import { countEverything, type Accounts } from "./check.ts";
import type { Load } from "./load.ts";
import type { FaultKind } from "./plan.ts";
import type { Asked } from "./replayers.ts";
import type { Check } from "./records.ts";
import { checksText, countsText, timesText } from "./report.ts";
import type { World } from "./world.ts";

export type ScenarioOptions = {
  readonly seed: number;
  /** Of what the scenario is about; a whole run takes about a minute more. */
  readonly seconds: number;
  readonly brokers: 1 | 3;
  /** Events a second, of all producers together. */
  readonly rate: number;
  /** The folder of another version of the program, for what begins with one. */
  readonly source: string | undefined;
  /** The faults that a plan has; all kinds when undefined. */
  readonly kinds?: readonly FaultKind[] | undefined;
  readonly say: (progress: string) => void;
  /** Hears of each broken promise as it is found. */
  readonly broken?: (check: Check, what: string) => void;
};

export type Scenario = {
  /** By which it is called on the command line. */
  readonly name: string;
  readonly what: string;
  readonly defaults: Pick<ScenarioOptions, "seconds" | "brokers" | "rate">;
  run(options: ScenarioOptions): Promise<Outcome>;
};

/** `broken` names the checks that found something. */
export type Outcome = { readonly report: string; readonly broken: readonly string[] };

/** Ends the load, lets everybody catch up, and counts. */
export async function conclude(
  world: World,
  load: Load,
  sections: readonly string[],
  asked: readonly Asked[] = [],
): Promise<Outcome> {
  await load.stop();
  const accounts: Accounts = await countEverything(world, asked);
  const parts = [...sections, countsText(world, accounts), timesText(world), checksText(world)];
  return { report: parts.join("\n\n"), broken: [...world.violations.all().keys()] };
}
