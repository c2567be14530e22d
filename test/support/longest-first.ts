/**
 * The order in which a run starts its files: the longest first, so that at the end no worker idles
 * beside a long one that began last. Vitest knows how long each takes only where it ran before; in a
 * fresh clone it goes by their sizes, and the trials, minutes in a few lines, would come last.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Those of more than a minute. */
const longest = [
  "test/integration/trials.test.ts",
  "test/integration/circuit.test.ts",
  "test/simulation/simulation.test.ts",
];

/** A class, because Vitest wants one. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const paths = longest.map((name) => resolve(this.ctx.config.root, name));
    for (const path of paths) {
      if (!existsSync(path)) throw new Error(`${path} is named as one of the longest, and is gone`);
    }
    const rank = ({ moduleId }: TestSpecification) =>
      paths.includes(moduleId) ? paths.indexOf(moduleId) : paths.length;
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
