/**
 * What is undelivered of the events of a window of time, of one tenant or of all: for each endpoint
 * an event that it matches is delivered, settled or skipped, or else it is counted here, once: being
 * retried, dead, or waiting. All is read in one transaction that sees one state of the tables, so
 * the counts add up.
 *
 * What waits for an endpoint without a filter is what lies beyond its position, by subtraction.
 * Where events have to be looked at there is a time for it; counts that it was too short for are
 * lower bounds, and `atMost` has the upper one.
 */
import type { Orm } from "../db/database.ts";
import type { TenantId } from "../log/event.ts";
import { search, type Found, type Search } from "./undelivered-runs.ts";
import {
  findRuns,
  summarize,
  type EndpointCounts,
  type Runs,
  type Summary,
  type SummaryLimits,
} from "./undelivered-statements.ts";
import {
  limitPlans,
  openWindow,
  seeSame,
  show,
  type EndpointView,
  type Execute,
  type Window,
} from "./undelivered-window.ts";

export const defaultLimits = {
  /** For all of it: what is left of it goes into looking at events, which many an answer needs none of, … */
  budgetMs: 70,
  /** … but at least so much. */
  lookingMs: 25,
  /** So few are looked at whatever the time: on a small installation all answers are exact. */
  littleEvents: 2_000,
  /** About 10 ms between two looks at the clock. */
  stepEvents: 8_000,
  /**
   * More than are under way at once: an endpoint has more outcomes beyond its position only when it
   * was moved back, or its consumer confirms out of order.
   */
  recorded: 1_000,
  /**
   * To look something up for each of more costs as much as to read it for all at once. Of fewer it is
   * read apart, since of a long day little may lie in the window.
   */
  manyTenants: 1_000,
  /** So many dead letters are read in the order of an index in the time in which one is looked up. */
  readPerLookup: 16,
};

export type Undelivered = {
  /** Milliseconds since 1970. */
  readonly asOf: number;
  readonly exact: boolean;
  /** Events, each once. */
  readonly events: number;
  /** Pairs of an event and an endpoint: those of the three kinds together. */
  readonly deliveries: number;
  /** Undefined when it is exact. */
  readonly atMost: number | undefined;
  readonly retrying: number;
  /** Of those that are being retried: accepted, and the receipt has not come. */
  readonly awaiting: number;
  readonly dead: number;
  /** Of those that are dead: gone before they could be tried again. */
  readonly expired: number;
  readonly waiting: number;
  /** The worst first. */
  readonly endpoints: readonly (EndpointView & UndeliveredOfEndpoint)[];
  /** Of which anything is undelivered, shown or not. */
  readonly endpointsTotal: number;
};

type UndeliveredOfEndpoint = Omit<EndpointCounts, "tenant" | "oldest"> & {
  readonly deliveries: number;
  readonly exact: boolean;
};

export type Asked = {
  /** All when undefined. */
  readonly tenant: TenantId | undefined;
  readonly windowSeconds: number;
  /** Endpoints that are shown. */
  readonly limit: number;
};

export type UndeliveredReader = ReturnType<typeof createUndeliveredReader>;

/**
 * With a second connection half of the work is done beside the other half: `connections` are how many
 * `orm` has. One reading at a time takes a second one, so that none waits for another in a circle.
 */
export function createUndeliveredReader(
  orm: Pick<Orm, "transaction">,
  given: Partial<typeof defaultLimits> & { readonly connections?: number } = {},
) {
  const { connections = 1, ...others } = given;
  const limits = { ...defaultLimits, ...others };
  let isBeside = false;
  return { read };

  function read({ tenant, windowSeconds, limit }: Asked): Promise<Undelivered> {
    return orm.transaction(async (transaction) => {
      const startedAt = performance.now();
      const window = await openWindow(transaction, tenant, {
        ...{ seconds: windowSeconds, manyTenants: limits.manyTenants },
      });
      const shown = { ...limits, shown: limit };
      let isSummarized = false;
      const [summary, { runs, searched }] = await together(
        (own) =>
          summarizeIn(own ?? transaction, window, shown).finally(() => {
            isSummarized = true;
          }),
        () => look(transaction, window, { ...shown, startedAt, isSummarized: () => isSummarized }),
        window,
      );
      const ranked = rank({ ...summary, runs }, searched);
      const worst = ranked.slice(0, limit);
      const views = await show(transaction, window, worst);
      return {
        ...{ asOf: window.asOf, ...sumUp(summary, searched) },
        endpoints: worst.flatMap((counts, index) => {
          const view = views[index];
          return view === undefined ? [] : [{ ...counts, ...view }];
        }),
      };
    }, readsOneState);
  }

  /** `first` in a transaction of its own, which sees the same, or before `second`. */
  async function together<First, Second>(
    first: (own?: Execute) => Promise<First>,
    second: () => Promise<Second>,
    window: Window,
  ): Promise<[First, Second]> {
    if (isBeside || connections < 2) {
      const done = await first();
      return [done, await second()];
    }
    isBeside = true;
    const beside = orm.transaction(async (own) => {
      await seeSame(own, window);
      return await first(own);
    }, readsOneState);
    const [one, other] = await Promise.allSettled([beside, second()]);
    isBeside = false;
    // Before what became of the other: with it goes the state that the other was to see.
    if (other.status === "rejected") throw other.reason;
    if (one.status === "rejected") throw one.reason;
    return [one.value, other.value];
  }

  async function look(
    transaction: Execute,
    window: Window,
    { startedAt, isSummarized, ...shown }: typeof limits & Looking,
  ) {
    await limitPlans(transaction, { rowByRow: false });
    const found = await findRuns(transaction, window, shown);
    // What follows joins a few rows with tables, of which all would be read otherwise.
    await limitPlans(transaction, { rowByRow: true });
    const lookUntil = performance.now() + limits.lookingMs;
    const deadline = Math.max(startedAt + limits.budgetMs, lookUntil);
    return {
      runs: found.runs,
      searched: await search(transaction, found, {
        ...limits,
        // Before the other half is done there is no answer anyhow.
        hasTime: () => performance.now() < deadline || !isSummarized(),
      }),
    };
  }
}

type Looking = {
  readonly shown: number;
  readonly startedAt: number;
  readonly isSummarized: () => boolean;
};

const readsOneState = { isolationLevel: "repeatable read", accessMode: "read only" } as const;

async function summarizeIn(
  transaction: Execute,
  window: Window,
  limits: SummaryLimits,
): Promise<Summary> {
  await limitPlans(transaction, { rowByRow: false });
  return await summarize(transaction, window, limits);
}

function sumUp({ totals, endpoints }: Summary, { found, events }: Search) {
  const { retrying, awaiting, dead, expired, undelivered } = totals;
  const all = Array.from(found.values());
  const waiting = all.reduce((sum, each) => sum + each.waiting, totals.waiting);
  const unknown = all.reduce((sum, each) => sum + each.unknown, 0);
  const deliveries = retrying + dead + waiting;
  const exact = unknown === 0;
  const counted = new Set(endpoints.map(({ endpoint }) => endpoint));
  const others = Array.from(found).filter(([id, { waiting: n }]) => n > 0 && !counted.has(id));
  return {
    ...{ exact, events: undelivered + events, deliveries, retrying, awaiting, dead, expired },
    ...{ waiting, atMost: exact ? undefined : deliveries + unknown },
    endpointsTotal: totals.endpoints + others.length,
  };
}

/** Those of the summary with what was found of them; an endpoint with nothing is not told. */
function rank({ endpoints, runs }: Summary & Pick<Runs, "runs">, { found }: Search) {
  const all = new Map(endpoints.map((each) => [each.endpoint, each]));
  for (const { tenant, endpoint } of runs) {
    if (all.has(endpoint)) continue;
    const none = { retrying: 0, awaiting: 0, dead: 0, expired: 0, waiting: 0, oldest: null };
    all.set(endpoint, { tenant, endpoint, ...none });
  }
  return Array.from(all.values(), (counts) => withFound(counts, found.get(counts.endpoint)))
    .filter(({ deliveries, exact }) => deliveries > 0 || !exact)
    .toSorted((a, b) => b.deliveries - a.deliveries || (a.endpoint < b.endpoint ? -1 : 1));
}

function withFound({ oldest, ...counts }: EndpointCounts, found: Found | undefined) {
  const waiting = counts.waiting + (found?.waiting ?? 0);
  const first = Math.min(oldest ?? Infinity, found?.oldest ?? Infinity);
  return {
    ...{ ...counts, waiting, deliveries: counts.retrying + counts.dead + waiting },
    exact: (found?.unknown ?? 0) === 0,
    oldest: first === Infinity ? undefined : first,
  };
}
