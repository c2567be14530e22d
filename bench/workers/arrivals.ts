/**
 * What very many readers of the same events were given: how long each event took to each of them,
 * and that none of them got more or less than the others.
 */
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../clock.ts";

/** How often the counts are looked at. */
const lookMs = 5;

const sentName = '"sent":';
const comma = 0x2c;

export function createArrivals() {
  let events: number[] = [];
  let latencies: number[] = [];
  let broken: Error | undefined;

  return { begin, take, fail, until, collect, count: async () => latencies.length };

  /** Forgets all that came so far. */
  function begin(readers: number): void {
    [events, latencies, broken] = [Array<number>(readers).fill(0), [], undefined];
  }

  /** Takes all events in these bytes, which have just come; tells how many there were. */
  function take(reader: number, bytes: Buffer): number {
    const at = nowMs();
    const before = latencies.length;
    // The time that `payload.ts` put into each of them.
    for (let from = bytes.indexOf(sentName); from !== -1; from = bytes.indexOf(sentName, from)) {
      from += sentName.length;
      latencies.push(at - Number(bytes.toString("latin1", from, bytes.indexOf(comma, from))));
    }
    const found = latencies.length - before;
    events[reader] = (events[reader] ?? 0) + found;
    return found;
  }

  /** Lets whoever waits fail. */
  function fail(error: Error): void {
    broken ??= error;
  }

  async function until(isSo: () => boolean, patienceMs: number, what: () => string) {
    const patience = nowMs() + patienceMs;
    while (!isSo()) {
      if (broken !== undefined) throw broken;
      if (nowMs() > patience) throw new Error(what());
      await delay(lookMs);
    }
  }

  /** What came since this was last asked, once each reader has had so many events. */
  async function collect(wanted: { events: number; patienceMs: number }): Promise<Float64Array> {
    const total = wanted.events * events.length;
    const isAll = () => latencies.length >= total;
    await until(isAll, wanted.patienceMs, () => `${latencies.length} of ${total} events came`);
    const wrong = events.find((count) => count !== wanted.events);
    if (wrong !== undefined) throw new Error(`a reader had ${wrong} of ${wanted.events} events`);
    const taken = Float64Array.from(latencies);
    events.fill(0);
    latencies = [];
    return taken;
  }
}
