/**
 * Goal: a receiver built with `createInbox` has every effect exactly once and in order, whatever the
 * network and its own machine do to it. Method: events are appended at a steady pace for an endpoint
 * behind a proxy that loses a fifth of the pushes (half of them on the way back) and delivers a tenth
 * of them twice. The receiver is a process of its own that writes a row for each event in the inbox's
 * transaction; it is killed at moments chosen by chance and started again, and for a while its port
 * is closed altogether, until the circuit is open. In the end the rows are compared with the log.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Sql } from "../../src/db/database.ts";
import type { InboxCounts } from "../../src/client/inbox/handling.ts";
import { nowMs } from "../clock.ts";
import type { Worker } from "../worker.ts";
import type { ChaosCounts, ChaosOperations } from "../workers/chaos.ts";
import type {
  InboxReceiverOperations,
  InboxReceiverOptions,
  ToldErrors,
} from "../workers/inbox-receiver.ts";
import { createChance } from "./chance.ts";
import type { Client } from "./client.ts";
import { circuitOf, until } from "./endpoints.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { readLog } from "./pages.ts";
import type { Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const tenant = "acme";
const shares = { lost: 0.2, doubled: 0.1 };
const appendEveryMs = 50;
const batchMax = 500;

/** How long a receiver lives at least, and is away at most. */
const lifeMinMs = 500;
const awayMaxMs = 600;
const lookMs = 100;
const patienceSeconds = 400;

/** What is still on its way when all is there would be an effect too many. */
const quietMs = 2_000;

type Sizes = {
  events: number;
  perSecond: number;
  kills: number;
  lifeMaxMs: number;
  downMs: number;
};
const full: Sizes = {
  events: 20_000,
  perSecond: 100,
  kills: 20,
  lifeMaxMs: 18_000,
  downMs: 20_000,
};
const small: Sizes = { events: 1_000, perSecond: 150, kills: 3, lifeMaxMs: 1_500, downMs: 1_500 };

export const inbox: Trial = {
  name: "inbox",
  what: "a receiver with an inbox, killed again and again behind a network that loses and doubles",
  run,
};

type Effect = { readonly sequence: number; readonly event: string; readonly came_by: string };

async function run(stage: Stage): Promise<Outcome> {
  const sizes = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const client = stage.openClient(gateway);
  const consumerUrl = await stage.createDatabase(databaseUrl);
  const sql = stage.connect(consumerUrl);
  await sql`create table effects (
    n bigint generated always as identity, sequence bigint, event text, came_by text)`;
  const chaos = stage.startWorker<ChaosOperations>("chaos");
  const receivers = await startReceivers(stage);
  const url = await chaos.call("open", { url: receivers.url, seed: stage.seed, shares });
  await client.expect("PUT", `/tenants/${tenant}`, "{}");
  const endpoint = (await client.expect(
    "POST",
    "/endpoints",
    JSON.stringify({ tenant, url, retry_schedule: Array<string>(12).fill("2s") }),
  )) as { id: string; secret: string };
  const { key } = (await client.expect(
    "POST",
    "/keys",
    JSON.stringify({ tenant, scopes: ["receive"] }),
  )) as { key: string };
  const start = () =>
    receivers.start({
      ...{ databaseUrl: consumerUrl, gatewayUrl: gateway.url, key },
      ...{ endpoint: endpoint.id, secret: endpoint.secret },
    });
  await start();

  const startedAt = nowMs();
  const appending = append(client, sizes);
  const killing = killAgainAndAgain(stage, sizes, { receivers, start });
  const opened = holdWhenHalf(stage, sizes, {
    chaos,
    effects: () => effectsIn(sql),
    isOpen: async () => {
      const uuid = endpointUuid(endpoint.id) ?? "";
      const { circuit } = await circuitOf(stage.connect(databaseUrl, 1), {
        ...{ id: endpoint.id, uuid },
      });
      return circuit !== "closed";
    },
  });
  await Promise.all([appending, killing, opened]);
  stage.say("waiting for the rest");
  await until("all effects", patienceSeconds, async () => (await effectsIn(sql)) >= sizes.events);
  const seconds = (nowMs() - startedAt) / 1_000;
  await delay(quietMs);
  const { counts, errors } = await receivers.tell();
  const network = await chaos.call("tell");
  const effects = await sql<Effect[]>`select sequence, event, came_by from effects order by n`;
  const log = await readLog<unknown>(client, tenant);
  return {
    findings: [
      ...effectFindings(effects, log),
      promise("the circuit opened while the port was closed", await opened, String(await opened)),
      ...figures(effects, counts, network, { kills: receivers.kills(), seconds }),
    ],
    notes: [notesOf(errors)],
  };
}

/** One receiver after the other on one port; their counts are added up, as far as they told them. */
async function startReceivers(stage: Stage) {
  let worker = stage.startWorker<InboxReceiverOperations>("inbox-receiver");
  const port = await worker.call("reserve");
  const ended: InboxCounts[] = [];
  const errors = new Map<string, number>();
  let last: { counts: InboxCounts | undefined; errors: ToldErrors } | undefined;
  let kills = 0;
  return { url: `http://127.0.0.1:${port}`, start, look, kill, tell, kills: () => kills };

  async function start(options: Omit<InboxReceiverOptions, "port">): Promise<void> {
    if (kills > 0) worker = stage.startWorker<InboxReceiverOperations>("inbox-receiver");
    await worker.call("open", { ...options, port });
  }

  async function look(): Promise<void> {
    last = await worker.call("tell");
  }

  async function kill(): Promise<void> {
    kills += 1;
    await worker.kill();
    keep();
  }

  function keep(): void {
    if (last?.counts !== undefined) ended.push(last.counts);
    for (const [text, times] of Object.entries(last?.errors ?? {})) {
      errors.set(text, (errors.get(text) ?? 0) + times);
    }
    last = undefined;
  }

  async function tell() {
    await look();
    keep();
    const sum = (name: keyof InboxCounts) => ended.reduce((all, each) => all + each[name], 0);
    const counts = {
      duplicates: sum("duplicates"),
      postponed: sum("postponed"),
      receipts: sum("receipts"),
    };
    return { counts, errors };
  }
}

type Receivers = Awaited<ReturnType<typeof startReceivers>>;

/** What is due is appended together, so that a slow machine keeps the pace too. */
async function append(client: Client, { events, perSecond }: Sizes): Promise<void> {
  const startedAt = nowMs();
  for (let n = 0; n < events;) {
    const due = Math.min(events, Math.ceil(((nowMs() - startedAt) / 1_000) * perSecond));
    const some = Array.from({ length: Math.min(batchMax, due - n) }, (_, index) => ({
      ...{ tenant, type: "order.created", data: { n: n + index } },
    }));
    n += some.length;
    if (some.length > 0) {
      await client.expect("POST", "/events", JSON.stringify({ events: some }));
    }
    await delay(appendEveryMs);
  }
}

async function killAgainAndAgain(
  stage: Stage,
  { kills, lifeMaxMs }: Sizes,
  { receivers, start }: { receivers: Receivers; start: () => Promise<void> },
): Promise<void> {
  const chance = createChance(stage.seed + 1);
  for (let kill = 1; kill <= kills; kill += 1) {
    const endsAt = nowMs() + lifeMinMs + chance.below(lifeMaxMs - lifeMinMs);
    while (nowMs() < endsAt) {
      await receivers.look();
      await delay(Math.min(lookMs, Math.max(0, endsAt - nowMs())));
    }
    await receivers.kill();
    stage.say(`killed ${kill} times`);
    await delay(chance.below(awayMaxMs));
    await start();
  }
}

/** Closes the port for a while when half is handled; tells whether the circuit opened meanwhile. */
async function holdWhenHalf(
  stage: Stage,
  { events, downMs }: Sizes,
  site: {
    chaos: Worker<ChaosOperations>;
    effects: () => Promise<number>;
    isOpen: () => Promise<boolean>;
  },
): Promise<boolean> {
  await until("half of the effects", patienceSeconds, async () => {
    return (await site.effects()) >= events / 2;
  });
  stage.say("the port is closed");
  await site.chaos.call("close");
  await delay(downMs);
  let isOpen = false;
  await until("the circuit open", patienceSeconds, async () => (isOpen = await site.isOpen()));
  stage.say("the port is open again");
  await site.chaos.call("reopen");
  return isOpen;
}

async function effectsIn(sql: Sql): Promise<number> {
  const [row] = await sql<{ effects: number }[]>`select count(*) as effects from effects`;
  return Number(row?.effects ?? 0);
}

function effectFindings(
  effects: readonly Effect[],
  log: readonly { readonly id: string }[],
): Finding[] {
  const distinct = new Set(effects.map(({ event }) => event));
  const lost = log.filter(({ id }) => !distinct.has(id)).length;
  const twice = effects.length - distinct.size;
  const late = effects.filter(({ sequence }, index) => {
    return index > 0 && Number(sequence) <= Number(effects[index - 1]?.sequence);
  });
  return [
    promise("events without an effect", lost === 0, `${count(lost)} of ${count(log.length)}`),
    promise("effects that happened twice", twice === 0, count(twice)),
    promise("effects out of order", late.length === 0, count(late.length)),
  ];
}

function figures(
  effects: readonly Effect[],
  counts: Pick<InboxCounts, "duplicates" | "postponed" | "receipts">,
  network: ChaosCounts,
  { kills, seconds }: { kills: number; seconds: number },
): Finding[] {
  const by = (way: string) => count(effects.filter(({ came_by }) => came_by === way).length);
  const { came, lostBefore, lostAfter, doubled, refused, succeeded } = network;
  return [
    figure("effects that came by push, by pull", `${by("push")}, ${by("pull")}`),
    figure("pushes sent, answered with success", `${count(came)}, ${count(succeeded)}`),
    figure(
      "pushes lost on the way there, on the way back, delivered twice",
      [lostBefore, lostAfter, doubled].map(count).join(", "),
    ),
    figure("pushes while the receiver was away", count(refused)),
    figure(
      "duplicates refused, pushes told to come again, at least",
      [count(counts.duplicates), count(counts.postponed)].join(", "),
    ),
    figure("receipts sent, at least", count(counts.receipts)),
    figure("kills of the receiver, seconds in all", `${kills}, ${seconds.toFixed(0)}`),
  ];
}

function notesOf(errors: ReadonlyMap<string, number>): string {
  const lines = [...errors].map(([text, times]) => `  ${times} × ${text.slice(0, 160)}`);
  return ["what the inbox told of, at least", ...(lines.length === 0 ? ["  nothing"] : lines)].join(
    "\n",
  );
}
