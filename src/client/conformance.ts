/**
 * What a store of `createInbox` must do, as cases for whatever runs your tests:
 *
 *     for (const { name, run } of inboxStoreCases(open)) test(name, run);
 *
 * Each case opens stores of its own, which must not share anything with those of another case.
 */
import { counter, entry, idsOf, kinds, nothing, other, turns } from "./inbox/case-parts.ts";
import { same } from "./inbox/same.ts";
import type { Entry, InboxStore } from "./inbox/store.ts";

/** A fresh store, and a way to see whether what is done in its transactions is there. */
export type StoreUnderTest<Transaction> = {
  readonly store: InboxStore<Transaction>;
  /** The same store as another process would have it; without one those cases use the first. */
  readonly other?: InboxStore<Transaction>;
  /** Writes through the transaction. Undefined for a store that has none. */
  readonly write?: (transaction: Transaction, text: string) => Promise<void>;
  /** All that was written and committed, in the order of writing. */
  readonly written?: () => Promise<readonly string[]>;
  readonly close?: () => Promise<void>;
};

export type StoreCase = { readonly name: string; readonly run: () => Promise<void> };

type Under<Transaction> = StoreUnderTest<Transaction>;

const inbox = "ep_conformance";
const start = { sequence: 0, cursor: undefined };

export function inboxStoreCases<Transaction>(
  open: () => Promise<StoreUnderTest<Transaction>>,
): readonly StoreCase[] {
  const all: Record<string, (under: Under<Transaction>) => Promise<void>> = {
    ...openingCases<Transaction>(),
    ...onceCases<Transaction>(),
    ...orderCases<Transaction>(),
    ...positionCases<Transaction>(),
    ...replayCases<Transaction>(),
  };
  return Object.entries(all).map(([name, check]) => ({
    name: `an inbox store ${name}`,
    async run() {
      const under = await open();
      try {
        await check(under);
      } finally {
        await under.close?.();
      }
    },
  }));
}

function openingCases<Transaction>() {
  return {
    async "knows no inbox that was not created"({ store }: Under<Transaction>) {
      same(await store.open(inbox), undefined);
    },
    async "creates an inbox once, at the first of several starts"(under: Under<Transaction>) {
      const { store, other = store } = under;
      const states = await Promise.all(
        [5, 6, 7, 8].map((sequence) =>
          (sequence % 2 === 0 ? store : other).open(inbox, { sequence, cursor: `c${sequence}` }),
        ),
      );
      const [first] = states;
      for (const state of states) same(state?.position, first?.position);
      same((await under.store.open(inbox))?.position, first?.position);
    },
    async "keeps inboxes apart"({ store }: Under<Transaction>) {
      await store.open("one", start);
      await store.open("two", start);
      await store.once("one", entry(3, { as: "next" }), nothing);
      same((await store.open("two"))?.position, start);
      same((await store.once("two", entry(3), nothing)).kind, "handled");
    },
  };
}

function onceCases<Transaction>() {
  return {
    async "handles an event once"(under: Under<Transaction>) {
      const { store, other = store } = under;
      await store.open(inbox, start);
      const calls = counter();
      same((await store.once(inbox, entry(1), calls.call)).kind, "handled");
      same((await store.once(inbox, entry(1), calls.call)).kind, "duplicate");
      same((await other.once(inbox, entry(1), calls.call)).kind, "duplicate");
      same(calls.count(), 1);
    },
    async "handles an event once when it comes many times at once"(under: Under<Transaction>) {
      const { store, other = store } = under;
      await store.open(inbox, start);
      const calls = counter();
      const results = await Promise.all(
        [store, other, store, other, store, other].map((each) =>
          each.once(inbox, entry(1), async () => {
            await calls.call();
            await turns(3);
          }),
        ),
      );
      same(kinds(results).filter((kind) => kind === "handled").length, 1);
      same(kinds(results).filter((kind) => kind === "duplicate").length, 5);
      same(calls.count(), 1);
    },
    async "records nothing when the work throws"(under: Under<Transaction>) {
      const { store, write, written } = under;
      await store.open(inbox, start);
      for (const as of ["any", "next"] as const) {
        const fault = new Error("on purpose");
        const failing = store.once(inbox, entry(1, { as }), async (transaction) => {
          await write?.(transaction, "lost");
          throw fault;
        });
        const thrown = await failing.catch((error: unknown) => error);
        if (thrown !== fault) throw new Error("the work's own error must be thrown on");
        const state = await store.open(inbox);
        same(state, { position: start, handled: [] });
      }
      const again = await store.once(inbox, entry(1), async (transaction) => {
        await write?.(transaction, "kept");
      });
      same(again.kind, "handled");
      if (written !== undefined) same(await written(), ["kept"]);
    },
    async "lets a second call do what the first could not"(under: Under<Transaction>) {
      const { store, other = store } = under;
      await store.open(inbox, start);
      const failing = store.once(inbox, entry(1), async () => {
        await turns(3);
        throw new Error("on purpose");
      });
      const [, second] = await Promise.all([
        failing.catch(() => {}),
        other.once(inbox, entry(1), nothing),
      ]);
      same(second.kind, "handled");
    },
  };
}

function orderCases<Transaction>() {
  return {
    async "handles the next event only when the position has come to it"(
      under: Under<Transaction>,
    ) {
      const { store } = under;
      await store.open(inbox, start);
      const calls = counter();
      const early = await store.once(inbox, entry(5, { previous: 3, as: "next" }), calls.call);
      same(early, { kind: "hole", position: start });
      same(calls.count(), 0);
      await store.once(inbox, entry(3, { as: "next", cursor: "c3" }), calls.call);
      const next = await store.once(inbox, entry(5, { previous: 3, as: "next" }), calls.call);
      same(next, { kind: "handled", position: { sequence: 5, cursor: "c3" } });
      same((await store.open(inbox))?.position, { sequence: 5, cursor: "c3" });
      same(calls.count(), 2);
    },
    async "handles next events one at a time"(under: Under<Transaction>) {
      const { store, other = store } = under;
      await store.open(inbox, start);
      let open = 0;
      let most = 0;
      const done: number[] = [];
      const handle = async (each: InboxStore<Transaction>, sequence: number) => {
        for (;;) {
          const next = entry(sequence, { previous: sequence - 1, as: "next" });
          const { kind } = await each.once(inbox, next, async () => {
            open += 1;
            most = Math.max(most, open);
            await turns(2);
            done.push(sequence);
            open -= 1;
          });
          if (kind !== "hole") return kind;
          await turns(1);
        }
      };
      const sequences = [1, 2, 3, 4, 5, 6];
      const results = await Promise.all(
        sequences.map((sequence) => handle(sequence % 2 === 0 ? store : other, sequence)),
      );
      same(
        results,
        sequences.map(() => "handled"),
      );
      same(done, sequences);
      same(most, 1);
    },
    async "goes over what is recorded already, without handling it"({ store }: Under<Transaction>) {
      await store.open(inbox, start);
      await store.once(inbox, entry(2, { previous: 0 }), nothing);
      const calls = counter();
      const again = entry(2, { previous: 0, as: "next", cursor: "c2" });
      const result = await store.once(inbox, again, calls.call);
      same(result, { kind: "duplicate", position: { sequence: 2, cursor: "c2" } });
      same(calls.count(), 0);
    },
  };
}

function positionCases<Transaction>() {
  return {
    async "shows what is handled above the position, by sequence"({ store }: Under<Transaction>) {
      await store.open(inbox, start);
      for (const [sequence, previous] of [
        [9, 7],
        [4, 2],
        [7, 4],
      ] as const) {
        await store.once(inbox, entry(sequence, { previous, cursor: `c${sequence}` }), nothing);
      }
      const state = await store.open(inbox);
      same(state?.position, start);
      same(state?.handled, [
        { id: "evt_4", previous: 2, sequence: 4, cursor: "c4" },
        { id: "evt_7", previous: 4, sequence: 7, cursor: "c7" },
        { id: "evt_9", previous: 7, sequence: 9, cursor: "c9" },
      ]);
      await store.settle(inbox, { sequence: 7, cursor: "c7" }, 0);
      same(idsOf(await store.open(inbox)), ["evt_9"]);
    },
    async "moves the position on and never back"({ store }: Under<Transaction>) {
      await store.open(inbox, start);
      await store.settle(inbox, { sequence: 4, cursor: "c4" }, 0);
      await store.settle(inbox, { sequence: 3, cursor: "c3" }, 0);
      same((await store.open(inbox))?.position, { sequence: 4, cursor: "c4" });
      await store.settle(inbox, { sequence: 4, cursor: "c4 and more" }, 0);
      same((await store.open(inbox))?.position, { sequence: 4, cursor: "c4 and more" });
      await store.settle(inbox, { sequence: 5, cursor: undefined }, 0);
      same((await store.open(inbox))?.position, { sequence: 5, cursor: "c4 and more" });
    },
    async "takes what is at or below the position for handled"({ store }: Under<Transaction>) {
      await store.open(inbox, { sequence: 8, cursor: "c8" });
      const calls = counter();
      for (const as of ["any", "next"] as const) {
        const result = await store.once(inbox, entry(8, { as }), calls.call);
        same(result, { kind: "duplicate", position: { sequence: 8, cursor: "c8" } });
      }
      same(calls.count(), 0);
      same(idsOf(await store.open(inbox)), []);
    },
    async "forgets records, and handles their events no more often"({ store }: Under<Transaction>) {
      await store.open(inbox, start);
      for (const sequence of [1, 2, 3]) {
        await store.once(inbox, entry(sequence, { as: "next" }), nothing);
      }
      await store.settle(inbox, { sequence: 3, cursor: undefined }, 2);
      same((await store.once(inbox, entry(1), nothing)).kind, "duplicate");
      same((await store.once(inbox, other(1), nothing)).kind, "duplicate");
      // The record of this one is kept, and tells that the log is another.
      same((await store.once(inbox, other(3), nothing)).kind, "conflict");
      same((await store.once(inbox, other(3, "next"), nothing)).kind, "conflict");
    },
  };
}

function replayCases<Transaction>() {
  const replay = (id: string): Entry => ({
    ...entry(2, { as: "again" }),
    id: `evt_2@${id}`,
    previous: 2,
  });
  return {
    async "handles a replay once, wherever the position is"({ store }: Under<Transaction>) {
      await store.open(inbox, start);
      await store.once(inbox, entry(1, { as: "next" }), nothing);
      await store.once(inbox, entry(2, { as: "next" }), nothing);
      const calls = counter();
      same((await store.once(inbox, replay("rpl_a"), calls.call)).kind, "handled");
      same((await store.once(inbox, replay("rpl_a"), calls.call)).kind, "duplicate");
      same((await store.once(inbox, replay("rpl_b"), calls.call)).kind, "handled");
      same(calls.count(), 2);
      same((await store.open(inbox))?.position.sequence, 2);
    },
    async "handles the replay of an event once whose record was forgotten"(
      under: Under<Transaction>,
    ) {
      const { store } = under;
      await store.open(inbox, start);
      for (const sequence of [1, 2, 3]) {
        await store.once(inbox, entry(sequence, { as: "next" }), nothing);
      }
      await store.settle(inbox, { sequence: 3, cursor: undefined }, 3);
      const first = { ...entry(2), also: "evt_2@rpl_a" };
      const again = { ...replay("rpl_a"), sequence: 9, previous: 9 };
      const results = [];
      for (const each of [first, again, first, again]) {
        results.push(await store.once(inbox, each, nothing));
      }
      same(kinds(results), ["duplicate", "handled", "duplicate", "duplicate"]);
    },
    async "keeps the record of a replay when its event's is forgotten"(under: Under<Transaction>) {
      const { store } = under;
      await store.open(inbox, start);
      await store.once(inbox, { ...entry(1, { as: "next" }), also: "evt_1@rpl_a" }, nothing);
      await store.settle(inbox, { sequence: 5_000, cursor: undefined }, 4_000);
      const again = { ...replay("rpl_a"), id: "evt_1@rpl_a" };
      same((await store.once(inbox, again, nothing)).kind, "duplicate");
    },
    async "records a replay that was the first to bring its event"({ store }: Under<Transaction>) {
      await store.open(inbox, start);
      const first = { ...entry(2), also: "evt_2@rpl_a" };
      same((await store.once(inbox, first, nothing)).kind, "handled");
      same((await store.once(inbox, first, nothing)).kind, "duplicate");
      same((await store.once(inbox, replay("rpl_a"), nothing)).kind, "duplicate");
      same((await store.once(inbox, replay("rpl_b"), nothing)).kind, "handled");
      // Neither is an event above the position.
      same(idsOf(await store.open(inbox)), ["evt_2"]);
    },
  };
}
