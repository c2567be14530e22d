/**
 * Goal: a key makes one event, whoever repeats it, wherever and when. Method, over two gateway
 * processes on one database: (a) rounds of 50 identical appends at once; (b) 100,000 appends with
 * keys, single and in batches over several tenants, of which a fifth repeats a key, half of these
 * so soon that the first is mostly still under way, and a fifth of them with other content. Every
 * tenant uses the same keys. At the end the logs are read over HTTP and compared with the answers:
 * which of two that race comes first is chance, but everything else must follow from it.
 */
import { createChance, type Chance } from "./chance.ts";
import type { Client } from "./client.ts";
import { densePromise, storedLogs } from "./logs.ts";
import { readLog } from "./pages.ts";
import { createTenants, type Stage } from "./stage.ts";
import { count, figure, promise, type Finding, type Outcome, type Trial } from "./trial.ts";

const tenants = Array.from({ length: 8 }, (_, index) => `keyed-${index}`);

const atOnce = 50;

/** Requests under way at each gateway. */
const lanes = 24;

/** Of the requests; a batch has 13 events on average, so most events come in one. */
const singleShare = 0.75;
const batchMaxEvents = 25;

const repeatShare = 0.2;
/** Of the repeats. */
const soonShare = 0.5;
const otherContentShare = 0.2;
/** How far behind its first a repeat that comes soon stands in the line. */
const soonDistance = 60;

type Sizes = { rounds: number; appends: number };
const full: Sizes = { rounds: 100, appends: 100_000 };
const small: Sizes = { rounds: 10, appends: 4_000 };

export const keyed: Trial = {
  name: "keyed",
  what: "appends with keys, repeated at once and later, to two gateways",
  run,
};

/** One append to be made; `content` tells appends under one key apart. */
type Item = { readonly tenant: string; readonly key: string; readonly content: number };

type Answered = Item & {
  /** 201, 200 or what it was refused with. */
  readonly status: number;
  readonly id: string;
  readonly sequence: string;
  readonly slug: string;
};

type Result = {
  readonly status: number;
  readonly id?: string;
  readonly sequence?: string;
  readonly problem?: { readonly type: string };
};

async function run(stage: Stage): Promise<Outcome> {
  const { rounds, appends } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateways = [
    await stage.startGateway(databaseUrl),
    await stage.startGateway(databaseUrl),
  ] as const;
  const clients = gateways.map((gateway) => stage.openClient(gateway, atOnce));
  const sql = stage.connect(databaseUrl);
  await createTenants(stage.openClient(gateways[0]), sql, [...tenants, "at-once"]);

  stage.say(`${rounds} rounds of ${atOnce} identical appends`);
  const together = await repeatAtOnce(clients, rounds);
  stage.say(`${count(appends)} appends`);
  const plan = createPlan(appends, createChance(stage.seed));
  const startedAt = performance.now();
  const answers = await appendAll(clients, plan, createChance(stage.seed + 1));
  const seconds = (performance.now() - startedAt) / 1_000;

  stage.say("comparing");
  const stored: Stored[] = [];
  for (const tenant of tenants) {
    for (const { id, sequence, data } of await readLog<Item>(stage.openClient(gateways[1]), tenant))
      stored.push({ ...data, tenant, id, sequence });
  }
  return {
    findings: [
      together,
      ...compare(answers, stored, new Set(plan.map(nameOf)).size),
      densePromise(await storedLogs(sql)),
      figure("rate, both gateways", `${count(appends / seconds)} appends/s`),
    ],
  };
}

async function repeatAtOnce(clients: readonly Client[], rounds: number): Promise<Finding> {
  let exact = 0;
  for (let round = 1; round <= rounds; round += 1) {
    const item = { tenant: "at-once", key: `round ${round}`, content: round };
    const body = bodyOf(item);
    const answers = await Promise.all(
      Array.from({ length: atOnce }, (_, index) =>
        pick(clients, index).send("POST", "/events", body),
      ),
    );
    const firsts = answers.filter(({ status }) => status === 201).length;
    const repeats = answers.filter(({ status }) => status === 200).length;
    const ids = new Set(answers.map(({ text }) => (JSON.parse(text) as Result).id));
    if (firsts === 1 && repeats === atOnce - 1 && ids.size === 1) exact += 1;
  }
  const [log] = [await readLog(pick(clients, 0), "at-once")];
  return promise(
    `${atOnce} identical appends at once make one event`,
    exact === rounds && log.length === rounds,
    `${exact} of ${rounds} rounds, ${log.length} events`,
  );
}

/** The appends in the order in which they are sent. */
function createPlan(appends: number, chance: Chance): Item[] {
  const keys = Math.round(appends * (1 - repeatShare));
  const placed: { item: Item; place: number }[] = [];
  for (let index = 0; index < keys; index += 1) {
    const tenant = pick(tenants, index);
    const key = `key ${Math.floor(index / tenants.length)}`;
    placed.push({ item: { tenant, key, content: 0 }, place: index });
  }
  for (let repeat = keys; repeat < appends; repeat += 1) {
    const first = chance.below(keys);
    const distance = chance.happens(soonShare) ? soonDistance : keys - first;
    const content = chance.happens(otherContentShare) ? 1 + chance.below(2) : 0;
    const item = { ...pick(placed, first).item, content };
    placed.push({ item, place: first + chance.below(distance) + 0.5 });
  }
  return placed.toSorted((a, b) => a.place - b.place).map(({ item }) => item);
}

/** Sends the plan in its order, as single appends and batches, each to one of the gateways. */
async function appendAll(
  clients: readonly Client[],
  plan: readonly Item[],
  chance: Chance,
): Promise<Answered[]> {
  const answers: Answered[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes * clients.length }, async (_, lane) => {
      const client = pick(clients, lane);
      while (next < plan.length) {
        const size = chance.happens(singleShare) ? 1 : 1 + chance.below(batchMaxEvents);
        const items = plan.slice(next, next + size);
        next += items.length;
        answers.push(...(await append(client, items)));
      }
    }),
  );
  return answers;
}

async function append(client: Client, items: readonly Item[]): Promise<Answered[]> {
  const [first] = items;
  if (first === undefined) return [];
  if (items.length === 1) {
    const { status, text } = await client.send("POST", "/events", bodyOf(first));
    const body = JSON.parse(text) as Result & { type?: string };
    return [answered(first, { ...body, status, problem: { type: body.type ?? "" } })];
  }
  const body = `{"events":[${items.map(bodyOf).join(",")}]}`;
  const { results } = (await client.expect("POST", "/events", body)) as { results: Result[] };
  return items.map((item, index) => answered(item, pick(results, index)));
}

function answered(item: Item, { status, id = "", sequence = "", problem }: Result): Answered {
  return { ...item, status, id, sequence, slug: problem?.type.split("/").at(-1) ?? "" };
}

function bodyOf({ tenant, key, content }: Item): string {
  return JSON.stringify({ tenant, key, type: "order.created", data: { key, content } });
}

type Stored = Item & { readonly id: string; readonly sequence: string };

function compare(
  answers: readonly Answered[],
  stored: readonly Stored[],
  distinct: number,
): Finding[] {
  const events = new Map(stored.map((event) => [nameOf(event), event]));
  const firsts = answers.filter(({ status }) => status === 201);
  const repeats = answers.filter(({ status }) => status === 200);
  const conflicts = answers.filter(({ slug }) => slug === "idempotency-conflict");
  const isTrue = (answer: Answered) => {
    const event = events.get(nameOf(answer));
    return (
      event?.content === answer.content &&
      event.id === answer.id &&
      event.sequence === answer.sequence
    );
  };
  const conflictsTrue = conflicts.every(
    (answer) => events.get(nameOf(answer))?.content !== answer.content && answer.status === 422,
  );
  const others = answers.length - firsts.length - repeats.length - conflicts.length;
  const once = new Set(firsts.map(nameOf)).size === firsts.length;
  return [
    promise(
      "every key made one event",
      stored.length === distinct && events.size === distinct,
      `${count(stored.length)} events of ${count(distinct)} keys`,
    ),
    promise(
      "one append of each key was answered 201, with its event",
      once && firsts.length === distinct && firsts.every(isTrue),
      count(firsts.length),
    ),
    promise(
      "every repeat was answered 200, with the first's event",
      repeats.every(isTrue),
      count(repeats.length),
    ),
    promise("other content under a key was answered 422", conflictsTrue, count(conflicts.length)),
    promise("there was no other answer", others === 0, count(others)),
  ];
}

function nameOf({ tenant, key }: Pick<Item, "tenant" | "key">): string {
  return `${tenant}/${key}`;
}

/** The element at an index, taken around. */
function pick<T>(from: readonly T[], index: number): T {
  const picked = from[index % from.length];
  if (picked === undefined) throw new Error("nothing to pick from");
  return picked;
}
