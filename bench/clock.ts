/**
 * Milliseconds of the machine's monotonic clock. All processes of one machine share it, so a time
 * taken in one can be compared with one taken in another; their `performance.now()` cannot, and an
 * offset between the two would be as wrong as the process was held up while it was taken.
 */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
