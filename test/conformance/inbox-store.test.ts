/** One suite over the stores of an inbox; it is what `tidegate/client/conformance` offers to all. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { inboxStoreCases } from "../../src/client/conformance.ts";
import {
  openMemoryStore,
  openPgStore,
  openPostgresJsStore,
  openPostgresPlace,
  openSqliteStore,
} from "../support/inbox-stores.ts";

let postgres: Awaited<ReturnType<typeof openPostgresPlace>>;

beforeAll(async () => {
  postgres = await openPostgresPlace();
});

afterAll(() => postgres[Symbol.asyncDispose]());

const openPostgresJs = async () => openPostgresJsStore(await postgres.newSchema());
const openPg = async () => openPgStore(await postgres.newSchema());

describe("in memory", () => {
  test.each(inboxStoreCases(openMemoryStore))("$name", ({ run }) => run());
});

describe("in Postgres, by postgres.js", () => {
  test.each(inboxStoreCases(openPostgresJs))("$name", ({ run }) => run());
});

describe("in Postgres, by pg", () => {
  test.each(inboxStoreCases(openPg))("$name", ({ run }) => run());
});

describe("in SQLite", () => {
  test.each(inboxStoreCases(openSqliteStore))("$name", ({ run }) => run());
});

const place = { sequence: 1, previous: 0, cursor: undefined };

test("a statement that failed unnoticed undoes the record too, with postgres.js", async () => {
  const { store, close } = await openPostgresJs();
  await store.open("inbox", { sequence: 0, cursor: undefined });
  for (const as of ["any", "next"] as const) {
    const once = store.once("inbox", { id: "evt_1", ...place, as }, async (transaction) => {
      await transaction`select nothing from nowhere`.catch(() => {});
    });
    await expect(once).rejects.toThrow();
  }
  expect((await store.open("inbox"))?.handled).toEqual([]);
  await close?.();
});

test("a statement that failed unnoticed undoes the record too, with pg", async () => {
  const { store, close } = await openPg();
  await store.open("inbox", { sequence: 0, cursor: undefined });
  for (const as of ["any", "next"] as const) {
    const once = store.once("inbox", { id: "evt_1", ...place, as }, async (client) => {
      await client.query("select nothing from nowhere").catch(() => {});
    });
    await expect(once).rejects.toThrow();
  }
  expect((await store.open("inbox"))?.handled).toEqual([]);
  await close?.();
});

test("a transaction that ended unnoticed leaves no record, with SQLite", async () => {
  const { store, close } = await openSqliteStore();
  await store.open("inbox", { sequence: 0, cursor: undefined });
  for (const as of ["any", "next"] as const) {
    // As SQLite does by itself when its disk is full.
    const once = store.once("inbox", { id: "evt_1", ...place, as }, async (db) => {
      db.exec("rollback");
    });
    await expect(once).rejects.toThrow("no such savepoint");
  }
  const start = { sequence: 0, cursor: undefined };
  expect(await store.open("inbox")).toEqual({ position: start, handled: [] });
  await close?.();
});
