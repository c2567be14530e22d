/**
 * `tidegate send`: appends events, one by options or any number by lines. Lines are read no faster
 * than the gateway takes them, go out in batches and in order, and are repeated under the same key
 * while the gateway is away.
 */
import type { Command } from "commander";
import { ProblemError } from "../client/errors.ts";
import { createProducer, type Producer } from "../client/producer.ts";
import { toFailure, type Api } from "./api.ts";
import { addCommand, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { readDrafts, type Draft, type DraftOptions } from "./drafts.ts";
import { createExactData } from "./exact-data.ts";
import { exitCodes, Failure, usageFailure } from "./failure.ts";
import { instant, positive, whole } from "./options.ts";
import { createPace } from "./pace.ts";
import { countText, printJson } from "./table.ts";
import { tenantOf } from "./tenant.ts";
import type { Terminal } from "./terminal.ts";

type Options = ConnectionOptions &
  DraftOptions & { readonly rate?: number; readonly json?: boolean };

/** Who types one event wants to know soon. */
const giveUpOneMs = 5_000;

/** A pipe waits for a gateway that is being restarted. */
const giveUpLinesMs = 3_600_000;

/** What is under way may end after Ctrl-C. */
const interruptedMs = 5_000;

const progressEveryMs = 200;

const about = `One event: --type and --data. Many: lines of JSON (NDJSON) in a file or from a pipe, each an
event like {"type":"order.created","data":{…},"subject":…,"key":…}, or, with --type, each the data
of an event of that type. An event with a key is appended once, however often it is sent.

One prints its id; many print how many there were, and what was refused. Exit code 1 when any was.`;

export function addSend(program: Command, terminal: Terminal): void {
  addCommand(program, "send [file]", {
    summary: "Append events: one, a file of lines, or what a pipe brings",
    about,
    examples: [
      `npx tidegate send --type order.created --data '{"amount":4200}'`,
      "npx tidegate send orders.ndjson",
      "generate-orders | npx tidegate send --type order.created --rate 100",
      `npx tidegate send --type test.tick --data '{}' --repeat 1000 --rate 50`,
      "npx tidegate tail --tenant acme --json | npx tidegate send --tenant copy",
    ],
  })
    .option("--type <type>", "order.created; of lines, the type of all of them")
    .option("--data <json>", "the payload of one event")
    .option("--subject <subject>", "what it is about: order_1042")
    .option("--idempotency-key <key>", "of one event: sent again with it, it is appended once")
    .option("--source <uri>", "where it comes from (/tenants/<tenant> unless given)")
    .option("--time <time>", "when it happened (now unless given)", instant)
    .option("--repeat <count>", "append the one event as many times", whole(1))
    .option("--rate <events>", "at most as many a second", positive)
    .option("--json", "the id and sequence of each event as a line of JSON")
    .action(async (file: string | undefined, options: Options) => {
      const isOne = options.data !== undefined && options.repeat === undefined;
      const drafts = readDrafts(file, options);
      await sendAll(terminal, await openApi(terminal, options), drafts, { ...options, isOne });
    });
}

async function sendAll(
  terminal: Terminal,
  api: Api,
  drafts: AsyncIterable<Draft>,
  options: Options & { isOne: boolean },
): Promise<void> {
  const { isOne, rate = Infinity, json = false } = options;
  const { url, key } = api.connection;
  const exact = createExactData();
  const ending = new AbortController();
  const producer = createProducer({
    ...{ url, key, fetch: exact.fetch, signal: ending.signal },
    giveUpAfterMs: isOne ? giveUpOneMs : giveUpLinesMs,
    onRetry: (error, delayMs) => {
      const text = `${error.message}; again in ${(delayMs / 1_000).toFixed(1)} s`;
      terminal.note(terminal.paintNote("yellow", text));
    },
  });
  const count = { sent: 0, repeated: 0, failed: 0 };
  const startedAt = performance.now();
  const pace = createPace(rate, api.interrupt);
  const stopProgress = isOne ? () => {} : startProgress(terminal, () => progressText());
  /** Until what became of an event has been told. */
  const told = new Set<Promise<void>>();
  let fault: unknown;
  let tenant: Promise<string | undefined> | undefined;

  try {
    for await (const draft of drafts) {
      await pace();
      if (api.interrupt.aborted || fault !== undefined) break;
      if ("fault" in draft) refuse(draft.line, draft.fault);
      else await append(draft);
    }
    await finish(producer, api.interrupt, ending);
    await Promise.all(told);
  } finally {
    stopProgress();
  }
  if (fault !== undefined) throw toFailure(fault, url, api.interrupt);
  if (!isOne) terminal.note(summaryText());
  if (api.interrupt.aborted) throw new Failure("Interrupted", { exitCode: exitCodes.interrupted });
  if (count.failed > 0) throw new Failure("Not all events were appended");

  async function append({ line, event, dataText }: Extract<Draft, { event: object }>) {
    if (event.tenant === undefined) tenant ??= tenantOf(api);
    const held = exact.hold(dataText);
    await producer.ready();
    const owner = await tenant;
    const named = { ...(owner !== undefined && { tenant: owner }), ...event };
    const done = producer
      .append({ ...named, data: held.data })
      .then(async ({ id, sequence, duplicate }) => {
        count[duplicate ? "repeated" : "sent"] += 1;
        if (json) await printJson(terminal, { line, id, sequence, duplicate });
        else if (isOne) await terminal.print(id);
      })
      .catch((error: unknown) => settleFault(line, error))
      .finally(() => {
        held.release();
        told.delete(done);
      });
    told.add(done);
  }

  /** What is wrong with one event spoils that one; all else would be the same for the next. */
  function settleFault(line: number, error: unknown): void {
    const isOwn = error instanceof ProblemError && [404, 413, 422].includes(error.status) && !isOne;
    if (isOwn) refuse(line, toFailure(error, url, api.interrupt).message);
    else fault ??= error;
  }

  function refuse(line: number, why: string): void {
    if (isOne) throw usageFailure(why);
    count.failed += 1;
    terminal.note(`${terminal.paintNote("red", `line ${line}:`)} ${why}`);
  }

  function summaryText(): string {
    const seconds = (performance.now() - startedAt) / 1_000;
    const repeated = count.repeated === 0 ? "" : `, ${countText(count.repeated)} already there`;
    const failed = count.failed === 0 ? "" : `, ${countText(count.failed)} refused`;
    return `${countText(count.sent)} appended${repeated}${failed} in ${seconds.toFixed(1)} s`;
  }

  function progressText(): string {
    return `${summaryText()}, ${countText(producer.size())} under way`;
  }
}

/** Waits for what is under way; after Ctrl-C not for long. */
async function finish(
  producer: Producer,
  interrupt: AbortSignal,
  ending: AbortController,
): Promise<void> {
  const end = (): void => {
    setTimeout(() => ending.abort(new Error("interrupted")), interruptedMs).unref();
  };
  if (interrupt.aborted) end();
  else interrupt.addEventListener("abort", end, { once: true });
  await producer.close();
  interrupt.removeEventListener("abort", end);
}

function startProgress(terminal: Terminal, text: () => string): () => void {
  const timer = setInterval(() => terminal.progress(text()), progressEveryMs);
  return () => {
    clearInterval(timer);
    terminal.progress(undefined);
  };
}
