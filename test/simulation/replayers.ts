/**
 * Somebody who asks for replays all the time: of all that an endpoint was sent up to a place, of its
 * dead letters, and of what was never delivered, one job after another. What became of them is
 * counted at the end.
 */
import { setTimeout as delay } from "node:timers/promises";
import { createChance } from "../support/chance.ts";
import type { World } from "./world.ts";

export type Replayer = ReturnType<typeof createReplayer>;

/** From the end of a job to the next, and how long one waits for a job that waits for its circuit. */
const pauseMs = 1_500;
const jobMaxMs = 15_000;

const lookEveryMs = 300;

/** Endpoints, by name, and what is asked for them. */
const turns = [
  { endpoint: "all", status: "all" },
  { endpoint: "flaky", status: "dead" },
  { endpoint: "hybrid", status: "all" },
  { endpoint: "paid", status: "all" },
  { endpoint: "flaky", status: "missing" },
  { endpoint: "hybrid", status: "missing" },
] as const;

export type Asked = {
  readonly id: string;
  readonly tenant: string;
  /** Of the endpoint, or less, when it was asked. */
  readonly position: number;
};

export function createReplayer(world: World, seed: number) {
  const { apis, hooks, readers, tenants, violations } = world;
  const caller = apis.caller();
  const chance = createChance(seed);
  /** Those that were answered; others may have been made too. */
  const asked: Asked[] = [];
  return { asked, run };

  async function run(signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted; turn += 1) {
      const { endpoint, status } = turns[turn % turns.length] ?? turns[0];
      const id = await begin(`${chance.pick(tenants)}-${endpoint}`, status);
      if (id !== undefined) await waitFor(id, signal);
      await delay(pauseMs, undefined, { signal }).catch(() => {});
    }
  }

  async function begin(
    name: string,
    status: (typeof turns)[number]["status"],
  ): Promise<string | undefined> {
    const hook = hooks.find((each) => each.name === name);
    if (hook === undefined) throw new Error(`there is no endpoint ${name}`);
    const stream = readers.find(
      ({ kind, tenant, types }) =>
        kind === "stream" && tenant === hook.tenant && types === undefined,
    );
    // Some time ago, so that hardly anything up to there is still under way.
    const mark = stream?.marks.at(-1 - Math.min(50, stream.marks.length >> 1));
    const range = status === "all" && mark !== undefined ? { through: mark.cursor } : {};
    try {
      const shown = await caller.ask("GET", `/endpoints/${hook.id}`);
      const position = Number((JSON.parse(shown.text) as { position: string }).position);
      const body = JSON.stringify({ status, ...range });
      const answer = await caller.ask("POST", `/endpoints/${hook.id}/replays`, { body });
      if (answer.status === 202) {
        const { id } = JSON.parse(answer.text) as { id: string };
        asked.push({ id, tenant: hook.tenant, position });
        return id;
      }
      if (answer.status < 500) violations.report("replays", `${name}: ${answer.text}`);
    } catch {
      // It may have been made all the same.
    }
    await caller.next();
    return undefined;
  }

  async function waitFor(id: string, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + jobMaxMs;
    while (!signal.aborted && performance.now() < deadline) {
      try {
        const { text } = await caller.ask("GET", `/replays/${id}`);
        if ((JSON.parse(text) as { status: string }).status === "completed") return;
      } catch {
        await caller.next();
      }
      await delay(lookEveryMs);
    }
  }
}
