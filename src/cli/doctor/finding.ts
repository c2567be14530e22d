/** What a check of `tidegate doctor` has found, and what to do about it. */
export type Finding = {
  readonly verdict: "ok" | "warn" | "fail";
  readonly what: string;
  readonly text: string;
  readonly advice?: string | undefined;
};

export function ok(what: string, text: string): Finding {
  return { verdict: "ok", what, text };
}

export function warn(what: string, text: string, advice?: string): Finding {
  return { verdict: "warn", what, text, advice };
}

export function fail(what: string, text: string, advice?: string): Finding {
  return { verdict: "fail", what, text, advice };
}

/** Two clocks: signatures are good for 300 s, and tokens and leases think in seconds. */
export function compareClocks(what: string, differenceMs: number, advice: string): Finding {
  const seconds = (Math.abs(differenceMs) / 1_000).toFixed(1);
  const text = `${seconds} s ${differenceMs > 0 ? "ahead of" : "behind"} this machine`;
  if (Math.abs(differenceMs) > clockFailMs) return fail(what, text, advice);
  if (Math.abs(differenceMs) > clockWarnMs) return warn(what, text, advice);
  return ok(what, `the same time as here, give or take ${seconds} s`);
}

/** The precision of an HTTP date, and the way of an answer. */
const clockWarnMs = 2_500;

/** A tenth of the tolerance that receivers have for signatures. */
const clockFailMs = 30_000;
