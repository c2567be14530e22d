/**
 * Goal: whatever is lost, repeated, reordered and killed, `handle`'s effects are there exactly once
 * (in order where that was asked for), and a push is answered with success only when its event is
 * handled. Method: a real gateway's log is read by an inbox over SQLite, and its events are pushed
 * as the gateway would, each several times, in an order by chance and some at once; some pushes
 * never arrive, some answers are lost. The receiver is killed after a number of steps: its
 * connection is closed, which rolls back what is open, and whatever it waits for never comes. Then
 * another one begins over the same file. In the end nothing is pushed, and the rest must come by
 * itself.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createInbox } from "../../src/client/inbox.ts";
import type { InboxStore } from "../../src/client/inbox/store.ts";
import { sqliteStore } from "../../src/client/sqlite.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { appendPushables, inboxSecret, pushRequest, type Pushable } from "../support/inbox.ts";
import { waitUntil } from "../support/wait.ts";

const events = 36;
/** Most of a run is waits. `TEST_INBOX_RUNS=200 TEST_INBOX_SEED=7` for more of them. */
const runs = Number(process.env["TEST_INBOX_RUNS"] ?? 12);
const seed = Number(process.env["TEST_INBOX_SEED"] ?? Date.now() % 1_000_000);
const deadlineMs = 30_000;

let gateway: TestGateway;
let key: string;
let log: Pushable[];

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.createTenant("acme");
  key = await gateway.createKey("acme", ["read"]);
  log = await appendPushables(gateway, "acme", events);
});

afterAll(() => gateway.stop());

type Send = { readonly index: number; readonly fate: "arrives" | "lost" | "answer lost" };
type Plan = {
  /** What is sent at once, one burst after the other. */
  readonly bursts: readonly (readonly Send[])[];
  /** After so many steps each receiver is killed; the last one is not. */
  readonly kills: readonly number[];
  /** Events that `handle` refuses the first time. */
  readonly refused: readonly number[];
};

const matching = Math.ceil((events * 2) / 3);
const send: fc.Arbitrary<Send> = fc.record({
  index: fc.nat({ max: matching - 1 }),
  fate: fc.constantFrom("arrives", "arrives", "arrives", "lost", "answer lost"),
});
/** Somewhere in the log, and from there on nearly in order, as pushes come. */
const run: fc.Arbitrary<Send[]> = fc
  .tuple(fc.nat({ max: matching - 1 }), fc.array(send, { minLength: 1, maxLength: 8 }))
  .map(([first, sends]) =>
    sends.map((each, n) => ({ ...each, index: Math.min(matching - 1, first + n) })),
  )
  .chain((sends) => fc.shuffledSubarray(sends, { minLength: 1 }));
const plan: fc.Arbitrary<Plan> = fc.record({
  bursts: fc.array(fc.oneof(run, fc.array(send, { minLength: 1, maxLength: 5 })), {
    minLength: 1,
    maxLength: 14,
  }),
  kills: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 6 }),
  // Rarely, since it takes a second until it is tried again.
  refused: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.tuple(fc.nat({ max: matching - 1 })) },
  ),
});

test.each([
  { ordered: true, name: "in order" },
  { ordered: false, name: "in any order" },
])("effects happen exactly once, $name", { timeout: 240_000 }, async ({ ordered }) => {
  await fc.assert(
    fc.asyncProperty(plan, (each) => perform(each, ordered)),
    // Not shrunk: how the steps interleave is not the plan's alone.
    { numRuns: runs, seed, endOnFailure: true },
  );
});

async function perform({ bursts, kills, refused }: Plan, ordered: boolean): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "tidegate-inbox-"));
  const path = join(directory, "inbox.db");
  const reader = new DatabaseSync(path, { timeout: 5_000 });
  reader.exec("create table effects (id text, sequence integer)");
  const refusals = new Set(refused.map((index) => log[index]?.event.id));
  const left = [...kills];
  let life = startLife(path, ordered, refusals, left.shift());
  try {
    for (const burst of bursts) {
      if (life.isDead()) life = startLife(path, ordered, refusals, left.shift());
      const { fetch, killed } = life;
      await Promise.all(
        burst.map(async ({ index, fate }) => {
          const pushable = log[index];
          if (pushable === undefined || fate === "lost") return;
          const response = await Promise.race([fetch(await pushRequest(pushable)), killed]);
          if (response === undefined || fate === "answer lost" || !response.ok) return;
          expect(effectsIn(reader)).toContain(pushable.sequence);
        }),
      );
    }
    await waitUntil(
      () => {
        if (life.isDead()) life = startLife(path, ordered, refusals, left.shift());
        return effectsIn(reader).length >= log.length;
      },
      { deadlineMs, what: "all events handled" },
    );
    await life.stop();
    const effects = effectsIn(reader);
    const expected = log.map(({ sequence }) => sequence);
    expect(ordered ? effects : effects.toSorted((one, two) => one - two)).toEqual(expected);
  } finally {
    await life.stop();
    reader.close();
    rmSync(directory, { recursive: true });
  }
}

function effectsIn(reader: DatabaseSync): number[] {
  const rows = reader.prepare("select sequence from effects order by rowid").all();
  return rows.map(({ sequence }) => Number(sequence));
}

/** A receiver that dies at its so manieth step. */
function startLife(
  path: string,
  ordered: boolean,
  refusals: Set<string | undefined>,
  diesAt: number | undefined,
) {
  const db = new DatabaseSync(path);
  const store = sqliteStore(db);
  const dying: InboxStore<DatabaseSync> = {
    open: (...given) => around(() => store.open(...given)),
    once: (...given) => around(() => store.once(...given)),
    settle: (...given) => around(() => store.settle(...given)),
  };
  const death = Promise.withResolvers<undefined>();
  let steps = 0;
  let isDead = false;

  const inbox = createInbox({
    secret: inboxSecret,
    feed: {
      ...{ url: gateway.url, key, endpoint: "ep_of_nobody", types: ["order.*"] },
      async fetch(url, init) {
        await step();
        const response = await globalThis.fetch(url, init);
        await step();
        return response;
      },
    },
    store: dying,
    async handle(event, transaction) {
      await step();
      const insert = transaction.prepare("insert into effects values (?, ?)");
      insert.run(event.id, Number(event.sequence));
      await step();
      if (refusals.delete(event.id)) throw new Error("refused the first time");
    },
    ordered,
    onError: () => {},
    ...{ pollAfterMs: 60, holePatienceMs: 5, answerWithinMs: 150 },
  });
  inbox.start();
  return { fetch: inbox.fetch, killed: death.promise, isDead: () => isDead, stop };

  async function around<T>(act: () => Promise<T>): Promise<T> {
    await step();
    const value = await act();
    await step();
    return value;
  }

  /** Lets others go on, and never comes back in a receiver that is dead. */
  async function step(): Promise<void> {
    steps += 1;
    if (steps === diesAt) die();
    if (isDead) await new Promise(() => {});
    await new Promise(setImmediate);
    if (isDead) await new Promise(() => {});
  }

  function die(): void {
    isDead = true;
    db.close();
    death.resolve(undefined);
  }

  async function stop(): Promise<void> {
    // It may die of that too, and then it never ends.
    await Promise.race([inbox.stop(), death.promise]);
    if (isDead) return;
    isDead = true;
    db.close();
  }
}
