/**
 * `npm run demo`: shows in half a minute that what is appended reaches everyone who wants it, in
 * whichever way they take it and however badly they behave. A gateway is started, real webhook
 * payloads are appended for several tenants, and every byte that arrives is compared. Ends with 0
 * only when nothing was lost and nothing differed.
 */
import { randomInt } from "node:crypto";
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startGateway, type Gateway } from "./gateway.ts";
import { consumers, createLedger, type Ledger } from "./ledger.ts";
import { readPayloads, shufflePayloads, type Payload } from "./payloads.ts";
import { count, resultTable, startProgress } from "./report.ts";
import { openTenant, type Tenant } from "./tenants.ts";

const tenants = ["acme", "globex", "initech", "umbrella"];

/** From the start of the gateway to the last event; an idle machine needs less than half. */
const deadlineMs = 55_000;

/** How much later than its connections a process ends, seen from here. */
const endNoticedMs = 500;

/** What a shell shows for a process that Ctrl-C has ended. */
const interruptedStatus = 130;

const seed = readSeed();
const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => interrupted.abort(new Error(`ended by ${name}`)));
}
process.exitCode = await show(seed);

function readSeed(): number {
  try {
    const { values } = parseArgs({ options: { seed: { type: "string" } } });
    if (values.seed === undefined) return randomInt(1, 1_000_000);
    if (!/^\d{1,15}$/.test(values.seed)) throw new Error("--seed takes a whole number");
    return Number(values.seed);
  } catch (error) {
    process.stderr.write(`${String(error)}\nusage: npm run demo -- [--seed N]\n`);
    process.exit(2);
  }
}

async function show(seed: number): Promise<number> {
  const startedAt = performance.now();
  const payloads = readPayloads();
  const ledger = createLedger(
    new Map(tenants.map((tenant) => [tenant, shufflePayloads(payloads, seed, tenant)])),
  );
  say(introduction(payloads, ledger));
  await run(ledger, startedAt).catch((error: unknown) => ledger.fault(reasonOf(error)));
  if (interrupted.signal.aborted) {
    say("\nStopped before the end.");
    return interruptedStatus;
  }
  say(`\n${resultTable(ledger)}\n`);
  return judge(ledger, performance.now() - startedAt);
}

/** Starts everything, plays it, and stops what it started, last first. */
async function run(ledger: Ledger, startedAt: number): Promise<void> {
  await using opened = new AsyncDisposableStack();
  const ending = new AbortController();
  const deadline = AbortSignal.timeout(deadlineMs);
  const starting = AbortSignal.any([interrupted.signal, deadline]);
  const gateway = await startGateway(starting);
  opened.defer(() => stopGateway(gateway, ledger));
  say(
    `The gateway runs at ${gateway.url} as process ${gateway.pid}, with a database of its own, ` +
      `after ${((performance.now() - startedAt) / 1_000).toFixed(1)} s.\n`,
  );

  const signal = AbortSignal.any([starting, gateway.lost, ending.signal]);
  setMaxListeners(0, signal); // each request and pause listens to it
  const stage = { gateway, ledger, seed, signal };
  const ready: Tenant[] = [];
  for (const name of tenants) {
    const tenant = await openTenant(stage, name);
    opened.defer(() => tenant.stop());
    ready.push(tenant);
  }
  const progress = startProgress(ledger, startedAt);
  const playing = ready.map((tenant) => tenant.play());
  try {
    await Promise.all(playing);
  } catch (error) {
    // What breaks when the gateway ends tells less than that it did, and is noticed before it.
    await delay(endNoticedMs, undefined, { signal }).catch(() => undefined);
    if (!gateway.lost.aborted) throw signal.aborted ? signal.reason : error;
  } finally {
    progress.stop();
    ending.abort(); // those that still run when one has failed
    await Promise.allSettled(playing);
  }
}

async function stopGateway(gateway: Gateway, ledger: Ledger): Promise<void> {
  const status = await gateway.stop();
  if (gateway.lost.aborted) ledger.fault(reasonOf(gateway.lost.reason));
  else if (status !== 0) ledger.fault(`the gateway ended with ${status} when it was stopped`);
  const failed = ledger.counts.faults > 0 && gateway.log.length > 0;
  if (failed) say(["", "The end of the gateway's log:", ...gateway.log].join("\n"));
}

function introduction(payloads: readonly Payload[], ledger: Ledger): string {
  const sizes = payloads.map(({ data }) => Buffer.byteLength(data));
  const megabytes = sizes.reduce((sum, size) => sum + size, 0) / 1e6;
  const largest = Math.max(...sizes) / 1e3;
  return `
Tidegate demo, seed ${seed} (the same again: npm run demo -- --seed ${seed})

${count(payloads.length)} real GitHub webhook payloads (${megabytes.toFixed(1)} MB, the largest ${largest.toFixed(0)} kB) are appended for each of
${tenants.length} tenants (${tenants.join(", ")}): ${count(ledger.expected)} events. Each tenant has four consumers:

  a steady receiver of webhooks, which verifies each signature with \`standardwebhooks\`
  a flaky receiver, which also answers a third with 500 and some not at all, until they are retried
  a poller, which walks GET /events?cursor=… page by page
  a stream reader, which is cut off all the time and resumes with Last-Event-ID

All of them compare what they get, byte for byte, with what was appended.
`;
}

/** Says what it comes to; 0 when all went well. */
function judge(ledger: Ledger, elapsedMs: number): number {
  const { counts, expected, faults, took } = ledger;
  const seconds = (elapsedMs / 1_000).toFixed(1);
  const lost = consumers.reduce((sum, consumer) => sum + expected - took(consumer), 0);
  if (consumers.some((consumer) => ledger.duplicates(consumer) > 0)) {
    say(
      "Duplicates: some answers were too late for the endpoint's time-out, so it was sent again.\n",
    );
  }
  if (lost === 0 && counts.faults === 0) {
    say(
      `Passed in ${seconds} s: nothing was lost, no byte differed, all ${count(counts.signatures)} ` +
        "signatures were right,\nand each tenant's sequence has no hole.",
    );
    return 0;
  }
  say(`FAILED after ${seconds} s (seed ${seed}): ${count(lost)} deliveries lost`);
  for (const fault of faults) say(`  ${fault}`);
  if (counts.faults > faults.length) say(`  and ${counts.faults - faults.length} more`);
  return 1;
}

function reasonOf(error: unknown): string {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `not all had arrived ${deadlineMs / 1_000} s after the start`;
  }
  return error instanceof Error ? error.message : String(error);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
