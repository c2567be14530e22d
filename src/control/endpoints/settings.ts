/** What an endpoint's owner decides about it, and what a change of that means. */
import { isDeepStrictEqual } from "node:util";
import { Problem } from "../../problem.ts";

export type EndpointSettings = {
  readonly url: string;
  /** Null: all. */
  readonly types: readonly string[] | null;
  readonly subjects: readonly string[] | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  /** Null: the gateway's. */
  readonly retryScheduleMs: readonly number[] | null;
  readonly format: "json" | "cloudevents";
  /** Attempts; null: no limit. */
  readonly ratePerSecond: number | null;
  readonly ordering: "parallel" | "fifo" | "subject";
  /** From the first attempt on; null: not before the schedule ends. */
  readonly giveUpAfterMs: number | null;
  /** Whether dead letters of an outage are tried once more when it is over. */
  readonly drainDeadLetters: boolean;
  /** Whether what its receiver accepts waits for a receipt, and how long until it is sent again. */
  readonly requireReceipt: boolean;
  readonly receiptTimeoutMs: number;
};

type MembersPatch = Readonly<Record<string, string | null>>;

/** A merge-patch (RFC 7396): null takes a setting, or one member, back to what it is by default. */
export type SettingsPatch = {
  readonly [K in Exclude<keyof EndpointSettings, "url" | "metadata" | "headers">]?:
    | EndpointSettings[K]
    | null
    | undefined;
} & {
  readonly url?: string | undefined;
  readonly metadata?: MembersPatch | null | undefined;
  readonly headers?: MembersPatch | null | undefined;
};

/** What a receiver that queues the event and answers needs, with room for a slow moment. */
const defaultTimeoutMs = 5_000;

/** As many requests as a small receiver serves at once; lanes start far lower and adapt. */
const defaultMaxInFlight = 50;

/** Long for work that begins when the event comes, short for one that has lost it. */
const defaultReceiptTimeoutMs = 300_000;

export const defaultSettings: Omit<EndpointSettings, "url"> = {
  types: null,
  subjects: null,
  description: null,
  metadata: {},
  headers: {},
  timeoutMs: defaultTimeoutMs,
  maxInFlight: defaultMaxInFlight,
  retryScheduleMs: null,
  format: "json",
  ratePerSecond: null,
  ordering: "parallel",
  giveUpAfterMs: null,
  drainDeadLetters: true,
  requireReceipt: false,
  receiptTimeoutMs: defaultReceiptTimeoutMs,
};

/** Both are sent back or out as a whole, so their size is bounded as a whole. */
const metadataMaxMembers = 50;
const headersMax = 32;
const headersMaxCharacters = 8_192;

const dayMs = 86_400_000;

export function applyPatch(settings: EndpointSettings, patch: SettingsPatch): EndpointSettings {
  return {
    url: patch.url ?? settings.url,
    types: patched("types"),
    subjects: patched("subjects"),
    description: patched("description"),
    metadata: mergeMembers(settings.metadata, patch.metadata),
    headers: mergeMembers(settings.headers, patch.headers),
    timeoutMs: patched("timeoutMs"),
    maxInFlight: patched("maxInFlight"),
    retryScheduleMs: patched("retryScheduleMs"),
    format: patched("format"),
    ratePerSecond: patched("ratePerSecond"),
    ordering: patched("ordering"),
    giveUpAfterMs: patched("giveUpAfterMs"),
    drainDeadLetters: patched("drainDeadLetters"),
    requireReceipt: patched("requireReceipt"),
    receiptTimeoutMs: patched("receiptTimeoutMs"),
  };

  function patched<K extends Exclude<keyof SettingsPatch, "url" | "metadata" | "headers">>(
    name: K,
  ): EndpointSettings[K] {
    const wanted = patch[name];
    if (wanted === undefined) return settings[name];
    return (wanted ?? defaultSettings[name]) as EndpointSettings[K];
  }
}

/** Throws for settings whose members are right one by one, but not together. */
export function requireWithinLimits(settings: EndpointSettings, retentionDays: number): void {
  const { metadata, headers, retryScheduleMs, giveUpAfterMs } = settings;
  if (Object.keys(metadata).length > metadataMaxMembers) {
    throw invalid("/metadata", `more than ${metadataMaxMembers} members`);
  }
  if (Object.keys(headers).length > headersMax) {
    throw invalid("/headers", `more than ${headersMax} headers`);
  }
  if (Object.entries(headers).flat().join("").length > headersMaxCharacters) {
    throw invalid("/headers", `more than ${headersMaxCharacters} characters altogether`);
  }
  const scheduleMs = (retryScheduleMs ?? []).reduce((sum, delayMs) => sum + delayMs, 0);
  const planMaxMs = (retentionDays - 1) * dayMs;
  const kept = `events are kept for ${retentionDays} days`;
  if (scheduleMs > planMaxMs) {
    throw invalid("/retry_schedule", `${kept}: the delays must end a day earlier`);
  }
  if (giveUpAfterMs !== null && giveUpAfterMs > planMaxMs) {
    throw invalid("/give_up_after", `${kept}: it must be a day shorter`);
  }
}

/** Whether what is under way now was begun under settings that no longer hold. */
export function changesDelivery(before: EndpointSettings, after: EndpointSettings): boolean {
  // Notes for people are all that the push side does not look at.
  const { description, metadata } = before;
  return !isDeepStrictEqual({ ...after, description, metadata }, before);
}

export function invalid(pointer: string, detail: string): Problem {
  return new Problem("invalid", `${pointer}: ${detail}`, {
    members: { errors: [{ pointer, detail }] },
  });
}

function mergeMembers(
  members: Readonly<Record<string, string>>,
  patch: MembersPatch | null | undefined,
): Record<string, string> {
  if (patch === null) return {};
  const merged = Object.entries({ ...members, ...patch });
  return Object.fromEntries(merged.filter((entry): entry is [string, string] => entry[1] !== null));
}
