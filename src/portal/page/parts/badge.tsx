/** States in one word and one colour; the word alone says it. */

export type Tone = "ok" | "warn" | "bad" | "info" | "idle";

const tones: Readonly<Record<string, Tone>> = {
  active: "ok",
  closed: "ok",
  delivered: "ok",
  settled: "ok",
  up: "ok",
  ready: "ok",
  done: "ok",
  retrying: "warn",
  awaiting_receipt: "info",
  half_open: "warn",
  partial: "warn",
  degraded: "warn",
  reconnecting: "warn",
  running: "info",
  polling: "info",
  waiting: "info",
  dead: "bad",
  expired: "bad",
  open: "bad",
  disabled: "bad",
  failed: "bad",
  down: "bad",
};

/** `state` is the API's word for it; what is not known here is idle. */
export function Badge({ state, tone, text }: { state: string; tone?: Tone; text?: string }) {
  return <span class={`badge ${tone ?? tones[state] ?? "idle"}`}>{text ?? inWords(state)}</span>;
}

function inWords(state: string): string {
  if (state === "dead") return "Dead letter";
  const words = state.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
