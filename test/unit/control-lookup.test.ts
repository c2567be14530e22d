/** Answers from memory and in batches. Statements are promises that the test settles. */
import { describe, expect, test } from "vitest";
import { createLookup, type Lookup } from "../../src/control/lookup.ts";
import { waitUntil } from "../support/wait.ts";

type Found = { name: string; version: number };

type Statement = { names: readonly string[]; end(known: readonly string[]): void; fail(): void };

type SampleOptions = {
  ttlMs?: number;
  rememberMissing?: boolean;
  mayRemember?: (found: Found) => boolean;
};

function createSample(options: SampleOptions = {}) {
  const given = { ttlMs: 60_000, rememberMissing: true, ...options };
  const statements: Statement[] = [];
  let version = 0;
  const lookup: Lookup<Found> = createLookup({ load, ...given });
  return { statements, get: lookup.get, forget: lookup.forget, next };

  function load(names: readonly string[]): Promise<Map<string, Found>> {
    const { promise, resolve, reject } = Promise.withResolvers<Map<string, Found>>();
    version += 1;
    const now = version;
    statements.push({
      names,
      end: (known) => resolve(new Map(known.map((name) => [name, { name, version: now }]))),
      fail: () => reject(new Error("the database is away")),
    });
    return promise;
  }

  async function next(): Promise<Statement> {
    return waitUntil(() => statements.shift(), { what: "a statement" });
  }
}

describe("asking", () => {
  test("an answer is remembered", async () => {
    const sample = createSample();
    const first = sample.get("a");
    (await sample.next()).end(["a"]);
    expect(await first).toEqual({ name: "a", version: 1 });
    expect(await sample.get("a")).toEqual({ name: "a", version: 1 });
    expect(sample.statements).toEqual([]);
  });

  test("an answer that may not be remembered is asked for again", async () => {
    const sample = createSample({ mayRemember: ({ version }) => version > 1 });
    for (const version of [1, 2]) {
      const answer = sample.get("a");
      (await sample.next()).end(["a"]);
      expect(await answer).toEqual({ name: "a", version });
    }
    expect(await sample.get("a")).toEqual({ name: "a", version: 2 });
    expect(sample.statements).toEqual([]);
  });

  test("of many who ask at once for one name, one asks the database", async () => {
    const sample = createSample();
    const answers = Array.from({ length: 50 }, () => sample.get("a"));
    (await sample.next()).end(["a"]);
    expect(new Set(await Promise.all(answers)).size).toBe(1);
    expect(sample.statements).toEqual([]);
  });

  test("what is missed while two statements are under way goes into the next together", async () => {
    const sample = createSample();
    const names = Array.from({ length: 1_500 }, (_, index) => `n${index}`);
    const answers = names.map((name) => sample.get(name));
    const [first, second] = [await sample.next(), await sample.next()];
    expect([first.names, second.names]).toEqual([["n0"], ["n1"]]);
    expect(sample.statements).toEqual([]);
    first.end(first.names);
    const third = await sample.next();
    expect(third.names).toEqual(names.slice(2, 1_002));
    second.end(second.names);
    third.end(third.names);
    const fourth = await sample.next();
    expect(fourth.names).toEqual(names.slice(1_002));
    fourth.end(fourth.names);
    expect((await Promise.all(answers)).map((found) => found?.name)).toEqual(names);
  });

  test("a failure reaches those who asked and is not remembered", async () => {
    const sample = createSample();
    const failing = sample.get("a");
    (await sample.next()).fail();
    await expect(failing).rejects.toThrow("the database is away");
    const working = sample.get("a");
    (await sample.next()).end(["a"]);
    expect(await working).toEqual({ name: "a", version: 2 });
  });
});

describe("remembering", () => {
  test("an answer is asked for again when it is too old", async () => {
    const sample = createSample({ ttlMs: 1 });
    const first = sample.get("a");
    (await sample.next()).end(["a"]);
    await first;
    const started = performance.now();
    await waitUntil(() => performance.now() > started + 3);
    const second = sample.get("a");
    (await sample.next()).end(["a"]);
    expect(await second).toEqual({ name: "a", version: 2 });
  });

  test("its age counts from before the statement, however long that takes", async () => {
    const sample = createSample({ ttlMs: 20 });
    const first = sample.get("a");
    const slow = await sample.next();
    const started = performance.now();
    await waitUntil(() => performance.now() > started + 25);
    slow.end(["a"]);
    await first;
    const second = sample.get("a");
    (await sample.next()).end(["a"]);
    expect(await second).toEqual({ name: "a", version: 2 });
  });

  test.each([
    [true, 0],
    [false, 1],
  ])("with rememberMissing %s a missing name costs %i more statements", async (remember, more) => {
    const sample = createSample({ rememberMissing: remember });
    const first = sample.get("nobody");
    (await sample.next()).end([]);
    expect(await first).toBeUndefined();
    const second = sample.get("nobody");
    expect(sample.statements).toHaveLength(more);
    sample.statements[0]?.end([]);
    expect(await second).toBeUndefined();
  });

  test("invented names do not push out what is known", async () => {
    const sample = createSample();
    const first = sample.get("known");
    (await sample.next()).end(["known"]);
    await first;
    const invented = Array.from({ length: 25_000 }, (_, index) => sample.get(`invented ${index}`));
    const all = Promise.all(invented);
    let done = false;
    void all.then(() => (done = true));
    while (!done) {
      for (const statement of sample.statements.splice(0)) statement.end([]);
      await Promise.resolve();
    }
    expect(await sample.get("known")).toEqual({ name: "known", version: 1 });
  });
});

describe("forgetting", () => {
  test("what was remembered is asked for again", async () => {
    const sample = createSample();
    for (const known of [["a"], []]) {
      const first = sample.get("a");
      (await sample.next()).end(known);
      await first;
      sample.forget();
    }
    const again = sample.get("a");
    (await sample.next()).end(["a"]);
    expect(await again).toEqual({ name: "a", version: 3 });
  });

  test("an answer that was under way goes to those who asked before, and to nobody else", async () => {
    const sample = createSample();
    const before = sample.get("a");
    const old = await sample.next();
    sample.forget();
    const after = sample.get("a");
    const fresh = await sample.next();
    fresh.end(["a"]);
    expect(await after).toEqual({ name: "a", version: 2 });
    old.end(["a"]);
    expect(await before).toEqual({ name: "a", version: 1 });
    expect(await sample.get("a")).toEqual({ name: "a", version: 2 });
  });
});
