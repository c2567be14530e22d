/**
 * What all rows share: a durable Postgres of each version in a temporary directory, and the
 * workers. All of it is stopped and removed at the end, also after an error or a signal.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { thisCheckout } from "./checkout.ts";
import { openSide, openVersion, type Side, type SideOptions, type Version } from "./side.ts";
import { startWorker, type Operations, type Worker } from "./worker.ts";
import type { BareOperations } from "./workers/bare.ts";
import type { LoadOperations } from "./workers/load.ts";
import type { ReceiverOperations } from "./workers/receiver.ts";
import type { StreamOperations } from "./workers/streams.ts";

/** The rig as a row has it: with gateways of its own. */
export type Rig = Ground & {
  /** In the order of their turns. The last is the gateway of this checkout. */
  readonly sides: readonly Side[];
  /** Further gateways for the row, one of each version, that go when the row is done. */
  openSides(options: SideOptions): Promise<readonly Side[]>;
  /** A further worker for the row, which goes when the row is done. */
  startWorker<Offered extends Operations>(name: string): Worker<Offered>;
  /** Each worker with how busy its event loop was at most since this was last asked. */
  busiest(): [string, number][];
  /** Makes these logs hold so many events together, or a few more, of so many bytes. */
  seed(side: Side, tenants: readonly Named[], events: number, bytes?: number): Promise<void>;
};

type Named = { readonly name: string };

/** What is there for the whole run. */
export type Ground = {
  readonly workers: Workers;
  /** Where the receiver listens. */
  readonly receiverUrl: string;
  /** Waits; rejects at once when the run is interrupted. */
  pause(ms: number): Promise<void>;
};

export type Rigs = Ground & {
  /** Opens the rig of one row, on what its owner closes when the row is done. */
  openRig(options: SideOptions, opening: AsyncDisposableStack): Promise<Rig>;
};

type Workers = {
  readonly load: Worker<LoadOperations>;
  readonly bare: Worker<BareOperations>;
  readonly receiver: Worker<ReceiverOperations>;
  readonly streams: Worker<StreamOperations>;
};

/** Opened on `opening`, whose owner stops it. An `interrupt` ends every call under way. */
export async function openRigs(
  given: { parent: string; against: string | undefined; server: string | undefined },
  opening: AsyncDisposableStack,
  interrupt: AbortSignal,
): Promise<Rigs> {
  const { parent, against, server } = given;
  const dir = await mkdtemp(join(parent, "tidegate-bench-"));
  opening.defer(() => rm(dir, { recursive: true, force: true }));
  const versions: Version[] = [];
  for (const [name, checkout] of [
    ["before", against],
    ["gateway", thisCheckout],
  ] as const) {
    if (checkout === undefined) continue;
    versions.push(await openVersion({ name, checkout, parent: dir, server }, opening));
    interrupt.throwIfAborted();
  }
  const workers = startWorkers(opening, interrupt);
  const receiverUrl = await workers.receiver.call("where");
  const pause = (ms: number) => delay(ms, undefined, { signal: interrupt });
  return { workers, receiverUrl, pause, openRig };

  async function openRig(options: SideOptions, row: AsyncDisposableStack): Promise<Rig> {
    const openSides = async (wanted: SideOptions) => {
      const sides: Side[] = [];
      for (const version of versions) sides.push(await openSide(version, wanted, row, interrupt));
      return sides;
    };
    const all = new Map<string, Worker<Operations>>(Object.entries(workers));
    const startWorkerOfRow = <Offered extends Operations>(name: string) => {
      const worker = startWorkerOn<Offered>(name, row, interrupt);
      all.set(all.has(name) ? `${name} ${all.size}` : name, worker);
      return worker;
    };
    const busiest = () =>
      Array.from(all, ([name, worker]): [string, number] => [name, worker.busiest()]);
    const sides = await openSides(options);
    return {
      ...{ workers, receiverUrl, pause, sides, openSides, seed, busiest },
      startWorker: startWorkerOfRow,
    };
  }

  async function seed(side: Side, tenants: readonly Named[], events: number, bytes = 0) {
    const names = tenants.map(({ name }) => name);
    const site = { url: side.gateway.url, key: side.operatorKey, tenant: names[0] ?? "" };
    await workers.load.call("fill", { ...site, tenants: names, events, bytes });
  }
}

/** An interrupt stops them at once, and with them every call that the run waits for. */
function startWorkers(opening: AsyncDisposableStack, interrupt: AbortSignal): Workers {
  return {
    load: start<LoadOperations>("load"),
    bare: start<BareOperations>("bare"),
    receiver: start<ReceiverOperations>("receiver"),
    streams: start<StreamOperations>("streams"),
  };

  function start<Offered extends Operations>(name: string): Worker<Offered> {
    return startWorkerOn<Offered>(name, opening, interrupt);
  }
}

function startWorkerOn<Offered extends Operations>(
  name: string,
  opening: AsyncDisposableStack,
  interrupt: AbortSignal,
): Worker<Offered> {
  const worker = startWorker<Offered>(name);
  const stop = () => void worker.stop();
  interrupt.addEventListener("abort", stop);
  opening.defer(() => {
    interrupt.removeEventListener("abort", stop);
    return worker.stop();
  });
  return worker;
}
