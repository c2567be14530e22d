/**
 * The process's environment, parsed once. The defaults are the embedded setup: nothing needs to
 * be configured to try Tidegate. A fault stops the start, and all faults are told at once. No
 * value is ever repeated in a message, since several of them are secrets.
 */

import { resolve } from "node:path";
import { z } from "zod";
import { natsFaults, toNatsConfig, type NatsConfig } from "./config/broker.ts";
import {
  durationMs,
  hostAndPort,
  isOrigin,
  list,
  mayBePinned,
  path,
  sampler,
  share,
  visible,
  webUrl,
  whole,
  type Sampler,
} from "./config/values.ts";

export type { BrokerAccess, NatsConfig } from "./config/broker.ts";

export type Role = "api" | "push";

/** Where spans go, and of which traces: see OTEL_TRACES_SAMPLER and its ARG, a share. */
export type TracingConfig = {
  readonly endpoint: string;
  readonly sampler: Sampler;
  readonly ratio: number;
};

export type Config = {
  readonly production: boolean;
  /** Undefined: the embedded Postgres in the data directory. */
  readonly databaseUrl?: string | undefined;
  /** Undefined: fan-out within this process. */
  readonly nats?: NatsConfig | undefined;
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl?: string | undefined;
  readonly corsOrigins: readonly string[];
  readonly roles: ReadonlySet<Role>;
  /** Undefined, like `secrets`, only in embedded mode, where both are generated. */
  readonly operatorKey?: string | undefined;
  readonly secrets?: string | undefined;
  /** CIDRs, private or special, that endpoints may reach. */
  readonly allowAddresses: readonly string[];
  readonly egressProxy?: string | undefined;
  readonly retentionDays: number;
  readonly retryScheduleMs: readonly number[];
  readonly shards: number;
  readonly pushConcurrency: number;
  readonly databasePool: number;
  readonly shutdownMs: number;
  /** Before that: how long it says that it is going, and goes on serving. */
  readonly drainMs: number;
  /** Undefined: among the other routes, for operators. */
  readonly metricsAddress?: { readonly host: string; readonly port: number } | undefined;
  /** Those with series of their own: so many, half of them the busiest, half those that fail most. */
  readonly metricsTenants: number;
  /** Names of tenants that have series of their own whatever they do. */
  readonly metricsPinnedTenants: readonly string[];
  readonly logLevel: string;
  /** Undefined: none. */
  readonly tracing?: TracingConfig | undefined;
};

const dayMs = 86_400_000;
const loopback = ["127.0.0.0/8", "::1/128"];
/** Each has as many series as a busy one. */
const pinnedTenantsMax = 100;

/** Each description completes "NAME must be …" and holds an example of a right value. */
const variables = z.object({
  NODE_ENV: z.string().optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\/\S+$/)
    .optional()
    .describe("a Postgres URL, for example postgres://user:password@db.internal:5432/tidegate"),
  NATS_URL: list(z.string().regex(/^((nats|tls|wss?):\/\/)?[^\s/,]+\/?$/))
    .optional()
    .describe("one or more NATS servers, for example nats://a:4222,nats://b:4222"),
  NATS_USER: visible().describe("a user's name or a token, for example tidegate"),
  NATS_PASSWORD: visible().describe('visible ASCII, for example "$(openssl rand -hex 24)"'),
  NATS_CREDS: path().describe(
    "a file with a JWT and its seed, for example /run/secrets/nats.creds",
  ),
  NATS_NKEY: path().describe("a file with an nkey's seed, for example /run/secrets/nats.nk"),
  NATS_CA: path().describe("a file with PEM certificates, for example /run/secrets/nats-ca.pem"),
  NATS_CERT: path().describe("a file with a PEM certificate, for example /run/secrets/nats.pem"),
  NATS_KEY: path().describe("a file with a PEM key, for example /run/secrets/nats-key.pem"),
  TIDEGATE_NATS_REPLICAS: z
    .enum(["1", "3", "5"])
    .transform(Number)
    .optional()
    .describe("1, 3 or 5, for example 3"),
  TIDEGATE_DATA_DIR: z.string().default(".tidegate").describe("a directory, for example .tidegate"),
  HOST: z
    .string()
    .regex(/^[^\s/]+$/)
    .default("127.0.0.1")
    .describe("an address or name to listen on, for example 127.0.0.1"),
  PORT: whole(0, 65_535).default(8080).describe("a port number, for example 8080 (0: a free one)"),
  TIDEGATE_PUBLIC_URL: webUrl()
    .transform((url) => url.replace(/\/+$/, ""))
    .optional()
    .describe("an http or https URL, for example https://events.example.com"),
  TIDEGATE_CORS_ORIGINS: list(z.string().refine(isOrigin))
    .default([])
    .describe("origins without a path, for example https://app.example.com,http://localhost:3000"),
  TIDEGATE_ROLES: list(z.enum(["api", "push"]))
    .default(["api", "push"])
    .describe("api, push or both, for example api,push"),
  TIDEGATE_OPERATOR_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{8,}$/)
    .optional()
    .describe('8 or more visible ASCII characters, for example "tg_op_$(openssl rand -hex 24)"'),
  // The shape only; `parseKeyRing` is the one that reads it.
  TIDEGATE_SECRETS: list(z.string().regex(/^\d{1,3}:[\w+/-]{43,}={0,2}$/))
    .transform((keys) => keys.join(","))
    .optional()
    .describe('kid:base64 of 32 or more bytes, …, for example "1:$(openssl rand -base64 32)"'),
  TIDEGATE_ALLOW_ADDRESSES: list(z.union([z.cidrv4(), z.cidrv6()]))
    .optional()
    .describe("CIDRs, for example 10.0.0.0/8,fd00::/8"),
  TIDEGATE_EGRESS_PROXY: webUrl()
    .optional()
    .describe("an http or https URL, for example http://proxy.internal:3128"),
  TIDEGATE_RETENTION_DAYS: whole(1, 3650).default(30).describe("1 to 3650 days, for example 30"),
  TIDEGATE_RETRY_SCHEDULE: list(z.string().transform(durationMs))
    .prefault("5s,15s,1m,5m,30m,2h,5h,10h,14h,20h,24h")
    .describe("durations in s, m or h, for example 5s,1m,2h"),
  TIDEGATE_SHARDS: whole(1, 4096).default(256).describe("1 to 4096, for example 256"),
  TIDEGATE_PUSH_CONCURRENCY: whole(1, 100_000)
    .default(1024)
    .describe("1 to 100000 pushes at a time, for example 1024"),
  TIDEGATE_DATABASE_POOL: whole(1, 1000)
    .default(10)
    .describe("1 to 1000 connections, for example 10"),
  TIDEGATE_SHUTDOWN_SECONDS: whole(1, 3600)
    .default(20)
    .describe("1 to 3600 seconds, for example 20"),
  TIDEGATE_DRAIN_SECONDS: whole(0, 600).default(0).describe("0 to 600 seconds, for example 10"),
  TIDEGATE_METRICS_ADDRESS: z
    .string()
    .transform(hostAndPort)
    .optional()
    .describe("host:port, for example 127.0.0.1:9464"),
  TIDEGATE_METRICS_TENANTS: whole(0, 1000).default(100).describe("0 to 1000, for example 100"),
  TIDEGATE_METRICS_PINNED_TENANTS: list(z.string().refine(mayBePinned))
    .pipe(z.array(z.string()).max(pinnedTenantsMax))
    .default([])
    .describe(
      `up to ${pinnedTenantsMax} names of tenants, but for "other", for example acme,globex`,
    ),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"])
    .default("info")
    .describe("trace, debug, info, warn, error, fatal or silent, for example info"),
  OTEL_EXPORTER_OTLP_ENDPOINT: webUrl()
    .optional()
    .describe("an http or https URL, for example http://localhost:4318"),
  OTEL_TRACES_SAMPLER: sampler(),
  OTEL_TRACES_SAMPLER_ARG: share(),
});

/**
 * Those of the command line, see src/cli: where commands run that speak to a gateway, one may be
 * started too.
 */
const variablesOfCommands: ReadonlySet<string> = new Set([
  "TIDEGATE_URL",
  "TIDEGATE_KEY",
  "TIDEGATE_TENANT",
]);

type VariableName = keyof typeof variables.shape;

/**
 * What Kubernetes puts into every container for a service named `tidegate`, or for one whose name
 * starts so (`tidegate-push`).
 */
const serviceLink =
  /^TIDEGATE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO))?)$/;

export function parseConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value.trim() !== "") given[name] = value;
  }
  const parsed = variables.safeParse(given);
  const faults = [
    ...Object.entries(given).filter(isUnknown).map(unknownFault),
    ...requiredFaults(given),
    ...(parsed.success ? [] : valueFaults(parsed.error)),
    ...natsFaults(given),
    ...retentionFaults(given),
  ];
  if (!parsed.success || faults.length > 0) {
    throw new Error(`The environment cannot be used:\n${faults.join("\n")}`);
  }
  return toConfig(parsed.data);
}

function toConfig(values: z.output<typeof variables>): Config {
  const embedded = values.DATABASE_URL === undefined;
  return {
    production: values.NODE_ENV === "production",
    databaseUrl: values.DATABASE_URL,
    nats: toNatsConfig(values),
    dataDir: resolve(values.TIDEGATE_DATA_DIR),
    host: values.HOST,
    port: values.PORT,
    publicUrl: values.TIDEGATE_PUBLIC_URL,
    corsOrigins: values.TIDEGATE_CORS_ORIGINS,
    roles: new Set(values.TIDEGATE_ROLES),
    operatorKey: values.TIDEGATE_OPERATOR_KEY,
    secrets: values.TIDEGATE_SECRETS,
    // Whoever tries Tidegate on a laptop receives there too; a production network is another thing.
    allowAddresses: values.TIDEGATE_ALLOW_ADDRESSES ?? (embedded ? loopback : []),
    egressProxy: values.TIDEGATE_EGRESS_PROXY,
    retentionDays: values.TIDEGATE_RETENTION_DAYS,
    retryScheduleMs: values.TIDEGATE_RETRY_SCHEDULE,
    shards: values.TIDEGATE_SHARDS,
    pushConcurrency: values.TIDEGATE_PUSH_CONCURRENCY,
    databasePool: values.TIDEGATE_DATABASE_POOL,
    shutdownMs: values.TIDEGATE_SHUTDOWN_SECONDS * 1000,
    drainMs: values.TIDEGATE_DRAIN_SECONDS * 1000,
    metricsAddress: values.TIDEGATE_METRICS_ADDRESS,
    metricsTenants: values.TIDEGATE_METRICS_TENANTS,
    metricsPinnedTenants: values.TIDEGATE_METRICS_PINNED_TENANTS,
    logLevel: values.LOG_LEVEL,
    tracing: toTracingConfig(values),
  };
}

function toTracingConfig(values: z.output<typeof variables>): TracingConfig | undefined {
  const endpoint = values.OTEL_EXPORTER_OTLP_ENDPOINT;
  if (endpoint === undefined) return undefined;
  const { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio } = values;
  return { endpoint, sampler, ratio };
}

function isUnknown([name, value]: [string, string]): boolean {
  if (!name.startsWith("TIDEGATE_") || name in variables.shape) return false;
  return !variablesOfCommands.has(name) && !isServiceLink(name, value);
}

function isServiceLink(name: string, value: string): boolean {
  // The value tells a link from a typing error such as TIDEGATE_METRICS_PORT=9464.
  const address = name.endsWith("_PORT") && /^(tcp|udp|sctp):\/\//.test(value);
  return address || name === "TIDEGATE_PORT" || serviceLink.test(name);
}

function unknownFault([name]: [string, string]): string {
  const known = Object.keys(variables.shape).filter((other) => other.startsWith("TIDEGATE_"));
  return `${name} is not a variable of Tidegate; there are ${known.join(", ")}`;
}

function valueFaults(error: z.ZodError): string[] {
  const names = new Set(error.issues.map((issue) => issue.path[0] as VariableName));
  return [...names].map((name) => `${name} must be ${variables.shape[name].description}`);
}

function requiredFaults(given: Readonly<Record<string, string>>): string[] {
  const production = given.NODE_ENV === "production";
  if (!production && given.DATABASE_URL === undefined) return [];
  const generate = {
    DATABASE_URL:
      "with NODE_ENV=production (the embedded database is for trying things out), " +
      "for example postgres://user:password@db.internal:5432/tidegate",
    TIDEGATE_OPERATOR_KEY:
      'outside embedded mode; generate it: echo "tg_op_$(openssl rand -hex 24)"',
    TIDEGATE_SECRETS: 'outside embedded mode; generate it: echo "1:$(openssl rand -base64 32)"',
  };
  return Object.entries(generate)
    .filter(([name]) => given[name] === undefined)
    .map(([name, text]) => `${name} is required ${text}`);
}

/** A delivery may be retried until its schedule ends; its event must still be there, and seen. */
function retentionFaults(given: Readonly<Record<string, string>>): string[] {
  const days = variables.shape.TIDEGATE_RETENTION_DAYS.safeParse(given.TIDEGATE_RETENTION_DAYS);
  const delays = variables.shape.TIDEGATE_RETRY_SCHEDULE.safeParse(given.TIDEGATE_RETRY_SCHEDULE);
  if (!days.success || !delays.success) return [];
  const least = Math.ceil(delays.data.reduce((sum, delay) => sum + delay, dayMs) / dayMs);
  if (days.data >= least) return [];
  return [
    `TIDEGATE_RETENTION_DAYS must be at least ${least}, the total of the retry schedule and a ` +
      `day, for example ${Math.max(least, 30)}`,
  ];
}
