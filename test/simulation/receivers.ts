/**
 * The customers' webhook receivers: one HTTP server, a path for each endpoint. Each endpoint writes
 * down what came and what was accepted, and checks at once what can be checked at once.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { crc32 } from "node:zlib";
import { Webhook } from "standardwebhooks";
import {
  createConfirmations,
  createPhaseLatencies,
  createPulse,
  type Phase,
  type Violations,
} from "./records.ts";

export type Behaviour =
  /** Answers well and soon. */
  | "steady"
  /** Refuses a tenth, hangs now and then, breaks off now and then. */
  | "flaky"
  /** Refuses what it has accepted before, by a status that opens no circuit. */
  | "wary"
  /** Never takes a third of the events, and is away now and then: its consumer reads the rest. */
  | "lossy";

export type Ordering = "parallel" | "fifo" | "subject";

/**
 * How its consumer sends receipts. `each`: of what its receiver has accepted, mostly. `walk`: it reads
 * what is missed, and confirms all up to there, or what it got, in turns.
 */
export type Confirming = "each" | "walk";

export type Hook = ReturnType<typeof createHook>;

const answerMaxMs = 4;

/** Longer than the time-out of the endpoints. */
const hangMs = 3_000;

/** What is refused so late is often confirmed before. */
const refuseLateMs = 1_500;

/** A lossy one is away at the beginning of each of these times, long enough for its circuit. */
const awayEveryMs = 20_000;
const awayMs = 5_000;

/**
 * After the answer to a receipt: those who push may be stopped, or cut off from everything that would
 * tell them, and what they had sent then may be on its way for as long. With nothing wrong it is the
 * time of a look at the database.
 */
const unheardMaxMs = 15_000;
const unheardInCalmMaxMs = 5_000;

export function createHook(options: {
  name: string;
  tenant: string;
  types: string | undefined;
  ordering: Ordering;
  behaviour: Behaviour;
  /** Its schedule is short, so that what fails a few times is dead. */
  isHasty: boolean;
  confirming: Confirming | undefined;
  phase: () => Phase;
  /** Nothing has been wrong for a while. */
  isCalm: () => boolean;
  violations: Violations;
}) {
  const { name, ordering, behaviour, confirming, phase, isCalm, violations } = options;
  /** By sequence. */
  const accepted: number[] = [];
  const previous: number[] = [];
  const checksums: number[] = [];
  /** The highest that was accepted, of each subject or of all. */
  const highest = new Map<string, number>();
  /** Delivered by the ledger before the endpoint was sent back. */
  const settled = new Set<number>();
  /** Had by its consumer in another way. */
  const handled = new Set<number>();
  const confirmations = createConfirmations();
  /** Accepted and not yet looked at by a consumer that sends receipts for each, by its number. */
  const heard: { id: string; sequence: number; request: number }[] = [];
  /** Accepted by replay, the events by sequence. */
  const replayed = new Map<string, Set<number>>();
  /** Accepted, and not sent by a replay. */
  const pushed = new Set<number>();
  const pulse = createPulse();
  const latencies = createPhaseLatencies();
  let webhook: Webhook | undefined;
  let requests = 0;
  let repeats = 0;
  return {
    ...options,
    ...{ accepted, previous, checksums, settled, handled, confirmations, heard, replayed },
    ...{ pulse, latencies, receive, id: "" },
    requests: () => requests,
    /** Accepted again after they had been accepted. */
    repeats: () => repeats,
    verifyWith(secret: string): void {
      webhook = new Webhook(secret);
    },
  };

  /** The status to answer with; undefined to break off. */
  async function receive(headers: IncomingMessage["headers"], body: Buffer) {
    requests += 1;
    const sequence = Number(headers["tidegate-sequence"]);
    const replay = headers["tidegate-replay"]?.toString();
    check(sequence, headers, body);
    if (replay === undefined) checkUnconfirmed(sequence);
    const status = statusFor(sequence);
    if (status === undefined || status >= 300) {
      await delay(refuseMs(sequence, replay));
      return status;
    }
    await delay(sequence % (answerMaxMs + 1));
    accept(sequence, body, replay);
    return status;
  }

  function refuseMs(sequence: number, replay: string | undefined): number {
    if (behaviour === "lossy") {
      // Replays have little room, and are to come to their end.
      return sequence % 2 === 0 && replay === undefined ? refuseLateMs : 1;
    }
    // A sixteenth of what is refused hangs until the gateway has given up.
    return sequence % 16 === 0 ? hangMs : 1;
  }

  function checkUnconfirmed(sequence: number): void {
    const at = confirmations.at(sequence);
    if (at === undefined) return;
    const ms = performance.now() - at;
    if (ms < (isCalm() ? unheardInCalmMaxMs : unheardMaxMs)) return;
    violations.report("confirmed", `${name}: ${sequence} is pushed ${Math.round(ms)} ms later`);
  }

  function statusFor(sequence: number): number | undefined {
    switch (behaviour) {
      case "steady":
        return 200;
      case "wary":
        return accepted[sequence] === undefined ? 200 : 422;
      case "flaky": {
        // Not by the attempt, which a probe leaves as it is.
        const draw = (sequence * 7 + requests * 13) % 40;
        return draw === 0 ? undefined : draw < 4 ? 503 : 204;
      }
      case "lossy":
        if (phase() === "during" && performance.now() % awayEveryMs < awayMs) return 503;
        return sequence % 3 === 0 ? 422 : 200;
    }
  }

  function check(sequence: number, headers: IncomingMessage["headers"], body: Buffer): void {
    try {
      webhook?.verify(body, headers as Record<string, string>);
    } catch (error) {
      violations.report("bytes", `${name}: ${sequence}: ${String(error)}`);
    }
    same("bytes", checksums, sequence, crc32(body));
    same("previous", previous, sequence, Number(headers["tidegate-previous-sequence"]));
  }

  function same(
    check: "bytes" | "previous",
    known: number[],
    sequence: number,
    value: number,
  ): void {
    const first = (known[sequence] ??= value);
    if (first !== value) violations.report(check, `${name}: ${sequence}: ${first}, then ${value}`);
  }

  function accept(sequence: number, body: Buffer, replay: string | undefined): void {
    const event = JSON.parse(body.toString()) as Pushed;
    accepted[sequence] = (accepted[sequence] ?? 0) + 1;
    if (confirming === "each") heard.push({ id: event.id, sequence, request: requests });
    if (replay !== undefined) {
      replayed.set(replay, (replayed.get(replay) ?? new Set()).add(sequence));
      return;
    }
    pulse.beat();
    if (pushed.has(sequence)) repeats += 1;
    pushed.add(sequence);
    if (accepted[sequence] > 1 || handled.has(sequence)) return;
    latencies[phase()].record(Date.now() - event.data.at);
    if (ordering === "parallel") return;
    const key = ordering === "fifo" ? "" : event.subject;
    const last = highest.get(key) ?? 0;
    if (sequence < last) violations.report("order", `${name}: ${sequence} after ${last}`);
    else highest.set(key, sequence);
  }
}

type Pushed = { id: string; subject: string; data: { at: number } };

/** Resolves to the server's URL; an endpoint's path is its name. */
export async function startHooks(hooks: readonly Hook[], opening: AsyncDisposableStack) {
  const byPath = new Map(hooks.map((hook) => [`/${hook.name}`, hook]));
  const server = createServer((incoming, outgoing) => {
    // The other side went away: that is what the run is about.
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  opening.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const status = await byPath.get(incoming.url ?? "")?.receive(incoming.headers, body);
    if (status === undefined) outgoing.destroy();
    else outgoing.writeHead(status).end();
  }
}
