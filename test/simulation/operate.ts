/** What an operator does over the API comes through in the end, or something is badly wrong. */
import { setTimeout as delay } from "node:timers/promises";

const triesMax = 100;
const pauseMs = 200;

/** Repeats until an api process does it: other things go wrong meanwhile. */
export async function operate<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work();
    } catch (error) {
      if (tries === triesMax) throw error;
      await delay(pauseMs);
    }
  }
}
