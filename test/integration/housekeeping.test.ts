/** Who keeps house, and how the chores get their turns. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { startHousekeeping, type Chore, type Housekeeping } from "../../src/log/housekeeping.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { waitUntil } from "../support/wait.ts";

const program = fileURLToPath(new URL("../support/housekeeping-process.ts", import.meta.url));

/** The lease of one that was killed runs out, and the next one asks; many times that. */
const takeoverDeadlineMs = 30_000;

let opened: AsyncDisposableStack;
let url: string;
let database: Database;
let warnings: string[];

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  ({ url } = opened.use(await createTestDatabase()));
  database = openDatabase(url, { connections: 2, name: "test" });
  opened.defer(() => database.stop());
  warnings = [];
});

afterEach(() => opened.disposeAsync());

/** Stops at the end of the test, if not before. */
function start(chores: readonly Chore[], { alone = false, overdueMs = 60_000 } = {}): Housekeeping {
  const log = createLogger({
    level: "warn",
    destination: { write: (line) => void warnings.push(line) },
  });
  const housekeeping = startHousekeeping({ sql: database.sql, log, chores, alone, overdueMs });
  opened.defer(() => housekeeping.stop());
  return housekeeping;
}

/** A chore that counts its turns. */
function countingChore(name: string, everyMs = 10) {
  const chore = {
    name,
    everyMs,
    turns: 0,
    async run() {
      chore.turns += 1;
      return "done" as const;
    },
  };
  return chore;
}

describe("three processes", () => {
  test(
    "keep house one at a time, and another goes on when one is killed",
    { timeout: 90_000 },
    async () => {
      const { sql } = database;
      await createTurns();
      const processes = [startProcess(), startProcess(), startProcess()];
      const keepers: number[] = [];
      // Killed, its lease has to run out; asked to stop, it gives it back.
      for (const signal of ["SIGKILL", "SIGTERM", "SIGTERM"] as const) {
        const keeper = await waitUntil(() => nextKeeper(keepers), {
          deadlineMs: takeoverDeadlineMs,
          what: "another one keeping house",
        });
        keepers.push(keeper);
        // Some turns of its own, so that one that only came by would be seen.
        await waitUntil(async () => (await turnsOf(keeper)) >= 5);
        await end(keeper, signal);
      }
      const [lease] = await sql`select owner from housekeeper`;
      expect(lease).toEqual({ owner: null });

      const [overlaps] = await sql`
      select count(*)::int as count from turns one join turns other
        on one.process <> other.process and one.began_at <= other.began_at
          and coalesce(one.ended_at, one.began_at) > other.began_at`;
      expect(overlaps).toEqual({ count: 0 });
      const rows = await sql<{ process: number }[]>`
      select process from turns group by process order by min(id)`;
      expect(rows.map(({ process }) => process)).toEqual(keepers);

      async function nextKeeper(before: readonly number[]): Promise<number | undefined> {
        const [row] = await sql<{ process: number }[]>`
        select process from turns where process <> all(${`{${before.join(",")}}`}::int[]) limit 1`;
        return row?.process;
      }

      async function end(pid: number, signal: NodeJS.Signals): Promise<void> {
        const child = processes.find((each) => each.pid === pid);
        if (child === undefined) throw new Error(`no process ${pid}`);
        const ended = once(child, "exit");
        child.kill(signal);
        await ended;
      }
    },
  );

  test(
    "leave one that was stopped for longer than its lease without a turn, and it says so",
    { timeout: 90_000 },
    async () => {
      await createTurns();
      const stopped = startProcess();
      let said = "";
      stopped.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
      const pid = stopped.pid ?? 0;
      await waitUntil(async () => (await turnsOf(pid)) >= 5, { deadlineMs: takeoverDeadlineMs });
      const other = startProcess().pid ?? 0;
      stopped.kill("SIGSTOP");
      await waitUntil(async () => (await turnsOf(other)) >= 5, { deadlineMs: takeoverDeadlineMs });
      const before = await turnsOf(pid);
      stopped.kill("SIGCONT");
      await waitUntil(() => said.includes("keeps house no more"), {
        deadlineMs: takeoverDeadlineMs,
        what: "its warning",
      });
      const turns = await turnsOf(other);
      await waitUntil(async () => (await turnsOf(other)) >= turns + 5);
      // But for the one statement that may have been under way.
      expect(await turnsOf(pid)).toBeLessThanOrEqual(before + 1);
    },
  );

  async function createTurns(): Promise<void> {
    await database.sql`
      create table turns (id bigint primary key generated always as identity,
        process int not null, began_at timestamptz not null, ended_at timestamptz)`;
  }

  async function turnsOf(keeper: number): Promise<number> {
    const [row] = await database.sql<[{ count: number }]>`
      select count(*)::int as count from turns where process = ${keeper} and ended_at is not null`;
    return row.count;
  }

  function startProcess(): ChildProcess {
    const child = spawn(process.execPath, [program, url], { stdio: ["ignore", "ignore", "pipe"] });
    opened.defer(() => void child.kill("SIGKILL"));
    return child;
  }
});

describe("the lease", () => {
  test("is given back at a stop, so that the next one need not wait for it to run out", async () => {
    const [first, second] = [countingChore("first"), countingChore("second")];
    const before = start([first]);
    await waitUntil(() => first.turns > 0);
    start([second]);
    await waitUntil(() => first.turns > 100);
    expect(second.turns).toBe(0);
    await before.stop();
    const turns = first.turns;
    expect(await isFree()).toBe(true);
    await waitUntil(() => second.turns > 3);
    expect(first.turns).toBe(turns);
  });

  test("of a dead process is not waited for where no other can be alive", async () => {
    await database.sql`
      insert into housekeeper (owner, expires_at)
      values (gen_random_uuid(), clock_timestamp() + interval '1 hour')`;
    const patient = countingChore("patient");
    start([patient]);
    const alone = countingChore("alone");
    start([alone], { alone: true });
    await waitUntil(() => alone.turns > 0);
    expect(patient.turns).toBe(0);
  });

  test(
    "that could not be renewed in time ends the work, until it is held again",
    { timeout: 90_000 },
    async () => {
      const states: boolean[] = [];
      const chore: Chore = {
        name: "long",
        everyMs: 10,
        async run({ isHeld }) {
          states.push(isHeld());
          // As long as it may.
          await waitUntil(() => !isHeld(), { deadlineMs: takeoverDeadlineMs });
          states.push(isHeld());
          return "more";
        },
      };
      start([chore]);
      await waitUntil(() => states.length === 1);
      // Its renewals wait for this row, each until the lock time-out.
      await database.sql.begin(async (transaction) => {
        await transaction`set local idle_in_transaction_session_timeout = 0`;
        await transaction`select from housekeeper for update`;
        await waitUntil(() => states.length === 2, { deadlineMs: takeoverDeadlineMs });
      });
      await waitUntil(() => states.length === 3, { deadlineMs: takeoverDeadlineMs });
      expect(states).toEqual([true, false, true]);
    },
  );

  async function isFree(): Promise<boolean> {
    const [row] = await database.sql<[{ owner: string | null }]>`select owner from housekeeper`;
    return row.owner === null;
  }
});

describe("a chore", () => {
  test("that fails is told once and tried again, and the others go on", async () => {
    let tries = 0;
    const failing: Chore = {
      name: "failing",
      everyMs: 10,
      async run() {
        tries += 1;
        if (tries === 1) throw new Error("not today");
        return "done";
      },
    };
    const other = countingChore("other");
    start([failing, other]);
    await waitUntil(() => tries > 1 && other.turns > 1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('"chore":"failing"');
    expect(warnings[0]).toContain("not today");
  });

  test("that fails, or is kept from its turn, is overdue until it is done again", async () => {
    let isBroken = true;
    let release = () => {};
    const failing: Chore = {
      name: "failing",
      everyMs: 10,
      run: () => (isBroken ? Promise.reject(new Error("not today")) : Promise.resolve("done")),
    };
    const hanging: Chore = {
      ...{ name: "hanging", everyMs: 3_600_000 },
      run: () => new Promise((resolve) => (release = () => resolve("done"))),
    };
    const before = Date.now();
    const housekeeping = start([failing, countingChore("third"), hanging], { overdueMs: 200 });
    const overdue = () => housekeeping.overdue().map(({ chore }) => chore);
    // The third waits behind the one that hangs, which itself is at its turn.
    await waitUntil(() => overdue().length === 2);
    expect(overdue()).toEqual(["failing", "third"]);
    for (const { since } of housekeeping.overdue()) expect(since).toBeGreaterThanOrEqual(before);
    isBroken = false;
    release();
    await waitUntil(() => overdue().length === 0);
  });

  test("that has more to do goes on at once, after the others had their turn", async () => {
    const order: string[] = [];
    const recording = (name: string, turns: number): Chore => ({
      name,
      everyMs: 3_600_000,
      async run() {
        order.push(name);
        return order.filter((each) => each === name).length < turns ? "more" : "done";
      },
    });
    start([recording("a", 3), recording("b", 2), recording("c", 1)]);
    await waitUntil(() => order.length === 6);
    expect(order).toEqual(["a", "b", "c", "a", "b", "a"]);
  });

  test("that is woken has its turn now, also when it was under way just then", async () => {
    let turns = 0;
    const chore: Chore = {
      name: "rare",
      everyMs: 3_600_000,
      async run() {
        turns += 1;
        if (turns === 2) housekeeping.wake("rare");
        return "done";
      },
    };
    const housekeeping = start([chore]);
    await waitUntil(() => turns === 1);
    housekeeping.wake("rare");
    await waitUntil(() => turns === 3);
    expect(() => housekeeping.wake("unknown")).toThrow("there is no chore unknown");
  });

  test("that is under way ends before a stop does", async () => {
    const begun = Promise.withResolvers<void>();
    let heldAtEnd: boolean | undefined;
    const housekeeping = start([
      {
        name: "slow",
        everyMs: 10,
        async run({ isHeld }) {
          begun.resolve();
          await waitUntil(() => !isHeld());
          heldAtEnd = isHeld();
          return "more";
        },
      },
    ]);
    await begun.promise;
    await housekeeping.stop();
    expect(heldAtEnd).toBe(false);
  });
});
