/**
 * Turns what a producer sent into an event to append: all of its envelope but what only the append
 * knows (id, default time, sequence), as pieces of JSON text in their final form.
 */
import { createHash } from "node:crypto";
import type { Tenant } from "../http/auth.ts";
import type { NewEvent } from "../log/new-event.ts";
import { hasTraceMembers } from "../log/trace-members.ts";
import { Problem } from "../problem.ts";
import { dataDepthMax, isStorableText, type RawMember } from "./json.ts";
import { untraced, type EventTrace } from "./tracing.ts";

/** One event of a request, read but not judged: the tenant it names, if it does, and its parts. */
export type Item = {
  readonly tenant?: string | undefined;
  readonly input: EventInput;
  readonly content: Content;
};

/** An event as a producer sends it, checked against its form. */
export type EventInput = {
  readonly type: string;
  readonly source?: string | undefined;
  readonly subject?: string | undefined;
  readonly time?: string | undefined;
  readonly dataversion?: string | undefined;
  readonly key?: string | undefined;
  /** `application/json` unless given. */
  readonly datacontenttype?: string | undefined;
  /** Members of the envelope that mean nothing to us, as JSON text, each followed by a comma. */
  readonly extensions?: string | undefined;
};

/** What an event is about: JSON as its producer wrote it, other bytes in base64, or nothing. */
export type Content =
  | { readonly kind: "json"; readonly raw: RawMember; readonly value: unknown }
  | { readonly kind: "base64"; readonly text: string }
  | { readonly kind: "none" };

/** Of one event's `data`. Larger things are stored elsewhere and referred to. */
export const dataMaxBytes = 1 << 20;

/** Of the characters of an event's key; of a CloudEvent that is its id. */
export const keyMaxLength = 256;

const reservedType = /^tidegate(\.|$)/;

/** Types that only the gateway itself gives to events. */
export function isReservedType(type: string): boolean {
  return reservedType.test(type);
}

/** The item with the tenant that the query names, if it does. Both must not name two. */
export function ofTenant(item: Item, inQuery: string | undefined): Item {
  if (inQuery === undefined || inQuery === item.tenant) return item;
  if (item.tenant === undefined) return { ...item, tenant: inQuery };
  throw new Problem("invalid-parameter", "query and body name different tenants");
}

/** Throws the caller's problem when the event cannot be taken. */
export function toNewEvent(
  tenant: Tenant,
  input: EventInput,
  content: Content,
  trace: EventTrace = untraced,
): NewEvent {
  const contentText = textOf(content);
  // Keys outlive the process that took them, and all had JSON once: its digest must not change.
  const digested = content.kind === "json" ? content.raw.text : contentText;
  const { type, subject, time = null, key } = input;
  checkText("type", type);
  checkText("subject", subject);
  checkText("key", key);
  checkText("source", input.source);
  checkText("dataversion", input.dataversion);

  const source = input.source ?? `/tenants/${tenant.name}`;
  const start = `"source":${JSON.stringify(source)},"type":${JSON.stringify(type)},`;
  const middle =
    (subject === undefined ? "" : `"subject":${JSON.stringify(subject)},`) +
    `"datacontenttype":${mediaTypeText(input.datacontenttype)},` +
    `"dataversion":${JSON.stringify(input.dataversion ?? "1")},` +
    `"tenant":${JSON.stringify(tenant.name)},${input.extensions ?? ""}`;
  const event = {
    tenant: tenant.id,
    shard: tenant.shard,
    type,
    subject: subject ?? null,
    key: key ?? null,
    digest: key === undefined ? null : digestOf([start, time ?? "", middle, digested]),
    start,
    time,
    middle,
    content: contentText,
  };
  return trace === untraced ? event : withTrace(event, input.extensions, trace);
}

/**
 * Not in the digest unless the event itself says it: who repeats a request may well do so in
 * another trace.
 */
function withTrace(event: NewEvent, extensions: string | undefined, trace: EventTrace): NewEvent {
  const own = extensions !== undefined && hasTraceMembers(extensions) ? extensions : undefined;
  const members = own === undefined ? trace.members : "";
  return { ...event, middle: event.middle + members, span: trace.spanOf(own) };
}

function mediaTypeText(mediaType: string | undefined): string {
  return mediaType === undefined ? '"application/json"' : JSON.stringify(mediaType);
}

/** The member of the envelope, after a comma. */
function textOf(content: Content): string {
  switch (content.kind) {
    case "json":
      checkData(content.raw);
      return `,"data":${content.raw.text}`;
    case "base64":
      if (Buffer.byteLength(content.text, "base64") > dataMaxBytes) throw dataTooLarge();
      return `,"data_base64":"${content.text}"`;
    case "none":
      return "";
  }
}

function checkData({ text, depth, repeated }: RawMember): void {
  if (repeated) throw invalid("/data", "given more than once");
  if (depth > dataDepthMax) throw invalid("/data", `nested deeper than ${dataDepthMax} levels`);
  // No character takes more than three bytes, so most need no counting.
  if (text.length * 3 > dataMaxBytes && Buffer.byteLength(text) > dataMaxBytes) {
    throw dataTooLarge();
  }
}

function dataTooLarge(): Problem {
  return new Problem("payload-too-large", `data is larger than ${dataMaxBytes} bytes`);
}

/** JSON escapes can spell what no database and no header can hold. */
function checkText(name: string, text: string | undefined): void {
  if (text !== undefined && !isStorableText(text)) {
    throw invalid(`/${name}`, "contains a NUL or half of a surrogate pair");
  }
}

/** Whether two events under one key are the same. Compared for equality only, within a tenant. */
function digestOf(pieces: readonly string[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece).update("\n");
  return hash.digest("base64url");
}

/** What one value has against it, as the problem that the schema of a body would give. */
export function invalid(pointer: string, detail: string): Problem {
  return new Problem("invalid", detail, { members: { errors: [{ pointer, detail }] } });
}
