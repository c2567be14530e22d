/** Properties over real servers, run for as long as is wanted, and a log that is looked at. */
import { Writable } from "node:stream";
import fc from "fast-check";

/** Seconds for each property in place of a fixed number of runs. */
const seconds = Number(process.env["FUZZ_SECONDS"] ?? 0);

/** With room to find the smallest case of a failure. */
export const timeoutMs = 60_000 + 2_000 * seconds;

/** Other tests may keep the machine busy meanwhile. */
export const deadlineMs = 20_000;

/** Checks what is drawn this many times, or for `FUZZ_SECONDS`. A failure says its seed. */
export async function holds<Given>(
  given: fc.Arbitrary<Given>,
  count: number,
  check: (given: Given) => Promise<void>,
  /** Checked first, each time. */
  examples: readonly Given[] = [],
): Promise<void> {
  let last: Promise<void> | undefined;
  const property = fc.asyncProperty(given, (value) => (last = check(value)));
  const limits =
    seconds === 0
      ? { numRuns: count }
      : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: seconds * 1_000 };
  await fc.assert(property, { ...limits, examples: examples.map((example) => [example]) });
  // The time may be over in the middle of one, which must not disturb what follows.
  await last;
}

type Line = { readonly level: string; readonly msg: string };

/** A log that must be one JSON object a line, whatever was asked for, and have no errors. */
export function watchLog() {
  const faults: string[] = [];
  let rest = "";
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) check(line);
      done();
    },
  });
  return { destination, faults };

  function check(line: string): void {
    try {
      const { level, msg } = JSON.parse(line) as Line;
      if (level !== "error" && level !== "fatal" && msg !== "internal error") return;
    } catch {
      // a line that is no JSON was begun by somebody else
    }
    faults.push(line);
  }
}
