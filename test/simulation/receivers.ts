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
import { createPhaseLatencies, createPulse, type Phase, type Violations } from "./records.ts";

export type Behaviour =
  /** Answers well and soon. */
  | "steady"
  /** Refuses a tenth, hangs now and then, breaks off now and then. */
  | "flaky"
  /** Refuses what it has accepted before, by a status that opens no circuit. */
  | "wary";

export type Ordering = "parallel" | "fifo" | "subject";

export type Hook = ReturnType<typeof createHook>;

const answerMaxMs = 4;

/** Longer than the time-out of the endpoints. */
const hangMs = 3_000;

export function createHook(options: {
  name: string;
  tenant: string;
  types: string | undefined;
  ordering: Ordering;
  behaviour: Behaviour;
  /** Its schedule is short, so that what fails a few times is dead. */
  isHasty: boolean;
  phase: () => Phase;
  violations: Violations;
}) {
  const { name, ordering, behaviour, phase, violations } = options;
  /** By sequence. */
  const accepted: number[] = [];
  const previous: number[] = [];
  const checksums: number[] = [];
  /** The highest that was accepted, of each subject or of all. */
  const highest = new Map<string, number>();
  /** Delivered by the ledger before the endpoint was sent back. */
  const settled = new Set<number>();
  const pulse = createPulse();
  const latencies = createPhaseLatencies();
  let webhook: Webhook | undefined;
  let requests = 0;
  let repeats = 0;
  return {
    ...options,
    ...{ accepted, previous, checksums, settled, pulse, latencies, receive, id: "" },
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
    check(sequence, headers, body);
    const status = statusFor(sequence);
    if (status === undefined || status >= 300) {
      // A sixteenth of what is refused hangs until the gateway has given up.
      await delay(sequence % 16 === 0 ? hangMs : 1);
      return status;
    }
    await delay(sequence % (answerMaxMs + 1));
    accept(sequence, body);
    return status;
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

  function accept(sequence: number, body: Buffer): void {
    const event = JSON.parse(body.toString()) as { subject: string; data: { at: number } };
    accepted[sequence] = (accepted[sequence] ?? 0) + 1;
    pulse.beat();
    if (accepted[sequence] > 1) {
      repeats += 1;
      return;
    }
    latencies[phase()].record(Date.now() - event.data.at);
    if (ordering === "parallel") return;
    const key = ordering === "fifo" ? "" : event.subject;
    const last = highest.get(key) ?? 0;
    if (sequence < last) violations.report("order", `${name}: ${sequence} after ${last}`);
    else highest.set(key, sequence);
  }
}

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
