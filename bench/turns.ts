/**
 * Turns. The other version, the gateway and the bare operation take them, A B C A B C …, so that
 * whatever else the machine does falls on all of them; a ratio is made of two neighbouring turns,
 * and what is told is the median of the turns and how far they spread.
 */
import { summarizeCosts, type Cost } from "./cost.ts";
import type { Costs, Taken } from "./measure.ts";
import type { Rig } from "./rig.ts";
import type { Side } from "./side.ts";

export type Turns = {
  /** Those that count. One goes before them and does not. */
  readonly rounds: number;
  /** Of one turn. */
  readonly seconds: number;
};

/** What a turn tells at least: by this many events its cost is divided. */
type Counted = {
  readonly events: number;
  /** What is left to do then, and counts for nothing. */
  readonly after?: () => Promise<void>;
};

type At<Prepared> = { readonly side: Side; readonly prepared: Prepared; readonly seconds: number };

export type WithCost = { readonly cost: Cost };

/** Enough to open connections, plan statements and compile what is hot. */
const warmUpMinSeconds = 1.5;

/**
 * Lets each side prepare (its tenants, what its log holds), and then all take their turns. The
 * bare operation is done with what the gateway of this checkout prepared. A turn's cost counts from its
 * start, or from where it says that it begins.
 */
export async function takeTurns<Turn extends Counted, Bare = never, Prepared = void>(
  rig: Rig,
  { rounds, seconds }: Turns,
  given: {
    prepare: (side: Side) => Promise<Prepared>;
    turn: (at: At<Prepared> & { begin: () => Promise<void> }) => Promise<Turn>;
    bare?: (at: At<Prepared>) => Promise<Bare>;
  },
): Promise<Taken<Turn & WithCost, Bare>> {
  const contestants: { side: Side; prepared: Prepared; turns: (Turn & WithCost)[] }[] = [];
  for (const side of rig.sides) {
    contestants.push({ side, prepared: await given.prepare(side), turns: [] });
  }
  const current = contestants.at(-1);
  if (current === undefined) throw new Error("there is no gateway to measure");
  const bare: Bare[] = [];
  await takeRound(Math.min(seconds, warmUpMinSeconds));
  for (const { turns } of contestants) turns.length = 0;
  bare.length = 0;
  for (let round = 0; round < rounds; round += 1) await takeRound(seconds);
  const before = contestants.length > 1 ? (contestants[0]?.turns ?? []) : [];
  return { gateway: current.turns, before, bare };

  async function takeRound(lasting: number): Promise<void> {
    for (const { side, prepared, turns } of contestants) {
      let costOf = await side.meter.start();
      const begin = async () => {
        costOf = await side.meter.start();
      };
      const turn = await given.turn({ side, prepared, seconds: lasting, begin });
      turns.push({ ...turn, cost: await costOf(turn.events) });
      await turn.after?.();
    }
    if (given.bare !== undefined && current !== undefined) {
      bare.push(await given.bare({ ...current, seconds: lasting }));
    }
  }
}

export function costsOf({ gateway, before }: Taken<WithCost, unknown>): Costs {
  return {
    gateway: summarizeCosts(gateway),
    ...(before.length > 0 && { before: summarizeCosts(before) }),
  };
}
