/**
 * Who has the most of something lately, among any number of keys and in bounded memory: for metrics
 * that name a few of very many. Keys with a place are the leaders.
 *
 * Weights halve every five minutes. A place that is free goes to whoever comes first; later ones are
 * given anew at most once a minute, to a key that outweighs its holder twice, and a quarter of them at
 * a time: each change begins and ends time series, which cost whoever keeps them. A holder that does
 * nothing any more stays until somebody else wants its place.
 *
 * Of keys without a place only so many are remembered. When they are too many, those with the least
 * weight are forgotten, so a key that has more than a thousandth of all weight is never among them;
 * how the others rank is an estimate.
 */

export type Leaders = {
  /** Adds to a key's weight. Whether it has a place. */
  add(key: string, weight: number): boolean;
  has(key: string): boolean;
  keys(): string[];
  /** Lets weights decay and gives places anew, if it is time. `now` is monotonic, milliseconds. */
  review(now: number): void;
  /** Keys that are remembered, for tests of that bound. */
  size(): number;
};

type Entry = { weight: number; placed: boolean };

/** Some 100 bytes each. */
const keysMax = 4_096;
const keysKept = 1_024;

const reviewMs = 60_000;
const halfLifeMs = 300_000;

/** Times the holder's weight. */
const outweighs = 2;
const changesMax = 1 / 4;

/** Of a key that has done nothing for half an hour, or has hardly begun. */
const negligible = 0.02;

export function createLeaders(places: number, start = performance.now()): Leaders {
  const placed = new Map<string, Entry>();
  const others = new Map<string, Entry>();
  let reviewedAt = start;
  return {
    ...{ add, review },
    has: (key) => placed.has(key),
    keys: () => [...placed.keys()],
    size: () => placed.size + others.size,
  };

  function add(key: string, weight: number): boolean {
    const entry = placed.get(key) ?? others.get(key);
    if (entry !== undefined) {
      entry.weight += weight;
      return entry.placed;
    }
    if (places === 0) return false;
    const isFree = placed.size < places;
    if (!isFree && others.size >= keysMax) forget();
    (isFree ? placed : others).set(key, { weight, placed: isFree });
    return isFree;
  }

  /** Once in three thousand new keys, for some tenths of a millisecond. */
  function forget(): void {
    const kept = heaviestFirst(others).slice(0, keysKept);
    others.clear();
    for (const [key, entry] of kept) others.set(key, entry);
  }

  function review(now: number): void {
    const elapsedMs = now - reviewedAt;
    if (elapsedMs < reviewMs) return;
    reviewedAt = now;
    const decay = 0.5 ** (elapsedMs / halfLifeMs);
    for (const entry of placed.values()) entry.weight *= decay;
    for (const [key, entry] of others) {
      entry.weight *= decay;
      if (entry.weight < negligible) others.delete(key);
    }
    const holders = heaviestFirst(placed).toReversed();
    const challengers = heaviestFirst(others).slice(0, Math.ceil(places * changesMax));
    for (const [index, [key, entry]] of challengers.entries()) {
      const holder = holders[index];
      if (holder === undefined || entry.weight <= outweighs * holder[1].weight) return;
      change(holder, [key, entry]);
    }
  }

  function change(from: [string, Entry], to: [string, Entry]): void {
    placed.delete(from[0]);
    others.delete(to[0]);
    from[1].placed = false;
    to[1].placed = true;
    others.set(...from);
    placed.set(...to);
  }
}

function heaviestFirst(entries: ReadonlyMap<string, Entry>): [string, Entry][] {
  return [...entries].toSorted(([, a], [, b]) => b.weight - a.weight);
}
