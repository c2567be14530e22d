/** Speaks to a gateway as its users do, with a key of an operator or of a tenant. */

import { waitUntil } from "./wait.ts";

export type Json = Record<string, unknown>;

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Json;
};

/** An event as it is handed out. */
export type ReadEvent = {
  readonly id: string;
  readonly tenant: string;
  readonly sequence: string;
  readonly type: string;
  readonly data: unknown;
};

export type Page = {
  readonly events: readonly ReadEvent[];
  readonly cursor: string;
  readonly has_more: boolean;
};

export type Appended = { readonly id: string; readonly sequence: string; readonly cursor: string };

export type ShownEndpoint = {
  readonly id: string;
  readonly url: string;
  readonly secret: string;
  readonly status: string;
  readonly status_reason: string | null;
  readonly position: string;
  readonly lag: { readonly events: number; readonly seconds: number };
  readonly retrying: number;
  readonly dead: number;
  readonly in_flight: number;
  readonly circuit: {
    readonly state: "closed" | "open" | "half_open";
    readonly since: string | null;
    readonly next_probe_at: string | null;
  };
  readonly last_failure: { readonly at: string; readonly error: string } | null;
};

export type Client = ReturnType<typeof createClient>;

/** A wait that got no answer is a test that hangs. */
const requestTimeoutMs = 30_000;

export function createClient(url: string, key: string) {
  const authorization = `Bearer ${key}`;
  return {
    ...{ call, expectOk, bytes, tenant, tenantKey, append, page, readAll, stream },
    ...{ createEndpoint, endpoint, endpointWhen, act },
  };

  async function call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization, ...(body !== undefined && { "content-type": "application/json" }) },
      signal: AbortSignal.timeout(requestTimeoutMs),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = text === "" ? {} : (JSON.parse(text) as Json);
    return { status: response.status, headers: response.headers, json };
  }

  async function expectOk(method: string, path: string, body?: unknown): Promise<Json> {
    const { status, json } = await call(method, path, body);
    if (status < 300) return json;
    throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
  }

  /** A body as it came. */
  async function bytes(path: string): Promise<Buffer> {
    const signal = AbortSignal.timeout(requestTimeoutMs);
    const response = await fetch(`${url}${path}`, { headers: { authorization }, signal });
    if (!response.ok) throw new Error(`GET ${path}: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }

  async function tenant(name: string): Promise<void> {
    await expectOk("PUT", `/tenants/${name}`, {});
  }

  /** A key with every scope of this tenant. */
  async function tenantKey(name: string): Promise<string> {
    const scopes = ["append", "read", "receive", "manage"];
    return String((await expectOk("POST", "/keys", { tenant: name, scopes }))["key"]);
  }

  async function append(tenant: string, data: unknown, type = "order.created"): Promise<Appended> {
    return (await expectOk("POST", "/events", { tenant, type, data })) as Appended;
  }

  async function page(tenant: string, query: Record<string, string> = {}): Promise<Page> {
    const parameters = new URLSearchParams({ tenant, ...query });
    return (await expectOk("GET", `/events?${parameters.toString()}`)) as Page;
  }

  /** The whole log, or what is after a cursor. */
  async function readAll(tenant: string, after?: string): Promise<ReadEvent[]> {
    const events: ReadEvent[] = [];
    let cursor = after;
    for (;;) {
      const found = await page(tenant, { limit: "1000", ...(cursor !== undefined && { cursor }) });
      events.push(...found.events);
      if (!found.has_more) return events;
      cursor = found.cursor;
    }
  }

  /** The events of a stream; it ends when the gateway ends it, and throws when it is cut. */
  async function* stream(tenant: string, signal: AbortSignal): AsyncGenerator<ReadEvent> {
    const response = await fetch(`${url}/events/stream?tenant=${tenant}`, {
      headers: { authorization },
      signal,
    });
    if (response.status !== 200 || response.body === null) {
      throw new Error(`stream: ${response.status} ${await response.text()}`);
    }
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        const isEvent = data !== undefined && !/^event: /m.test(block);
        if (isEvent) yield JSON.parse(data) as ReadEvent;
      }
    }
    if (text !== "") throw new Error(`the stream ended within a block: ${text}`);
  }

  async function createEndpoint(tenant: string, settings: Json): Promise<ShownEndpoint> {
    return (await expectOk("POST", "/endpoints", { tenant, ...settings })) as ShownEndpoint;
  }

  async function endpoint(id: string): Promise<ShownEndpoint> {
    return (await expectOk("GET", `/endpoints/${id}`)) as ShownEndpoint;
  }

  /** What can be done with an endpoint: `pause`, `poll`, `resume`. */
  async function act(id: string, action: string, body?: Json): Promise<ShownEndpoint> {
    return (await expectOk("POST", `/endpoints/${id}/${action}`, body)) as ShownEndpoint;
  }

  /** Waits until the endpoint is as wanted. */
  async function endpointWhen(
    id: string,
    isWanted: (endpoint: ShownEndpoint) => boolean,
    deadlineMs = 10_000,
  ): Promise<ShownEndpoint> {
    let last: ShownEndpoint | undefined;
    try {
      return await waitUntil(
        async () => {
          last = await endpoint(id);
          return isWanted(last) && last;
        },
        { deadlineMs },
      );
    } catch (cause) {
      throw new Error(`the endpoint stayed ${JSON.stringify(last)}`, { cause });
    }
  }
}
