import { z } from "zod";
import { decodeUtf8 } from "../http/json.ts";
import { preference } from "../http/preferences.ts";
import type { ApiRequest } from "../http/request.ts";
import { alreadySent, rawBody, route, type Route } from "../http/route.ts";
import { booleanParameter, tenantMember } from "../http/schemas.ts";
import { Problem } from "../problem.ts";
import { isBinaryMode, readBinaryMode } from "./binary-mode.ts";
import { content, parseEvent, responses } from "./body-routes.ts";
import { keyMaxLength, ofTenant, type Item } from "./event.ts";
import type { Ingest } from "./ingest.ts";
import { createJsonInput } from "./json-input.ts";

const bodyMaxBytes = 16 << 20;

const description = `Answered only after the commit.

**A batch** is answered 200 with one result per event: a bad event spoils only itself, and the \
events of one tenant keep their order. When one gets 503 or 500, those behind it of the same tenant \
are not appended either: repeated together, with a \`key\` in each, they stand in their order.

**Lines** (\`application/x-ndjson\`): one event a line, any number of them. They are appended while \
they arrive, in windows of up to 1,000, and so are the results written, one a line in the order of \
the events; a failure also tells its \`line\`. Blank lines are skipped; a line may have 1 MiB and 64 \
KiB. With \`Prefer: return=minimal\` only failures are written, and last \
\`{"appended","duplicates","failed"}\`. The gateway reads no faster than it appends, and holds up to \
4 MiB of results for a client that does not read them: one that sends everything before it reads \
should ask for the short form, or both sides wait for each other until the gateway, within a \
minute, cuts the connection. A tenant's limit slows the upload down and refuses nothing. If the \
connection breaks, repeat the lines without a result; with a \`key\` in each none is appended twice.

**CloudEvents**: one (\`application/cloudevents+json\`), a batch, or the binary mode: a body of any \
media type with the headers \`ce-specversion\`, \`ce-id\`, \`ce-source\`, \`ce-type\` and others that \
begin with \`ce-\`, percent-encoded as the HTTP binding says. The \`id\` becomes the key, extensions \
are kept, \`dataversion\` and \`tenant\` mean what they mean in events of our own, and \`sequence\` is \
refused because the gateway assigns it.

**Traces**: the header \`traceparent\` (and \`tracestate\`) names the trace of all events that name none \
themselves. It is kept in the events, as CloudEvents' extension of that name, and takes no part in deduplication.`;

export function createIngestRoutes(ingest: Ingest): Route[] {
  const input = createJsonInput(parseEvent);
  return [
    route({
      method: "post",
      path: "/events",
      id: "appendEvents",
      tag: "events",
      summary: "Append an event, a batch of up to 1,000, or lines without end",
      description,
      access: "append",
      limit: "appends",
      direct: true,
      query: z.object({
        ...tenantMember,
        cursors: booleanParameter.optional().meta({
          description: "Adds cursors to the results of a batch and of lines",
        }),
      }),
      body: rawBody({ content, takesAny: isInBinaryMode }),
      responses,
      problems: [
        "tenant-required",
        "unknown-tenant",
        "tenant-erasing",
        "invalid-header",
        "invalid",
        "idempotency-conflict",
        "quota-exceeded",
      ],
      async handle({ query, principal, request }) {
        const { tenant } = query;
        const withCursors = query.cursors === true;
        const arrived = ingest.arrival(request);
        const type = request.mediaType();
        if (type === "application/x-ndjson" && !isInBinaryMode(request)) {
          refuseKey(request);
          const minimal = preference(request.header("prefer"), "return") === "minimal";
          const readLine = (bytes: Buffer) => ofTenant(input.line(bytes), tenant);
          const how = { withCursors, minimal, tenant, readLine, arrived };
          await ingest.upload(request, principal, how);
          return alreadySent;
        }
        const read = readItems(request, type, await request.readBody(bodyMaxBytes));
        if (!Array.isArray(read)) {
          const item = withKey(ofTenant(read, tenant), request);
          const { status, ...reply } = await ingest.one(principal, item, arrived);
          return status === 201 ? { status, ...reply } : { status, ...reply };
        }
        refuseKey(request);
        const items = read.map((item) => itemOfTenant(item, tenant));
        const { results, headers } = await ingest.batch(principal, items, withCursors, arrived);
        return { status: 200, body: { results }, headers };
      },
    }),
  ];

  function readItems(request: ApiRequest, type: string | undefined, bytes: Buffer) {
    if (isInBinaryMode(request)) return readBinaryMode(request.incoming.rawHeaders, bytes);
    const text = decodeUtf8(bytes);
    switch (type) {
      case "application/cloudevents+json":
        return input.cloudEvent(text);
      case "application/cloudevents-batch+json":
        return input.cloudEvents(text);
      default:
        return input.body(text);
    }
  }
}

function isInBinaryMode(request: ApiRequest): boolean {
  return isBinaryMode(request.incoming.headers, request.mediaType());
}

function itemOfTenant(item: Item | Problem, tenant: string | undefined): Item | Problem {
  if (item instanceof Problem) return item;
  try {
    return ofTenant(item, tenant);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function refuseKey(request: ApiRequest): void {
  if (request.header("idempotency-key") === undefined) return;
  throw new Problem("invalid-header", "Idempotency-Key names one event, not several");
}

/** The event with the key that a header gives it; the two must not differ. */
function withKey(item: Item, request: ApiRequest): Item {
  const header = request.header("idempotency-key");
  if (header === undefined) return item;
  const key = unquote(header);
  if (item.input.key === key) return item;
  if (item.input.key !== undefined) {
    throw new Problem("invalid-header", "Idempotency-Key and the event's key differ");
  }
  return { ...item, input: { ...item.input, key } };
}

/** The header's value, bare or as the quoted string of the draft standard. */
function unquote(header: string): string {
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  if (key.length === 0 || key.length > keyMaxLength) {
    throw new Problem("invalid-header", `Idempotency-Key has 1 to ${keyMaxLength} characters`);
  }
  return key;
}
