/** What consumers have confirmed and what endpoints have missed, against the ledger at the end. */
import type { Confirmer } from "./confirmers.ts";
import type { Hook } from "./receivers.ts";
import type { World } from "./world.ts";

/** As `missed` tells them; what is accepted and waits for its receipt is not missed. */
const missedStatuses: readonly string[] = ["dead", "retrying", "waiting"];

const triesMax = 5;

/** Receipts that are asked for one by one, of each endpoint. */
const sampleMax = 20;

const pageEvents = 1_000;

/** `statuses` are those of all events that the endpoint matches, by sequence. */
export async function checkMissed(
  world: World,
  { id, name }: Hook,
  statuses: ReadonlyMap<number, string>,
): Promise<void> {
  const told: number[] = [];
  for (let cursor = "", hasMore = true; hasMore;) {
    const path = `/endpoints/${id}/missed?limit=${pageEvents}${cursor}`;
    const page = await ask<{ events: { sequence: string }[]; cursor: string; has_more: boolean }>(
      world,
      path,
    );
    told.push(...page.events.map(({ sequence }) => Number(sequence)));
    cursor = `&cursor=${page.cursor}`;
    hasMore = page.has_more;
  }
  const expected = [...statuses].flatMap(([sequence, status]) =>
    missedStatuses.includes(status) ? [sequence] : [],
  );
  if (told.join() === expected.join()) return;
  const isTold = new Set(told);
  const isExpected = new Set(expected);
  const left = expected.filter((sequence) => !isTold.has(sequence)).slice(0, sampleMax);
  const more = told.filter((sequence) => !isExpected.has(sequence)).slice(0, sampleMax);
  const what = `${told.length} told of ${expected.length}`;
  world.violations.report(
    "missed",
    `${name}: ${what}: without ${left.join()}, with ${more.join()}`,
  );
}

export async function checkConfirmer(
  world: World,
  { hook, confirming, said }: Confirmer,
  statuses: ReadonlyMap<number, string>,
): Promise<void> {
  const { violations } = world;
  const { name, confirmations } = hook;
  const confirmed: number[] = [];
  for (const [sequence, status] of statuses) {
    const isSettled = status === "delivered" || status === "settled";
    if (confirmations.at(sequence) !== undefined) {
      confirmed.push(sequence);
      if (!isSettled) violations.report("confirmed", `${name}: ${sequence} is ${status}`);
    } else if (confirming === "each" && isSettled && !said.has(sequence)) {
      violations.report("receipts", `${name}: ${sequence} is ${status}, and nobody has said so`);
    }
  }
  const every = Math.max(1, Math.ceil(confirmed.length / sampleMax));
  for (const sequence of confirmed.filter((_, index) => index % every === 0)) {
    const [event] = await world.sql<{ envelope: string }[]>`
      select e.envelope from events e join tenants t on t.id = e.tenant
      where t.name = ${hook.tenant} and e.sequence = ${sequence}`;
    const { id } = JSON.parse(event?.envelope ?? "{}") as { id: string };
    const path = `/receipts?event=${id}&endpoint=${hook.id}`;
    const { receipts } = await ask<{ receipts: { status: string }[] }>(world, path);
    if (receipts.length === 1 && receipts[0]?.status === "processed") continue;
    violations.report("receipts", `${name}: of ${sequence} ${JSON.stringify(receipts)} is found`);
  }
}

/** Nothing is made to fail any more, and still not every answer has to come at once. */
export async function ask<Answer>({ apis, say }: World, path: string): Promise<Answer> {
  const caller = apis.caller();
  for (let tries = 1; ; tries += 1) {
    try {
      const { status, text } = await caller.ask("GET", path);
      if (status === 200) return JSON.parse(text) as Answer;
      throw new Error(`${path}: ${status} ${text}`);
    } catch (error) {
      if (tries === triesMax) throw error;
      say(String(error));
      await caller.next();
    }
  }
}
