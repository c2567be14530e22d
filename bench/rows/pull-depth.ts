/**
 * Pages at random places of a log of 10,000,000 events, beside pages of a log of 100,000 in another
 * database of the same server, one request at a time, each page twice: the first time most of it
 * comes from outside Postgres's own buffers in the one and from within them in the other, the
 * second time from within them in both. The logs are filled by SQL with small events, for time and
 * space; `npm run trial -- depth` has large ones among other logs, and the plans.
 */
import { parseKeyRing } from "../../src/keyring.ts";
import { createCursors } from "../../src/log/cursor.ts";
import { figureOf, quantile, type Figure } from "../measure.ts";
import type { Rig } from "../rig.ts";
import type { Side } from "../side.ts";
import { createChance, type Chance } from "../trials/chance.ts";
import { seededFingerprint, seedLogs, settleDatabase } from "../trials/seed.ts";
import { costsOf, takeTurns } from "../turns.ts";
import { siteOf, type Row } from "./row.ts";

const deepEvents = 10_000_000;
const flatEvents = 100_000;
const days = 5;
const data = `{"order":"order_1042","amount":4200}`;

const pageSizes = [1_000, 100] as const;

/** Different ones of a turn of one second, of each size. */
const pagesPerSecond = 16;

const ratioTarget = 1.2;

/** What a cursor says of its filter when there is none. */
const everything = new Uint8Array(7);

export const pullDepth: Row = {
  name: "pull-depth",
  what: "pages at 10,000,000 stored events against 100,000, one reader, random places",
  effort: { rounds: 1.8 },
  async measure(rig, turns) {
    const deepSides = await rig.openSides({});
    const chance = createChance(1);
    const taken = await takeTurns(rig, turns, {
      async prepare(side) {
        const deepSide = deepSides.find(({ name }) => name === side.name);
        if (deepSide === undefined) throw new Error("there is no database for the deep log");
        const flat = await fillLog(side, flatEvents);
        return { flat, deep: await fillLog(deepSide, deepEvents) };
      },
      async turn({ prepared: { flat, deep }, seconds }) {
        const pages = Math.ceil(pagesPerSecond * seconds);
        const [long, short] = pageSizes;
        return {
          events: (long + short) * pages * 4,
          long: await readBoth(rig, { flat, deep, limit: long, pages, chance }),
          short: await readBoth(rig, { flat, deep, limit: short, pages, chance }),
        };
      },
    });
    const of = (part: "long" | "short", figure: "first" | "again" | "ms") => ({
      of: (turn: Record<"long" | "short", Read>) => turn[part][figure],
    });
    const ratio = { unit: "times", target: atMostTimes } as const;
    return {
      figures: [
        figureOf(taken, { name: "page of 1,000, p50", unit: "ms", ...of("long", "ms") }),
        figureOf(taken, { name: "first read, by 100 k", ...ratio, ...of("long", "first") }),
        figureOf(taken, { name: "read again, by 100 k", ...ratio, ...of("long", "again") }),
        figureOf(taken, { name: "page of 100, p50", unit: "ms", ...of("short", "ms") }),
        figureOf(taken, { name: "first read, by 100 k", ...ratio, ...of("short", "first") }),
        figureOf(taken, { name: "read again, by 100 k", ...ratio, ...of("short", "again") }),
      ],
      costs: costsOf(taken),
      notes: ["costs are those of the gateway with 100,000 events"],
    };
  },
};

/** Milliseconds of the deep log's first reads, and both kinds of reads by those of the flat one. */
type Read = { readonly ms: number; readonly first: number; readonly again: number };

type Log = {
  readonly site: ReturnType<typeof siteOf>;
  /** The cursors of a page somewhere in the log, none across midnight. */
  place(limit: number, chance: Chance): { limit: number; after: string; end: string };
};

async function fillLog(side: Side, events: number): Promise<Log> {
  const tenant = await side.createTenant("depth");
  // With the default every gigabyte would be written twice in the middle of the filling.
  await side.sql`alter system set max_wal_size = '4GB'`;
  await side.sql`select pg_reload_conf()`;
  const perDay = events / days;
  const log = await seedLogs(side.databaseUrl, { tenants: [tenant], days, perDay, data });
  await settleDatabase(side.databaseUrl);
  const cursors = createCursors(parseKeyRing(side.secrets));
  return { site: siteOf(side, tenant), place };

  function place(limit: number, chance: Chance) {
    const index = chance.below(days);
    const after = index * perDay + 1 + chance.below(perDay - limit);
    const cursorAt = (sequence: number) =>
      cursors.mint({
        ...{ tenant: tenant.id, position: { sequence, day: log.days[index] ?? "" } },
        ...{ fingerprint: seededFingerprint(sequence), filter: everything },
      });
    return { limit, after: cursorAt(after), end: cursorAt(after + limit) };
  }
}

async function readBoth(
  { workers }: Rig,
  given: { flat: Log; deep: Log; limit: number; pages: number; chance: Chance },
): Promise<Read> {
  const { flat, deep, limit, pages, chance } = given;
  const deepMs = await read(deep);
  const flatMs = await read(flat);
  return {
    ms: deepMs.first,
    first: deepMs.first / flatMs.first,
    again: deepMs.again / flatMs.again,
  };

  async function read({ site, place }: Log) {
    const reads = Array.from({ length: pages }, () => place(limit, chance));
    const twice = reads.flatMap((one) => [one, one]);
    const took = await workers.load.call("readEach", { ...site, reads: twice });
    const ofEvery = (odd: 0 | 1) =>
      quantile(
        took.filter((_, index) => index % 2 === odd),
        0.5,
      );
    return { first: ofEvery(0), again: ofEvery(1) };
  }
}

function atMostTimes({ gateway }: Figure) {
  return { text: `≤ ${ratioTarget}`, met: gateway.median <= ratioTarget };
}
