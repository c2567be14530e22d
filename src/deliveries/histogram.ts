/**
 * Times by buckets that widen with the time: two for each doubling, so that few numbers hold any
 * number of times, those of processes and minutes can be added up, and percentiles of the sum are
 * still known within a bound that is relative to the time.
 *
 * A histogram is an array of counts, which ends with the last bucket that has any.
 */

/** Two for each power of two below 2^20 ms, 17 minutes. What took longer counts as the last. */
export const bucketsMax = 40;

/** By power of two: the lowest whole number of its upper half, as factors go. */
const upperHalves = Array.from({ length: bucketsMax / 2 }, (_, power) =>
  Math.ceil(2 ** (power + 0.5)),
);

/** Of a time in whole milliseconds. 0, 1, 2 and 3 have buckets of their own. */
function bucketOf(ms: number): number {
  if (ms < 2) return ms > 0 ? 1 : 0;
  const power = 31 - Math.clz32(ms);
  const upperHalf = upperHalves[power];
  if (upperHalf === undefined) return bucketsMax - 1;
  return 2 * power + (ms >= upperHalf ? 1 : 0);
}

export function increment(counts: number[], ms: number): void {
  const bucket = bucketOf(ms);
  while (counts.length <= bucket) counts.push(0);
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}

export function addTo(counts: number[], others: readonly number[]): void {
  for (const [bucket, count] of others.entries()) counts[bucket] = (counts[bucket] ?? 0) + count;
}

/**
 * The time, in whole milliseconds, that this share of the times does not exceed; null for none.
 * Told of a bucket is the place between its ends that the rank has in it: exact below 4 ms, and off
 * by less than 42 % (√2 − 1, the width of a bucket) up to 12 minutes, beyond which it is told as that.
 */
export function percentileMs(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const rank = Math.max(Math.ceil(share * total), 1);
  let before = 0;
  for (const [bucket, count] of counts.entries()) {
    if (before + count >= rank) {
      const lowest = lowestOf(bucket);
      const highest = bucket === bucketsMax - 1 ? lowest : lowestOf(bucket + 1) - 1;
      return Math.round(lowest + (highest - lowest) * ((rank - before - 0.5) / count));
    }
    before += count;
  }
  return null;
}

function lowestOf(bucket: number): number {
  if (bucket < 2) return bucket;
  const power = bucket >> 1;
  return bucket % 2 === 0 ? 2 ** power : (upperHalves[power] ?? 0);
}
