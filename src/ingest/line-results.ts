/**
 * Writes the results of lines as they come. A client that sends everything before it reads is
 * given some room; beyond it nothing is written until it takes what there is, and one that takes
 * nothing is cut.
 */
import type { ApiRequest } from "../http/request.ts";
import type { Cursors } from "../log/cursor.ts";
import type { AppendResult } from "../log/new-event.ts";
import { Problem } from "../problem.ts";
import { failure, toResult, type ItemResult } from "./results.ts";
import type { Slice } from "./slices.ts";

/** The results of about 40,000 events. */
const bufferedMaxBytes = 4 << 20;

/** A client that is alive takes something within this time, however slow its line. */
const stalledMs = 30_000;

export type LineResults = ReturnType<typeof createLineResults>;

export function createLineResults(
  request: ApiRequest,
  options: {
    /** Where results carry cursors. */
    cursors: Cursors | undefined;
    minimal: boolean;
  },
) {
  const { cursors, minimal } = options;
  const counts = { appended: 0, duplicates: 0, failed: 0 };
  const response = request.takeOver(200, {
    "content-type": "application/x-ndjson",
    // Proxies would gather the results otherwise.
    "x-accel-buffering": "no",
    ...(minimal && { "preference-applied": "return=minimal" }),
  });

  return { write, fail, end };

  /** Resolves when there is room for more, or nobody to read it. */
  async function write(slice: Slice, appended: readonly AppendResult[]): Promise<void> {
    const answers = appended.values();
    let text = "";
    slice.events.forEach((event, index) => {
      const result =
        event instanceof Problem ? failure(event) : resultOf(event.tenant, answers.next().value);
      text += textOf(result, slice.lines[index] ?? 0);
    });
    if (text === "" || response.destroyed) return;
    response.write(text);
    if (response.writableLength > bufferedMaxBytes) await drained();
  }

  function resultOf(tenant: Parameters<typeof toResult>[0], result: AppendResult | undefined) {
    if (result === undefined) throw new Error("an append without a result");
    return toResult(tenant, result, cursors);
  }

  /** Counts the result. In the short form only failures are told. */
  function textOf(result: ItemResult, line: number): string {
    if ("problem" in result) {
      counts.failed += 1;
      return `${JSON.stringify({ ...result, line })}\n`;
    }
    counts[result.status === 201 ? "appended" : "duplicates"] += 1;
    return minimal ? "" : `${JSON.stringify(result)}\n`;
  }

  /** Ends early, at this line: the rest is not read. */
  function fail(line: number, problem: Problem): void {
    if (!response.destroyed) finish(`${JSON.stringify({ ...failure(problem), line })}\n`);
  }

  function end(): void {
    if (!response.destroyed) finish(minimal ? `${JSON.stringify(counts)}\n` : "");
  }

  function finish(text: string): void {
    response.setTimeout(stalledMs); // until all is sent; then the server sets its own
    response.end(text);
  }

  function drained(): Promise<void> {
    return new Promise((resolve) => {
      // Nobody listens for the time-out, so Node cuts the connection. It sees bytes that move.
      response.setTimeout(stalledMs);
      response.on("drain", onDone).on("close", onDone);

      function onDone(): void {
        response.off("drain", onDone).off("close", onDone);
        if (!response.destroyed) response.setTimeout(0);
        resolve();
      }
    });
  }
}
