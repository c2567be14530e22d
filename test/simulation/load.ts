/** The load: producers append and readers read until they are told to stop, in that order. */
import { setTimeout as delay } from "node:timers/promises";
import { waitUntil } from "../support/wait.ts";
import type { World } from "./world.ts";

export type Load = Awaited<ReturnType<typeof startLoad>>;

/** Of what was under way when the producers were told to stop: every process answers by then. */
const settleMaxMs = 120_000;

/** Longer than the longest wait for a probe or a retry. */
const catchUpMaxMs = 150_000;

/** Of whoever waits for no probe. All retries are due within some seconds. */
const stillMaxMs = 30_000;

const lookEveryMs = 200;
const sayEveryMs = 10_000;

/** Resolves when events have come to everybody once. */
export async function startLoad(world: World, opening: AsyncDisposableStack) {
  const { producers, readers, hooks, confirmers, consumers, say } = world;
  const producing = new AbortController();
  const reading = new AbortController();
  const produced = Promise.all(producers.map((producer) => producer.run(producing.signal)));
  const read = Promise.all(
    [...readers, ...consumers, ...confirmers].map((each) => each.run(reading.signal)),
  );
  opening.defer(async () => {
    producing.abort();
    reading.abort();
    await Promise.allSettled([produced, read]);
  });
  await waitUntil(
    () =>
      [...readers, ...consumers].every(({ sequences }) => sequences.length > 0) &&
      hooks.every(({ accepted }) => accepted.length > 0),
    { deadlineMs: settleMaxMs, what: "the first event of everybody" },
  );
  return { stop };

  /** Ends the producers, lets everybody come to the end of the log, and ends the readers. */
  async function stop(): Promise<void> {
    say("the load ends");
    producing.abort();
    const isOver = await Promise.race([
      produced.then(() => true),
      delay(settleMaxMs, false, { ref: false }),
    ]);
    if (!isOver) world.violations.report("answered", "some appends never were, with no fault left");
    say("waiting for everybody to come to the end");
    for (const { pulse } of [...readers, ...consumers, ...hooks]) pulse.rest();
    const late = await whoIsLate(world);
    for (const name of late) world.violations.report("caughtUp", name);
    reading.abort();
    await read;
  }
}

/** Those who have not come to the end of their tenant's log in time, or come no further. */
async function whoIsLate(world: World): Promise<string[]> {
  const startedAt = performance.now();
  /** Since when each is where it is. */
  let since = new Map<string, number>();
  for (let saidAt = startedAt; ;) {
    const lateOnes = [
      ...(await lateReaders(world)),
      ...(await lateEndpoints(world)),
      ...(await lateReplays(world)),
    ];
    const late = lateOnes.map(({ what }) => what);
    const now = performance.now();
    since = new Map(late.map((what) => [what, since.get(what) ?? now]));
    const isStill = ({ what, isProbed }: Late) =>
      !isProbed && now - (since.get(what) ?? now) > stillMaxMs;
    if (late.length === 0 || lateOnes.some(isStill) || now - startedAt > catchUpMaxMs) return late;
    if (now - saidAt > sayEveryMs) {
      world.say(`late: ${late.join("; ")}`);
      saidAt = now;
    }
    await delay(lookEveryMs);
  }
}

/** `isProbed`: it waits for its circuit, for a minute at most. */
type Late = { readonly what: string; readonly isProbed: boolean };

async function lateReaders({ sql, readers, consumers }: World): Promise<Late[]> {
  const ends = await sql<{ tenant: string; type: string; last: number }[]>`
    select t.name as tenant, e.type, max(e.sequence) as last
    from events e join tenants t on t.id = e.tenant group by t.name, e.type`;
  return [...readers, ...consumers].flatMap(({ name, tenant, types, sequences }) => {
    const mine = ends.filter(
      (end) => end.tenant === tenant && [undefined, end.type].includes(types),
    );
    const last = Math.max(0, ...mine.map((end) => end.last));
    const what = `${name} is at ${sequences.at(-1)} of ${last}`;
    return (sequences.at(-1) ?? 0) >= last ? [] : [{ what, isProbed: false }];
  });
}

/** An endpoint that owes something: before the head of its log, or with retries or subjects left. */
async function lateEndpoints({ sql, hooks }: World): Promise<Late[]> {
  const owing = await sql<Owing[]>`
    select * from (
      select replace(p.consumer::text, '-', '') as id, h.head - p.sequence as behind,
        p.circuit <> 'closed' as is_probed,
        (select count(*)::int from retries r
          where r.tenant = p.tenant and r.endpoint = p.consumer) as retrying,
        (select coalesce(sum(attempts), 0)::int from retries r
          where r.tenant = p.tenant and r.endpoint = p.consumer) as attempts,
        (select count(*)::int from blocked_subjects b
          where b.tenant = p.tenant and b.endpoint = p.consumer) as blocked
      from positions p join heads h on h.tenant = p.tenant
      -- Named consumers have positions too.
      join endpoints e on e.tenant = p.tenant and e.id = p.consumer
    ) owing where behind > 0 or retrying > 0 or blocked > 0`;
  return owing.map(({ id, is_probed: isProbed, behind, retrying, attempts, blocked }) => {
    const name = hooks.find((hook) => hook.id === `ep_${id}`)?.name ?? id;
    const retries = `${retrying} retries (${attempts} attempts so far)`;
    const what = `${name} is ${behind} behind, with ${retries} and ${blocked} subjects`;
    return { what, isProbed };
  });
}

async function lateReplays({ sql }: World): Promise<Late[]> {
  const running = await sql<{ id: string; sequence: number; circuit: string }[]>`
    -- Of an endpoint the oldest is done, and the others wait.
    select distinct on (r.endpoint) r.id, r.sequence, p.circuit
    from replays r join positions p on p.tenant = r.tenant and p.consumer = r.endpoint
    where r.status = 'running' order by r.endpoint, r.created_at`;
  return running.map(({ id, sequence, circuit }) => {
    return { what: `replay ${id} is at ${sequence}`, isProbed: circuit !== "closed" };
  });
}

type Owing = { id: string; is_probed: boolean } & Record<
  "behind" | "retrying" | "attempts" | "blocked",
  number
>;
