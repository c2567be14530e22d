/**
 * A collector: a real HTTP server that takes what the gateway exports over OTLP (protobuf) and
 * keeps its spans. It reads the wire format by itself, so that it trusts nothing of the exporter.
 */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { waitUntil } from "./wait.ts";

type Values = Record<string, string | number | boolean | undefined>;

export type CollectedSpan = {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first of a trace. */
  readonly parentId: string;
  readonly kind: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Values;
  readonly events: readonly { readonly name: string; readonly attributes: Values }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
  readonly resource: Values;
};

export type Collector = Awaited<ReturnType<typeof startCollector>>;

export async function startCollector() {
  const spans: CollectedSpan[] = [];
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      requests.push({ path: request.url ?? "", headers: request.headers });
      spans.push(...readRequest(body));
      response.writeHead(200, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    requests,
    spansOf: (traceId: string) => spans.filter((span) => span.traceId === traceId),
    /** Once there are so many of a trace, in the order in which they began. */
    trace: (traceId: string, count: number) =>
      waitUntil(
        () => {
          const found = spans.filter((span) => span.traceId === traceId);
          if (found.length < count) return false;
          return found.toSorted((a, b) => a.startedAt - b.startedAt);
        },
        { deadlineMs: 10_000, what: `${count} spans of ${traceId}` },
      ),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The values of each field, by its number. */
type Fields = Map<number, (Buffer | bigint)[]>;

function readRequest(bytes: Buffer): CollectedSpan[] {
  return messages(readFields(bytes), 1).flatMap((ofResource) => {
    const resource = attributesOf(message(ofResource, 1), 1);
    return messages(ofResource, 2).flatMap((ofScope) =>
      messages(ofScope, 2).map((span) => readSpan(span, resource)),
    );
  });
}

function readSpan(span: Fields, resource: Values): CollectedSpan {
  return {
    name: text(span, 5),
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentId: hex(span, 4),
    kind: Number(span.get(6)?.[0] ?? 0),
    startedAt: milliseconds(span, 7),
    endedAt: milliseconds(span, 8),
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => ({
      name: text(event, 2),
      attributes: attributesOf(event, 3),
    })),
    links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
    failed: Number(message(span, 15).get(3)?.[0] ?? 0) === 2,
    resource,
  };
}

function attributesOf(fields: Fields, number: number): Values {
  const pairs = messages(fields, number).map((pair) => [text(pair, 1), valueOf(message(pair, 2))]);
  return Object.fromEntries(pairs) as Values;
}

function valueOf(value: Fields): string | number | boolean | undefined {
  if (value.has(1)) return text(value, 1);
  if (value.has(2)) return value.get(2)?.[0] === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, value.get(3)?.[0] as bigint));
  const double = value.get(4)?.[0];
  return double instanceof Buffer ? double.readDoubleLE() : undefined;
}

function readFields(bytes: Buffer): Fields {
  const fields: Fields = new Map();
  let at = 0;
  while (at < bytes.length) {
    const tag = Number(varint());
    const values = fields.get(tag >> 3) ?? [];
    fields.set(tag >> 3, values);
    values.push(readValue(tag & 7));
  }
  return fields;

  function readValue(wireType: number): Buffer | bigint {
    switch (wireType) {
      case 0:
        return varint();
      case 1:
        return cut(8);
      case 2:
        return cut(Number(varint()));
      case 5:
        return cut(4);
      default:
        throw new Error(`wire type ${wireType}`);
    }
  }

  function cut(length: number): Buffer {
    at += length;
    return bytes.subarray(at - length, at);
  }

  function varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes.readUInt8(at));
      at += 1;
      value |= (byte & 127n) << shift;
      if (byte < 128n) return value;
    }
  }
}

function messages(fields: Fields, number: number): Fields[] {
  return (fields.get(number) ?? []).map((value) => readFields(value as Buffer));
}

function message(fields: Fields, number: number): Fields {
  return messages(fields, number)[0] ?? new Map();
}

function bytesOf(fields: Fields, number: number): Buffer {
  return (fields.get(number)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
}

function text(fields: Fields, number: number): string {
  return bytesOf(fields, number).toString();
}

function hex(fields: Fields, number: number): string {
  return bytesOf(fields, number).toString("hex");
}

function milliseconds(fields: Fields, number: number): number {
  return Number(bytesOf(fields, number).readBigUInt64LE()) / 1e6;
}
