/**
 * Customers whose endpoints are well, and how long their events take: from when each was meant to
 * be appended to its arrival, at a steady rate, an open loop. Trials put something else beside
 * them and compare.
 */
import { quantile, summarize, type Summary } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import type { ProducerOperations } from "../workers/producers.ts";
import type { Client } from "./client.ts";
import { createEndpoint, until } from "./endpoints.ts";
import type { Stage } from "./stage.ts";
import { ms } from "./trial.ts";

export type Healthy = {
  /** Appends for so long, and waits until all has arrived. */
  turn(seconds: number): Promise<HealthyTurn>;
};

export type HealthyTurn = {
  readonly latencies: Float64Array;
  /** Of the appends, from when each was due to its answer. */
  readonly waits: Float64Array;
};

/** What is still on its way when the last append was answered. */
const patienceSeconds = 30;

export async function openHealthy(
  stage: Pick<Stage, "startWorker" | "key">,
  given: {
    gatewayUrl: string;
    client: Client;
    tenants: readonly string[];
    /** Events, of all tenants together. */
    perSecond: number;
    /** How long a receiver takes to answer. */
    afterMs?: number;
  },
): Promise<Healthy> {
  const { gatewayUrl, client, tenants, perSecond, afterMs = 0 } = given;
  const hooks: Worker<HookOperations> = stage.startWorker("hooks");
  const producers: Worker<ProducerOperations> = stage.startWorker("producers");
  const url = await hooks.call("open");
  for (const tenant of tenants) {
    const path = `/${tenant}`;
    await hooks.call("behave", { path, behaviour: { kind: "answer", afterMs } });
    await client.expect("PUT", `/tenants/${tenant}`, "{}");
    await createEndpoint(client, { tenant, url: url + path });
  }
  return { turn };

  async function turn(seconds: number): Promise<HealthyTurn> {
    await hooks.call("take");
    const { acknowledged, refused, waits } = await producers.call("paced", {
      ...{ url: gatewayUrl, key: stage.key },
      ...{ tenants, perSecond, seconds, timed: true },
    });
    if (refused > 0) throw new Error(`${refused} appends of healthy customers were refused`);
    await until("all events of healthy customers arrived", patienceSeconds, async () => {
      return (await hooks.call("count", {})) >= acknowledged;
    });
    const received = [...(await hooks.call("take")).values()];
    return { latencies: Float64Array.from(received.flatMap((each) => [...each.latency])), waits };
  }
}

/** A turn with something beside the healthy ones, and one without just before it. */
export type Pair = { readonly without: HealthyTurn; readonly with: HealthyTurn };

export const ratioTarget = 1.5;

/** By the p99 of each turn. */
export function ratioOf(pairs: readonly Pair[], of: keyof HealthyTurn = "latencies"): Summary {
  return summarize(
    pairs.map((pair) => quantile(pair.with[of], 0.99) / quantile(pair.without[of], 0.99)),
  );
}

export function ratioText({ median, min, max }: Summary): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} – ${max.toFixed(2)})`;
}

export function quantilesText(values: readonly number[] | Float64Array): string {
  const [p50, p99] = [0.5, 0.99].map((q) => ms(quantile(values, q)));
  return `p50 ${p50}, p99 ${p99}`;
}

/** All of these turns together, with and without. */
export function pairsText(pairs: readonly Pair[], of: keyof HealthyTurn = "latencies"): string {
  const all = (which: keyof Pair) => quantilesText(pairs.flatMap((pair) => [...pair[which][of]]));
  return `with ${all("with")}; without ${all("without")}`;
}
