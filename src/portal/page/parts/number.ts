/** Numbers as people read them. No line ends between one and its unit. */

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function showCount(count: number): string {
  return whole.format(count);
}

/** `1 event`, `2,000 events`; words that get more than an s for many are given. */
export function showMany(count: number, one: string, many = `${one}s`): string {
  return `${showCount(count)}\u00a0${count === 1 ? one : many}`;
}

/** `1.2M`, for tiles and axes. */
export function showShort(count: number): string {
  return count < 10_000 ? whole.format(count) : short.format(count);
}

/** Of a share between 0 and 1. What is not quite all never reads 100 %. */
export function showShare(share: number): string {
  const percent = share * 100;
  if (percent > 99.99 && percent < 100) return ">\u00a099.99\u00a0%";
  return `${Number(percent.toFixed(percent > 99 ? 2 : 1))}\u00a0%`;
}

export function showBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const size = bytes / 2 ** (10 * step);
  return `${step === 0 ? size : size.toFixed(1)}\u00a0${units[step] ?? "B"}`;
}
