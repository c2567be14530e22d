/** What is handed to the log, and what comes back. */
import type { Span } from "../telemetry/tracing.ts";
import type { Day, Sequence, TenantId } from "./event.ts";

/** An event to append. `start`, `middle` and `content` are pieces of its envelope's JSON text. */
export type NewEvent = {
  readonly tenant: TenantId;
  readonly shard: number;
  readonly type: string;
  readonly subject: string | null;
  /** Deduplicates per tenant. `digest` tells whether the content is the same too. */
  readonly key: string | null;
  readonly digest: string | null;
  /** The members from `source` to before `time`, each followed by a comma. */
  readonly start: string;
  /** RFC 3339, or null for the append time. */
  readonly time: string | null;
  /** The members after `time` to before `sequence`, each followed by a comma. */
  readonly middle: string;
  /** The member `data` or `data_base64` after a comma, or nothing: `,"data":{"amount":4200}`. */
  readonly content: string;
  /** Of the request that brings it, where its trace is sampled: what follows stands below it. */
  readonly span?: Span | undefined;
};

export type Appended = { sequence: Sequence; day: Day; id: string };

export type AppendResult =
  | ({ kind: "appended" } & Appended)
  /** The key was seen before with the same content: the first event's answer. */
  | ({ kind: "duplicate" } & Appended)
  /** The key was seen before with other content. */
  | { kind: "conflict" }
  /** The tenant has no log (any more). */
  | { kind: "gone" }
  /** The database refuses these values. */
  | { kind: "refused" }
  /** Too much waits already, or the database cannot serve now. Nothing was appended. */
  | { kind: "unavailable" }
  /** The database was lost in the middle and did not come back in time to tell. */
  | { kind: "in-doubt" }
  /** A fault of ours; the log line says which. Nothing was appended. */
  | { kind: "failed" };
