/**
 * A whole gateway in this process, on a database of its own, with a client for its API. Every
 * answer that `fetch` brings from it is held to openapi.yaml, see contract-setup.ts.
 */
import { randomBytes } from "node:crypto";
import type { Writable } from "node:stream";
import { parseConfig } from "../../src/config.ts";
import { startGateway } from "../../src/gateway.ts";
import { generateKeyRing } from "../../src/keyring.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { holdToContract } from "./contract-setup.ts";
import { createTestDatabase } from "./postgres.ts";

export type Environment = Readonly<Record<string, string>>;

export type CallOptions = {
  /** The operator's unless given; null for none. */
  key?: string | null;
  /** Text goes as it is, all else as JSON. */
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
};

export type Answer = {
  status: number;
  headers: Headers;
  text: string;
  /** Undefined where the body is not JSON. */
  json: Record<string, unknown> | undefined;
  /** Of a problem. */
  slug: string | undefined;
};

export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>;

/**
 * Give the `environment` of another one to start a second process of the same installation: with
 * its DATABASE_URL it shares the database, which then goes when the first one stops.
 */
export async function startTestGateway(
  overrides: Environment = {},
  /** Takes the log in place of the terminal. */
  destination?: Writable,
) {
  await using opening = new AsyncDisposableStack();
  const databaseUrl = overrides["DATABASE_URL"] ?? opening.use(await createTestDatabase()).url;
  const environment: Environment = {
    DATABASE_URL: databaseUrl,
    TIDEGATE_OPERATOR_KEY: `tg_op_${randomBytes(24).toString("hex")}`,
    TIDEGATE_SECRETS: generateKeyRing(),
    TIDEGATE_ALLOW_ADDRESSES: "127.0.0.0/8,::1/128",
    TIDEGATE_SHUTDOWN_SECONDS: "1",
    LOG_LEVEL: "error",
    PORT: "0",
    ...overrides,
  };
  const config = parseConfig(environment);
  const log = createLogger({ level: config.logLevel, ...(destination && { destination }) });
  const gateway = await startGateway(config, log, fatal);
  opening.defer(() => gateway.stop());
  const { url, metricsUrl, operatorKey } = gateway;
  holdToContract(url);
  const opened = opening.move();
  const stop = () => opened.disposeAsync();
  return {
    ...{ url, metricsUrl, operatorKey, databaseUrl, environment },
    ...{ call, createTenant, createKey, append, stop },
    [Symbol.asyncDispose]: stop,
  };

  async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const { key = operatorKey, body } = options;
    const headers = new Headers(options.headers);
    if (key !== null) headers.set("authorization", `Bearer ${key}`);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    if (text !== undefined && !headers.has("content-type")) {
      headers.set("content-type", "application/json");
    }
    const init = { method, headers, ...(text !== undefined && { body: text }) };
    return readAnswer(await fetch(`${url}${path}`, init));
  }

  async function createTenant(tenant: string): Promise<string> {
    await succeed(call("PUT", `/tenants/${tenant}`));
    return tenant;
  }

  /** The text of a new key. */
  async function createKey(tenant: string, scopes = ["manage"]): Promise<string> {
    return String((await succeed(call("POST", "/keys", { body: { tenant, scopes } })))["key"]);
  }

  /** The results, in the order of the events. */
  async function append(tenant: string, ...events: object[]) {
    const batch = events.map((event) => ({ tenant, type: "order.created", data: {}, ...event }));
    const options = { body: { events: batch } };
    const { results } = await succeed(call("POST", "/events?cursors=true", options));
    return results as { status: number; id: string; sequence: string; cursor: string }[];
  }
}

/** The body of an answer that must not be a refusal. */
export async function succeed(answer: Promise<Answer>): Promise<Record<string, unknown>> {
  const { status, text, json } = await answer;
  if (status >= 300) throw new Error(`expected success, not ${status} ${text}`);
  return json ?? {};
}

export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const isJson = /[/+]json$/.test(headers.get("content-type") ?? "");
  const json = isJson && text !== "" ? (JSON.parse(text) as Record<string, unknown>) : undefined;
  const slug = json?.["type"]?.toString().replace("https://tidegate.dev/problems/", "");
  return { status, headers, text, json, ...{ slug: status >= 400 ? slug : undefined } };
}

function fatal(error: Error): never {
  throw error;
}
