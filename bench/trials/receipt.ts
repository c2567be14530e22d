/**
 * Goal: a consumer that was down closes the hole itself, and what it closed is not pushed again.
 * Method: an endpoint whose receiver was well goes down, and gets 100,000 events. Its consumer reads
 * what it has missed, page by page, and sends one receipt through the last cursor. Then the receiver
 * is back: whatever comes to it is counted, and so is how long the next new event takes.
 */
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";
import type { HookOperations } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import { circuitOf, createEndpoint, rowsOf, rowsSum, until } from "./endpoints.ts";
import type { Client } from "./client.ts";
import { createTenants, type Stage } from "./stage.ts";
import { count, figure, promise, type Outcome, type Trial } from "./trial.ts";

const tenant = "down";
const path = `/${tenant}`;

const eventsBefore = 100;
const pageEvents = 1_000;

/** After a receipt the next probe is due this long after the last failure. */
const quietMs = 12_000;

/** "At once", on a machine that is busy. */
const soonMs = 2_000;

const patienceSeconds = 60;

type Sizes = { events: number };
const full: Sizes = { events: 100_000 };
const small: Sizes = { events: 3_000 };

export const receipt: Trial = {
  name: "receipt",
  what: "100,000 events behind an endpoint that is down, pulled and settled by one receipt",
  run,
};

async function run(stage: Stage): Promise<Outcome> {
  const { events } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const sql = stage.connect(databaseUrl);
  const hooks = stage.startWorker<HookOperations>("hooks");
  const producers = stage.startWorker<ProducerOperations>("producers");
  const url = await hooks.call("open", {});
  await createTenants(client, sql, [tenant]);
  const endpoint = await createEndpoint(client, { tenant, url: url + path });
  const site = { url: gateway.url, key: stage.key };

  stage.say("well");
  await producers.call("fill", { ...site, tenant, events: eventsBefore });
  await until("all delivered", patienceSeconds, async () => {
    return (await rowsOf(sql, endpoint)).deliveries === eventsBefore;
  });
  await hooks.call("take");
  stage.say(`down through ${count(events)} events`);
  await hooks.call("close", { url });
  const filled = await producers.call("fill", { ...site, tenant, events });
  await until("the circuit open", patienceSeconds, async () => {
    return (await circuitOf(sql, endpoint)).circuit !== "closed";
  });

  stage.say("the consumer reads what it has missed");
  const pull = await readMissed(client, endpoint.id);
  const before = await rowsOf(sql, endpoint);
  const sentAt = performance.now();
  const told = await settle(client, endpoint.id, pull.cursor);
  const receiptMs = performance.now() - sentAt;
  const after = await rowsOf(sql, endpoint);

  stage.say("back");
  await hooks.call("open", { url });
  await delay(quietMs);
  const pushed = await hooks.call("count", { paths: [path] });
  const appendedAt = nowMs();
  await producers.call("fill", { ...site, tenant, events: 1 });
  await until("the next event pushed", patienceSeconds, async () => {
    return (await hooks.call("count", { paths: [path] })) > pushed;
  });
  // Whatever would follow the first that is answered.
  await delay(soonMs);
  const came = (await hooks.call("take")).get(path);
  const sequences = [...(came?.sequence ?? [])];
  const old = sequences.filter((sequence) => sequence <= eventsBefore + events).length;
  const nextMs =
    (came?.at[sequences.indexOf(eventsBefore + events + 1)] ?? Number.NaN) - appendedAt;
  return {
    findings: [
      promise(
        "events that the consumer found missing, each once and in order",
        filled.acknowledged === events && pull.events === events && pull.inOrder,
        `${count(pull.events)} of ${count(events)}`,
      ),
      promise(
        "rows that the receipt added to those of deliveries that were tried",
        rowsSum(after) <= rowsSum(before),
        `${count(rowsSum(after) - rowsSum(before))}; ${count(told.settled)} deliveries settled`,
      ),
      promise("of those events pushed when it was back", old === 0, count(old)),
      promise(
        `the next new event pushed at once, within ${count(soonMs)} ms`,
        sequences.length === 1 && nextMs <= soonMs,
        `${count(sequences.length)} pushes; ${nextMs.toFixed(0)} ms from its append`,
      ),
      figure("the consumer's walk", `${(pull.ms / 1_000).toFixed(1)} s for ${pull.pages} pages`),
      figure("the receipt", `${receiptMs.toFixed(0)} ms`),
    ],
  };
}

type Page = { events: readonly { sequence: string }[]; cursor: string; has_more: boolean };

async function readMissed(client: Client, id: string) {
  const startedAt = performance.now();
  let [events, pages, last] = [0, 0, 0];
  let inOrder = true;
  let cursor = "";
  for (let isMore = true; isMore; pages += 1) {
    const place = cursor === "" ? "" : `&cursor=${cursor}`;
    const target = `/endpoints/${id}/missed?limit=${pageEvents}${place}`;
    const page = (await client.expect("GET", target)) as Page;
    for (const { sequence } of page.events) {
      inOrder &&= Number(sequence) > last;
      last = Number(sequence);
    }
    events += page.events.length;
    ({ cursor } = page);
    isMore = page.has_more;
  }
  return { events, pages, inOrder, cursor, ms: performance.now() - startedAt };
}

async function settle(client: Client, endpoint: string, through: string) {
  const body = JSON.stringify({ endpoint, through, status: "processed" });
  return (await client.expect("POST", "/receipts", body)) as { settled: number };
}
