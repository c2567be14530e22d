import { expect, test } from "vitest";
import { createShared } from "../../src/feed/shared.ts";

/** Calls that are answered when the test says so. */
function openCalls() {
  const made: { answer: (value: string) => void; fail: (error: Error) => void }[] = [];
  const call = () =>
    new Promise<string>((answer, fail) => {
      made.push({ answer, fail });
    });
  return { made, call };
}

test("a call is shared by those who asked before it began, and by no others", async () => {
  const ask = createShared<string>();
  const { made, call } = openCalls();
  const first = ask("a", call);
  const waiting = [ask("a", call), ask("a", call)];
  const other = ask("b", call);
  expect(made).toHaveLength(2);
  made[0]?.answer("old");
  made[1]?.answer("of another key");
  expect([await first, await other]).toEqual(["old", "of another key"]);
  await expect.poll(() => made.length).toBe(3);
  const late = ask("a", call);
  made[2]?.answer("new");
  expect(await Promise.all(waiting)).toEqual(["new", "new"]);
  await expect.poll(() => made.length).toBe(4);
  made[3]?.answer("newest");
  expect(await late).toBe("newest");
});

test("a call that fails fails for those who share it, and the next is made all the same", async () => {
  const ask = createShared<string>();
  const { made, call } = openCalls();
  const first = ask("a", call);
  const next = ask("a", call);
  made[0]?.fail(new Error("the database is away"));
  await expect(first).rejects.toThrow("away");
  await expect.poll(() => made.length).toBe(2);
  made[1]?.answer("back");
  expect(await next).toBe("back");
  expect(made).toHaveLength(2);
});
