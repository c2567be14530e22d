/**
 * A frame as bytes:
 *
 *     1 byte   version
 *     4 bytes  length of the header, big endian
 *     header   JSON; for each event its day, type, subject, append time and the envelope's length
 *     rest     the envelopes one after another, UTF-8, the very characters the log holds
 *
 * An event's sequence is `first` plus its index. Decoding never throws: bytes of a newer version,
 * or of somebody else, are reported as unreadable, and the log heals what they would have said.
 */

import { isUtf8 } from "node:buffer";
import type { LogEvent, Sequence, TenantId } from "../log/event.ts";
import {
  changeable,
  type ChangedFrame,
  type EventsFrame,
  type Frame,
  type ReceiptFrame,
} from "./fanout.ts";

/**
 * In bytes. A larger frame goes as numbers only: NATS refuses messages above 1 MiB by default, and
 * a few large events are better read from the log by whoever has a reader for them.
 */
export const frameBytesMax = 256 * 1024;

export type Decoded = { readonly frame: Frame } | { readonly unreadable: string };

const version = 1;
const prefixBytes = 5;

type EventHeader = [day: string, type: string, subject: string | null, at: number, bytes: number];

export function encodeFrame(frame: Frame, bytesMax = frameBytesMax): Buffer {
  if (frame.kind !== "events" || frame.events === null) return pack(frame, []);
  const numbersOnly: EventsFrame = { ...frame, events: null };
  // UTF-8 is never shorter than the string is long, so most oversize frames end here, unmeasured.
  const characters = frame.events.reduce((sum, { envelope }) => sum + envelope.length, 0);
  if (characters > bytesMax) return pack(numbersOnly, []);
  const events = frame.events.map((event): EventHeader => {
    const { day, type, subject, appendedAt, envelope } = event;
    return [day, type, subject, appendedAt, Buffer.byteLength(envelope)];
  });
  const packed = pack({ ...frame, events }, frame.events);
  return packed.length > bytesMax ? pack(numbersOnly, []) : packed;
}

function pack(header: object, events: readonly LogEvent[]): Buffer {
  const head = JSON.stringify(header);
  const headBytes = Buffer.byteLength(head);
  const body = events.map((event) => event.envelope).join("");
  const bytes = Buffer.allocUnsafe(prefixBytes + headBytes + Buffer.byteLength(body));
  bytes.writeUInt8(version, 0);
  bytes.writeUInt32BE(headBytes, 1);
  bytes.write(head, prefixBytes);
  bytes.write(body, prefixBytes + headBytes);
  return bytes;
}

export function decodeFrame(data: Uint8Array): Decoded {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < prefixBytes) return { unreadable: "shorter than its prefix" };
  if (bytes[0] !== version) return { unreadable: `version ${bytes[0]}` };
  const bodyStart = prefixBytes + bytes.readUInt32BE(1);
  if (bodyStart > bytes.length) return { unreadable: "shorter than its header" };
  if (!isUtf8(bytes.subarray(prefixBytes))) return { unreadable: "not UTF-8" };
  const header = parseObject(bytes.toString("utf8", prefixBytes, bodyStart));
  const body = bytes.subarray(bodyStart);
  const frame = readFrame(header, body);
  return frame === undefined ? { unreadable: "not a frame's header" } : { frame };
}

type Header = Record<string, unknown>;

function parseObject(text: string): Header | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Header) : undefined;
  } catch {
    return undefined;
  }
}

function readFrame(header: Header | undefined, body: Buffer): Frame | undefined {
  switch (header?.["kind"]) {
    case "events":
      return readEvents(header, body);
    case "changed":
      return readChanged(header);
    case "receipt":
      return readReceipt(header);
    default:
      return undefined;
  }
}

function readChanged(header: Header): ChangedFrame | undefined {
  const { shard, tenant } = header;
  const what = changeable.find((known) => known === header["what"]);
  if (what === undefined || !isNumber(shard)) return undefined;
  if (tenant !== null && typeof tenant !== "string") return undefined;
  return { kind: "changed", shard, tenant: tenant as TenantId | null, what };
}

function readReceipt(header: Header): ReceiptFrame | undefined {
  const { shard, tenant, endpoint, version, through, moved, sequences, failed } = header;
  if (typeof tenant !== "string" || typeof endpoint !== "string") return undefined;
  if (!isNumber(shard) || !isNumber(version) || !isNumber(through)) return undefined;
  const isList = Array.isArray(sequences) && (sequences as readonly unknown[]).every(isNumber);
  if ((sequences !== null && !isList) || typeof failed !== "boolean") return undefined;
  const named = sequences as readonly Sequence[] | null;
  const place = readMoved(moved);
  if (place === undefined) return undefined;
  const of = { shard, tenant: tenant as TenantId, endpoint };
  return { kind: "receipt", ...of, version, through, moved: place, sequences: named, failed };
}

function readMoved(value: unknown): ReceiptFrame["moved"] | undefined {
  if (value === null) return null;
  if (typeof value !== "object") return undefined;
  const { day, matched } = value as Header;
  return typeof day === "string" && isNumber(matched) ? { day, matched } : undefined;
}

function readEvents(header: Header, body: Buffer): EventsFrame | undefined {
  const { tenant, shard, first, last } = header;
  if (typeof tenant !== "string" || !isNumber(shard)) return undefined;
  if (!isNumber(first) || !isNumber(last) || first < 1 || last < first) return undefined;
  const events = header["events"] === null ? null : readList(header["events"], first, body);
  if (events === undefined) return undefined;
  if (events !== null && events.length !== last - first + 1) return undefined;
  return { kind: "events", tenant: tenant as TenantId, shard, first, last, events };
}

function readList(list: unknown, first: number, body: Buffer): LogEvent[] | undefined {
  if (!Array.isArray(list)) return undefined;
  const events: LogEvent[] = [];
  let start = 0;
  for (const entry of list as readonly unknown[]) {
    if (!isEventHeader(entry)) return undefined;
    const [day, type, subject, appendedAt, length] = entry;
    const envelope = body.toString("utf8", start, start + length);
    events.push({ sequence: first + events.length, day, type, subject, appendedAt, envelope });
    start += length;
  }
  return start === body.length ? events : undefined;
}

function isEventHeader(entry: unknown): entry is EventHeader {
  if (!Array.isArray(entry)) return false;
  const [day, type, subject, appendedAt, length] = entry as readonly unknown[];
  const texts = typeof day === "string" && typeof type === "string";
  return (
    texts &&
    (subject === null || typeof subject === "string") &&
    isNumber(appendedAt) &&
    isNumber(length)
  );
}

/** A whole number ≥ 0 that JSON carries exactly. */
function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
