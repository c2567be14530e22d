/**
 * How a process and what it stands on are, and since when. Whoever asks is told how it is now. That
 * it has changed is noticed without anybody asking, by a look every two seconds, or what `since`
 * says would be when somebody asked first.
 */
import { probe, type Database } from "../db/database.ts";
import type { Fanout } from "../fanout/fanout.ts";
import type { Degraded, Readiness } from "../http/health-routes.ts";
import type { Housekeeping } from "../log/housekeeping.ts";
import type { Push } from "../push/push.ts";

type State = {
  /** `up`, or in a word what is wrong. */
  readonly state: string;
  /** Milliseconds since 1970, where it is known better than from looking. */
  readonly since?: number | undefined;
  readonly detail?: string;
};

type Look = () => State | Promise<State>;

export type Health = {
  check(): Promise<Readiness>;
  watchHousekeeping(housekeeping: Pick<Housekeeping, "overdue">): void;
  watchPush(push: Pick<Push, "health">): void;
  /** From now on it is not ready, whatever else it is. */
  drain(): void;
  stop(): void;
};

/** One `select 1`, and reads of memory. */
const lookEveryMs = 2_000;

const up: State = { state: "up" };

export function watchHealth({
  database,
  fanout,
}: {
  readonly database: Pick<Database, "sql">;
  readonly fanout: Pick<Fanout, "status">;
}): Health {
  const looks = new Map<string, Look>([
    ["database", () => lookAtDatabase(database)],
    ["fanout", () => lookAtFanout(fanout)],
  ]);
  /** The last that was seen of each. */
  const seen = new Map<string, { readonly state: string; readonly since: number }>();
  let draining = false;
  let looking = false;
  const timer = setInterval(() => void look(), lookEveryMs).unref();
  return {
    check,
    watchHousekeeping: (housekeeping) =>
      void looks.set("housekeeping", () => lookAtHousekeeping(housekeeping)),
    watchPush(push) {
      looks.set("leases", () => lookAtLeases(push));
      looks.set("outcomes", () => lookAtOutcomes(push));
    },
    drain: () => void (draining = true),
    stop: () => clearInterval(timer),
  };

  /** One at a time: a database that gives no answer has enough to do. */
  async function look(): Promise<void> {
    if (looking) return;
    looking = true;
    await check().finally(() => (looking = false));
  }

  async function check(): Promise<Readiness> {
    const now = Date.now();
    const found = await Promise.all(
      Array.from(looks, async ([component, ask]) => ({ component, ...(await ask()) })),
    );
    const degraded = found.flatMap(({ component, state, since, detail = "" }): Degraded[] => {
      const noted = note(component, state, since ?? now);
      return state === "up" ? [] : [{ component, state, since: since ?? noted, detail }];
    });
    const components = Object.fromEntries(found.map(({ component, state }) => [component, state]));
    return { ready: components["database"] === "up", draining, components, degraded };
  }

  /** Since when it has been in this state. */
  function note(component: string, state: string, now: number): number {
    const before = seen.get(component);
    if (before?.state === state) return before.since;
    seen.set(component, { state, since: now });
    return now;
  }
}

async function lookAtDatabase({ sql }: Pick<Database, "sql">): Promise<State> {
  const state = await probe(sql);
  return state === "up" ? up : { state, detail: "nothing can be appended, read or delivered" };
}

function lookAtFanout(fanout: Pick<Fanout, "status">): State {
  const { state, since } = fanout.status();
  const detail = "what other processes append arrives here about a second later";
  return { state, since, detail };
}

function lookAtHousekeeping(housekeeping: Pick<Housekeeping, "overdue">): State {
  const overdue = housekeeping.overdue();
  if (overdue.length === 0) return up;
  const since = Math.min(...overdue.map((each) => each.since));
  const chores = overdue.map(({ chore }) => chore).join(", ");
  return { state: "late", since, detail: `failing, or kept from its turn: ${chores}` };
}

/** A process that has no share of the shards holds its leases, too: of none. */
function lookAtLeases(push: Pick<Push, "health">): State {
  if (push.health().isLeased) return up;
  const detail = "nothing is pushed from here until they are renewed; others take them over";
  return { state: "lost", detail };
}

function lookAtOutcomes(push: Pick<Push, "health">): State {
  const { unwrittenSince: since } = push.health();
  if (since === undefined) return up;
  const detail = "outcomes of pushes cannot be written and wait in memory; beyond 20,000 pushes do";
  return { state: "backlogged", since, detail };
}
