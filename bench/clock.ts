/**
 * Milliseconds of the machine's monotonic clock. All processes of one machine share it, so a time
 * taken in one can be compared with one taken in another; their `performance.now()` cannot.
 */
const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export function nowMs(): number {
  return performance.now() + offsetMs;
}
