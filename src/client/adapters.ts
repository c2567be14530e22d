/**
 * Gives what servers hand to their handlers to an inbox, or to anything else that answers a Fetch
 * `Request`. Where a server speaks Fetch itself (Hono, Bun, Deno, workers) this is a line:
 *
 *     createServer(toNodeHandler(inbox))                  node:http
 *     app.post("/hook", toExpressHandler(inbox))          Express, before any body parser
 *     app.post("/hook", toHonoHandler(inbox))             Hono
 *     Deno.serve(inbox.fetch), Bun.serve({ fetch: inbox.fetch })
 *
 * The body must come raw: the signature is over its bytes, and parsed and written again they differ.
 */

export type FetchHandler = { fetch(request: Request): Promise<Response> };

/** What is used of an `IncomingMessage`; Express and its parsers add a `body`. */
export type NodeRequest = AsyncIterable<unknown> & {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body?: unknown;
};

/** What is used of a `ServerResponse`. */
export type NodeResponse = {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
};

/** Not read any further: no push is longer. */
const bodyMaxBytes = 4 << 20;

export function toNodeHandler(
  inbox: FetchHandler,
): (request: NodeRequest, response: NodeResponse) => void {
  return (incoming, outgoing) => {
    answer(inbox, incoming, outgoing).catch((error: unknown) => {
      // The connection broke, or there is no body to verify: it comes again. Nobody else is told,
      // and the gateway shows the answer.
      outgoing.statusCode = 500;
      outgoing.end(error instanceof ParsedBodyError ? error.message : "failed");
    });
  };
}

export function toExpressHandler(
  inbox: FetchHandler,
): (request: NodeRequest, response: NodeResponse, next: (error: unknown) => void) => void {
  return (incoming, outgoing, next) => {
    answer(inbox, incoming, outgoing).catch(next);
  };
}

export function toHonoHandler(
  inbox: FetchHandler,
): (context: { readonly req: { readonly raw: Request } }) => Promise<Response> {
  return (context) => inbox.fetch(context.req.raw);
}

async function answer(
  inbox: FetchHandler,
  incoming: NodeRequest,
  outgoing: NodeResponse,
): Promise<void> {
  const response = await inbox.fetch(await toRequest(incoming));
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) outgoing.setHeader(name, value);
  outgoing.end(await response.text());
}

async function toRequest(incoming: NodeRequest): Promise<Request> {
  const { method = "GET", url = "/" } = incoming;
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) {
    // Of HTTP/2, which are no headers.
    if (name.startsWith(":")) continue;
    for (const each of typeof value === "string" ? [value] : (value ?? [])) {
      headers.append(name, each);
    }
  }
  const hasBody = method !== "GET" && method !== "HEAD";
  const body = hasBody ? await readBody(incoming) : null;
  // Only the path is the caller's; nothing here depends on the host.
  return new Request(`http://localhost/${url.replace(/^\/+/, "")}`, { method, headers, body });
}

class ParsedBodyError extends Error {
  constructor() {
    super(
      "the body was parsed before it was verified: mount the inbox before express.json(), or give " +
        "its path express.raw({ type: () => true })",
    );
    this.name = "ParsedBodyError";
  }
}

/** What a parser of raw bodies has left, or what is still to be read. */
async function readBody(incoming: NodeRequest): Promise<Uint8Array<ArrayBuffer>> {
  const { body } = incoming;
  if (body instanceof Uint8Array) return new Uint8Array(body);
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body !== undefined && body !== null) {
    throw new ParsedBodyError();
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    const bytes = chunk as Uint8Array;
    length += bytes.length;
    // One byte more than what the inbox takes tells it that there was more.
    if (length > bodyMaxBytes) return new Uint8Array(bodyMaxBytes + 1);
    chunks.push(bytes);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
