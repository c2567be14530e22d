/** Durations as the API has them, `90s`, `5m`, `2h`, in milliseconds and back. */

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

const form = /^([1-9]\d{0,8})(ms|s|m|h)$/;

/** Undefined for what is none. */
export function durationMs(text: string): number | undefined {
  const [, amount, unit] = form.exec(text.trim()) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) * unitMs[unit as keyof typeof unitMs];
}

/** In the largest unit that tells it exactly. */
export function durationText(ms: number): string {
  for (const unit of ["h", "m", "s"] as const) {
    if (ms > 0 && ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}

/** The delays of a schedule as somebody types them: between commas, blanks or lines. */
export function splitSchedule(text: string): string[] {
  return text.split(/[\s,;]+/).filter((part) => part !== "");
}
