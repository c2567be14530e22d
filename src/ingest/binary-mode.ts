/**
 * Reads CloudEvents in the binary mode of the HTTP binding: attributes are headers that begin with
 * `ce-`, the media type and the data are those of the body. JSON stays the JSON it is, texts
 * become JSON strings, all other bytes are kept in base64.
 */
import { isUtf8 } from "node:buffer";
import { decodeUtf8, parseJson } from "../http/json.ts";
import { headersLimit } from "../http/server.ts";
import { Problem } from "../problem.ts";
import { readAttributes } from "./cloudevents.ts";
import { invalid, type Content, type Item } from "./event.ts";
import { dataDepthMax, rawValue } from "./json.ts";

const prefix = "ce-";

const jsonType = /^[^;]*[/+]json[ \t]*(;|$)/i;
const textType = /^(text\/|application\/xml[ \t]*(;|$)|[^;]*\+xml[ \t]*(;|$))/i;

/** A charset that is not one of the first two. */
const otherCharset = /;[ \t]*charset="?(?!utf-8\b|us-ascii\b)/i;

/** Whether headers, by their lower-case names, are those of an event in binary mode. */
export function isBinaryMode(headers: Readonly<Record<string, unknown>>, mediaType = ""): boolean {
  if (mediaType.startsWith("application/cloudevents")) return false;
  return headers["ce-specversion"] !== undefined || headers["ce-id"] !== undefined;
}

/** `rawHeaders` are names and values in turn, as they came. */
export function readBinaryMode(rawHeaders: readonly string[], body: Buffer): Item {
  // Those above the limit never reach us, and an event must not lose attributes on its way.
  if (rawHeaders.length >= 2 * headersLimit) {
    throw new Problem("headers-too-large", `an event has fewer than ${headersLimit} headers`);
  }
  const attributes = new Map<string, string>();
  let contentType: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at]?.toLowerCase() ?? "";
    const value = rawHeaders[at + 1] ?? "";
    if (header === "content-type") contentType ??= value.trim();
    if (!header.startsWith(prefix)) continue;
    const name = header.slice(prefix.length);
    if (attributes.has(name)) throw invalid(`/${name}`, "given more than once");
    if (name === "datacontenttype") throw invalid(`/${name}`, "Content-Type says it");
    attributes.set(name, decodeHeader(name, value));
  }
  // Without a media type the bytes may be anything, whereas an event without one has JSON.
  if (contentType === undefined && body.length > 0) contentType = "application/octet-stream";
  if (contentType !== undefined) attributes.set("datacontenttype", contentType);
  return readAttributes([...attributes], contentOf(body, contentType ?? ""));
}

/** Section 3.1.3.2 of the binding: unquote, then undo one round of percent-encoding. */
function decodeHeader(name: string, value: string): string {
  const quoted = /^"(.*)"$/.exec(value)?.[1];
  const encoded = quoted === undefined ? value : quoted.replaceAll(/\\(.)/g, "$1");
  if (/%(?![0-9a-f]{2})/i.test(encoded)) {
    throw invalid(`/${name}`, "a % stands before two hexadecimal digits, and for itself as %25");
  }
  const bytes = encoded.replaceAll(/%(..)/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  // Node hands out each byte of a header as one character.
  const decoded = Buffer.from(bytes, "latin1");
  if (!isUtf8(decoded)) throw invalid(`/${name}`, "is not UTF-8");
  return decoded.toString();
}

function contentOf(body: Buffer, contentType: string): Content {
  if (body.length === 0) return { kind: "none" };
  if (jsonType.test(contentType)) {
    const text = decodeUtf8(body);
    const value = parseJson(text, dataDepthMax);
    return { kind: "json", raw: rawValue(text), value };
  }
  if (textType.test(contentType) && !otherCharset.test(contentType) && isUtf8(body)) {
    const value = body.toString();
    return { kind: "json", raw: { text: JSON.stringify(value), depth: 0, repeated: false }, value };
  }
  return { kind: "base64", text: body.toString("base64") };
}
