/**
 * Turns what a producer sent into an event to append: all of its envelope but what only the append
 * knows (id, default time, sequence), as pieces of JSON text in their final form.
 */
import { createHash } from "node:crypto";
import type { Tenant } from "../http/auth.ts";
import type { NewEvent } from "../log/new-event.ts";
import { Problem } from "../problem.ts";
import { dataDepthMax, isStorableText, type RawMember } from "./json.ts";

/** An event as a producer sends it, checked against the schema; `data` comes beside it, as text. */
export type EventInput = {
  readonly type: string;
  readonly source?: string | undefined;
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  readonly dataversion?: string | undefined;
  readonly key?: string | undefined;
};

/** Of one event's `data`. Larger things are stored elsewhere and referred to. */
const dataMaxBytes = 1 << 20;

/** Throws the caller's problem when the event cannot be taken. */
export function toNewEvent(tenant: Tenant, input: EventInput, data: RawMember): NewEvent {
  checkData(data);
  const { type, subject, time = null, key } = input;
  checkTexts({ type, subject, key, source: input.source, dataversion: input.dataversion });

  const source = input.source ?? `/tenants/${tenant.name}`;
  const start = `"source":${JSON.stringify(source)},"type":${JSON.stringify(type)},`;
  const middle =
    (subject === undefined ? "" : `"subject":${JSON.stringify(subject)},`) +
    `"datacontenttype":"application/json",` +
    `"dataversion":${JSON.stringify(input.dataversion ?? "1")},` +
    `"tenant":${JSON.stringify(tenant.name)},`;
  return {
    tenant: tenant.id,
    shard: tenant.shard,
    type,
    subject: subject ?? null,
    key: key ?? null,
    digest: key === undefined ? null : digestOf([start, time ?? "", middle, data.text]),
    start,
    time,
    middle,
    data: data.text,
  };
}

function checkData({ text, depth, repeated }: RawMember): void {
  if (repeated) throw invalid("/data", "given more than once");
  if (depth > dataDepthMax) throw invalid("/data", `nested deeper than ${dataDepthMax} levels`);
  // No character takes more than three bytes, so most need no counting.
  if (text.length * 3 > dataMaxBytes && Buffer.byteLength(text) > dataMaxBytes) {
    throw new Problem("payload-too-large", `data is larger than ${dataMaxBytes} bytes`);
  }
}

/** JSON escapes can spell what no database and no header can hold. */
function checkTexts(texts: Record<string, string | undefined>): void {
  for (const [name, text] of Object.entries(texts)) {
    if (text !== undefined && !isStorableText(text)) {
      throw invalid(`/${name}`, "contains a NUL or half of a surrogate pair");
    }
  }
}

/** Whether two events under one key are the same. Compared for equality only, within a tenant. */
function digestOf(pieces: readonly string[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece).update("\n");
  return hash.digest("base64url");
}

function invalid(pointer: string, detail: string): Problem {
  return new Problem("invalid", detail, { members: { errors: [{ pointer, detail }] } });
}
