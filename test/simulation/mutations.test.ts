/** The mutations do not rot: `npm run simulate:mutations` shows in minutes that they are caught. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { applyPatch, loadMutations } from "./mutations.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Refuses one that names no guarantee, no run, or a check that there is not. */
const mutations = await loadMutations();

test.each(mutations)("the mutation $name applies to the source as it is", async (mutation) => {
  await applyPatch(mutation, root, { check: true });
});

test("a mutation changes what is shipped, and nothing else", async () => {
  for (const { path } of mutations) {
    const changed = (await readFile(path, "utf8")).matchAll(/^(?:---|\+\+\+) (\S+)$/gm);
    const files = Array.from(changed, ([, file]) => file);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(file).toMatch(/^[ab]\/(src|drizzle)\//);
  }
});

test("a mutation that does not apply any more is told of", async () => {
  const empty = await mkdtemp(join(tmpdir(), "tidegate-mutations-"));
  try {
    for (const mutation of mutations.slice(0, 1)) {
      await expect(applyPatch(mutation, empty)).rejects.toThrow("No such file");
    }
  } finally {
    await rm(empty, { recursive: true });
  }
});
