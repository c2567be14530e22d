import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config.ts";
import { parseDurationMs } from "../../src/config/values.ts";

const secrets = `1:${Buffer.alloc(32, 7).toString("base64")}`;
const external = {
  DATABASE_URL: "postgres://app:hunter2@db.internal/tidegate",
  TIDEGATE_OPERATOR_KEY: "tg_op_operator",
  TIDEGATE_SECRETS: secrets,
};

describe("defaults", () => {
  test("an empty environment is the embedded setup", () => {
    expect(parseConfig({})).toEqual({
      production: false,
      dataDir: resolve(".tidegate"),
      host: "127.0.0.1",
      port: 8080,
      corsOrigins: [],
      roles: new Set(["api", "push"]),
      allowAddresses: ["127.0.0.0/8", "::1/128"],
      retentionDays: 30,
      retryScheduleMs: [
        5_000, 15_000, 60_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000,
        72_000_000, 86_400_000,
      ],
      shards: 256,
      pushConcurrency: 1024,
      databasePool: 10,
      shutdownMs: 20_000,
      metricsTenants: 100,
      metricsPinnedTenants: [],
      drainMs: 0,
      logLevel: "info",
    });
  });

  test("with a database elsewhere no private address is allowed", () => {
    expect(parseConfig(external).allowAddresses).toEqual([]);
  });

  test("an empty or blank variable counts as unset", () => {
    expect(parseConfig({ DATABASE_URL: "", PORT: " ", TIDEGATE_SHARDS: "" }).port).toBe(8080);
  });

  test("variables of other programs are none of our business", () => {
    expect(() => parseConfig({ PATH: "/bin", TIDE: "high", HOME: "/root" })).not.toThrow();
  });
});

test("every variable is read", () => {
  const config = parseConfig({
    ...external,
    NODE_ENV: "production",
    NATS_URL: "nats://a:4222, tls://b:4222",
    NATS_USER: "tidegate",
    NATS_PASSWORD: "s3cr3t",
    NATS_CA: "ca.pem",
    NATS_CERT: "cert.pem",
    NATS_KEY: "key.pem",
    TIDEGATE_NATS_REPLICAS: "3",
    TIDEGATE_DATA_DIR: "data",
    HOST: "::",
    PORT: "0",
    TIDEGATE_PUBLIC_URL: "https://events.example.com/",
    TIDEGATE_CORS_ORIGINS: "https://app.example.com,http://localhost:3000",
    TIDEGATE_ROLES: "push",
    TIDEGATE_ALLOW_ADDRESSES: "10.0.0.0/8,fd00::/8",
    TIDEGATE_EGRESS_PROXY: "http://proxy:3128",
    TIDEGATE_RETENTION_DAYS: "7",
    TIDEGATE_RETRY_SCHEDULE: "500ms, 5s,1m,2h",
    TIDEGATE_SHARDS: "8",
    TIDEGATE_PUSH_CONCURRENCY: "64",
    TIDEGATE_DATABASE_POOL: "3",
    TIDEGATE_SHUTDOWN_SECONDS: "5",
    TIDEGATE_DRAIN_SECONDS: "10",
    TIDEGATE_METRICS_ADDRESS: "[::1]:9464",
    TIDEGATE_METRICS_TENANTS: "20",
    TIDEGATE_METRICS_PINNED_TENANTS: "acme, globex",
    LOG_LEVEL: "debug",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector:4318",
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.25",
  });
  expect(config).toEqual({
    production: true,
    databaseUrl: external.DATABASE_URL,
    nats: {
      servers: ["nats://a:4222", "tls://b:4222"],
      replicas: 3,
      user: "tidegate",
      password: "s3cr3t",
      caFile: "ca.pem",
      certFile: "cert.pem",
      keyFile: "key.pem",
    },
    dataDir: resolve("data"),
    host: "::",
    port: 0,
    publicUrl: "https://events.example.com",
    corsOrigins: ["https://app.example.com", "http://localhost:3000"],
    roles: new Set(["push"]),
    operatorKey: external.TIDEGATE_OPERATOR_KEY,
    secrets,
    allowAddresses: ["10.0.0.0/8", "fd00::/8"],
    egressProxy: "http://proxy:3128",
    retentionDays: 7,
    retryScheduleMs: [500, 5_000, 60_000, 7_200_000],
    shards: 8,
    pushConcurrency: 64,
    databasePool: 3,
    shutdownMs: 5_000,
    drainMs: 10_000,
    metricsAddress: { host: "::1", port: 9464 },
    metricsTenants: 20,
    metricsPinnedTenants: ["acme", "globex"],
    logLevel: "debug",
    tracing: {
      endpoint: "http://collector:4318",
      sampler: "parentbased_traceidratio",
      ratio: 0.25,
    },
  });
});

describe("faults", () => {
  test.each([
    ["DATABASE_URL", "mysql://db/tidegate"],
    ["NATS_URL", "nats://a:4222,,"],
    ["NATS_URL", "http://a:4222"],
    ["TIDEGATE_NATS_REPLICAS", "2"],
    ["HOST", "http://localhost"],
    ["PORT", "80a"],
    ["PORT", "65536"],
    ["PORT", "-1"],
    ["TIDEGATE_PUBLIC_URL", "events.example.com"],
    ["TIDEGATE_PUBLIC_URL", "ftp://events.example.com"],
    ["TIDEGATE_CORS_ORIGINS", "https://app.example.com/path"],
    ["TIDEGATE_ROLES", "api,pull"],
    ["TIDEGATE_OPERATOR_KEY", "short"],
    ["TIDEGATE_OPERATOR_KEY", "with a blank in it"],
    ["TIDEGATE_SECRETS", "1:tooshort"],
    ["TIDEGATE_SECRETS", Buffer.alloc(32).toString("base64")],
    ["TIDEGATE_ALLOW_ADDRESSES", "10.0.0.0"],
    ["TIDEGATE_ALLOW_ADDRESSES", "10.0.0.0/33"],
    ["TIDEGATE_EGRESS_PROXY", "proxy:3128"],
    ["TIDEGATE_RETENTION_DAYS", "0"],
    ["TIDEGATE_RETENTION_DAYS", "1.5"],
    ["TIDEGATE_RETRY_SCHEDULE", "5"],
    ["TIDEGATE_RETRY_SCHEDULE", "5s,soon"],
    ["TIDEGATE_SHARDS", "0"],
    ["TIDEGATE_PUSH_CONCURRENCY", "many"],
    ["TIDEGATE_DATABASE_POOL", "0x10"],
    ["TIDEGATE_SHUTDOWN_SECONDS", "20s"],
    ["TIDEGATE_METRICS_ADDRESS", "9464"],
    ["TIDEGATE_METRICS_ADDRESS", "localhost:99999"],
    ["TIDEGATE_METRICS_TENANTS", "100000"],
    ["TIDEGATE_METRICS_PINNED_TENANTS", "acme,other"],
    ["LOG_LEVEL", "loud"],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "collector"],
    ["OTEL_TRACES_SAMPLER", "xray"],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5"],
    ["OTEL_TRACES_SAMPLER_ARG", "1%"],
  ])("%s=%s is refused with an example of a right value", (name, value) => {
    const faults = faultsOf({ ...external, NATS_URL: "nats://a:4222", [name]: value });
    expect(faults).toEqual([expect.stringMatching(`^${name} must be .*for example `)]);
  });

  test("no value is repeated, since it may be a secret", () => {
    const names = Object.keys(external).concat("NATS_URL", "TIDEGATE_EGRESS_PROXY", "PORT");
    const faults = faultsOf(Object.fromEntries(names.map((name) => [name, "hunter2 ,"])));
    expect(faults).toHaveLength(names.length);
    expect(faults.join("\n")).not.toContain("hunter2");
  });

  test("all of them are told at once, one a line", () => {
    const faults = faultsOf({
      NODE_ENV: "production",
      PORT: "eighty",
      LOG_LEVEL: "loud",
      TIDEGATE_SHARD: "8",
      TIDEGATE_RETENTION_DAYS: "2",
    });
    expect(faults.map((fault) => fault.split(" ")[0])).toEqual([
      "TIDEGATE_SHARD",
      "DATABASE_URL",
      "TIDEGATE_OPERATOR_KEY",
      "TIDEGATE_SECRETS",
      "PORT",
      "LOG_LEVEL",
      "TIDEGATE_RETENTION_DAYS",
    ]);
  });

  test("an unknown variable is answered with the known ones", () => {
    expect(faultsOf({ TIDEGATE_RETENTION: "7" })[0]).toMatch(
      /^TIDEGATE_RETENTION is not .*TIDEGATE_RETENTION_DAYS/,
    );
  });

  test("production without a database is refused, whatever else is set", () => {
    const { DATABASE_URL, ...rest } = external;
    expect(faultsOf({ ...rest, NODE_ENV: "production" })).toEqual([
      expect.stringMatching(/^DATABASE_URL is required with NODE_ENV=production/),
    ]);
    expect(DATABASE_URL).toBeDefined();
  });

  test("a database elsewhere asks for both secrets and says how to make them", () => {
    const faults = faultsOf({ DATABASE_URL: external.DATABASE_URL });
    expect(faults).toEqual([
      expect.stringMatching(/^TIDEGATE_OPERATOR_KEY is required .*openssl rand/),
      expect.stringMatching(/^TIDEGATE_SECRETS is required .*openssl rand/),
    ]);
  });
});

describe("NATS", () => {
  const servers = "nats://a:4222";

  test.each([
    [{ NATS_CREDS: "a.creds" }, { credsFile: "a.creds" }],
    [{ NATS_NKEY: "a.nk" }, { nkeyFile: "a.nk" }],
    [{ NATS_USER: "t0ken" }, { user: "t0ken" }],
    [
      { NATS_CA: "ca.pem", NATS_CREDS: "a.creds" },
      { caFile: "ca.pem", credsFile: "a.creds" },
    ],
    [{ TIDEGATE_NATS_REPLICAS: "5" }, { replicas: 5 }],
  ])("%j is what connects", (given, nats) => {
    expect(parseConfig({ NATS_URL: servers, ...given }).nats).toEqual({
      servers: [servers],
      ...nats,
    });
  });

  test.each([
    [{ NATS_CERT: "hidden.pem" }, ["NATS_CERT is of use with NATS_KEY only"]],
    [{ NATS_KEY: "hidden.pem" }, ["NATS_KEY is of use with NATS_CERT only"]],
    [{ NATS_PASSWORD: "hidden" }, ["NATS_PASSWORD is of use with NATS_USER only"]],
    [
      { NATS_CREDS: "hidden", NATS_NKEY: "hidden" },
      ["NATS_CREDS and NATS_NKEY are more than one way to log in: set one of them"],
    ],
    [
      { NATS_CREDS: "hidden", NATS_URL: "nats://hidden:hidden@a" },
      ["NATS_CREDS and a user in NATS_URL are more than one way to log in: set one of them"],
    ],
  ])("%j is refused", (given, faults) => {
    expect(faultsOf({ NATS_URL: servers, ...given })).toEqual(faults);
  });

  test("its options are refused where there is no NATS", () => {
    const faults = faultsOf({ NATS_CREDS: "hidden", TIDEGATE_NATS_REPLICAS: "3" });
    expect(faults).toEqual([
      expect.stringMatching(/^NATS_CREDS is of use with NATS_URL only/),
      expect.stringMatching(/^TIDEGATE_NATS_REPLICAS is of use with NATS_URL only/),
    ]);
  });
});

describe("retention", () => {
  test.each([
    { days: "4", schedule: undefined, least: 5 },
    { days: "1", schedule: "1s", least: 2 },
    { days: "30", schedule: "720h", least: 31 },
  ])("$days days are too few for $schedule", ({ days, schedule, least }) => {
    const faults = faultsOf({ TIDEGATE_RETENTION_DAYS: days, TIDEGATE_RETRY_SCHEDULE: schedule });
    expect(faults).toEqual([expect.stringContaining(`at least ${least},`)]);
  });

  test.each([
    ["5", undefined],
    ["2", "24h"],
    ["31", "720h"],
  ])("%s days are enough for %s", (days, schedule) => {
    const config = parseConfig({
      TIDEGATE_RETENTION_DAYS: days,
      TIDEGATE_RETRY_SCHEDULE: schedule,
    });
    expect(config.retentionDays).toBe(Number(days));
  });
});

describe("Kubernetes service links", () => {
  const address = "tcp://10.96.0.17:80";
  test.each([
    ["TIDEGATE_PORT", address],
    ["TIDEGATE_SERVICE_HOST", "10.96.0.17"],
    ["TIDEGATE_SERVICE_PORT", "80"],
    ["TIDEGATE_SERVICE_PORT_HTTP_METRICS", "9464"],
    ["TIDEGATE_PORT_80_TCP", address],
    ["TIDEGATE_PORT_80_TCP_ADDR", "10.96.0.17"],
    ["TIDEGATE_PORT_80_TCP_PORT", "80"],
    ["TIDEGATE_PORT_80_TCP_PROTO", "tcp"],
    ["TIDEGATE_PUSH_SERVICE_HOST", "10.96.0.18"],
    ["TIDEGATE_PUSH_PORT", address],
    ["TIDEGATE_PUSH_PORT_80_TCP_ADDR", "10.96.0.18"],
  ])("%s is ignored", (name, value) => {
    expect(parseConfig({ [name]: value })).toEqual(parseConfig({}));
  });

  test.each([
    ["TIDEGATE_METRICS_PORT", "9464"],
    ["TIDEGATE_PORT_80", "80"],
    ["TIDEGATE_SERVICE", "10.96.0.17"],
  ])("%s=%s is not one", (name, value) => {
    expect(faultsOf({ [name]: value })).toHaveLength(1);
  });
});

test("the variables of the command line are no business of the gateway", () => {
  const environment = { TIDEGATE_URL: "u", TIDEGATE_KEY: "k", TIDEGATE_TENANT: "t" };
  expect(parseConfig(environment)).toEqual(parseConfig({}));
});

test("durations have one whole number and one unit", () => {
  expect(["250ms", "5s", "1m", "2h"].map(parseDurationMs)).toEqual([250, 5_000, 60_000, 7_200_000]);
  for (const text of ["", "5", "0s", "-1s", "1.5h", "5 s", "1d", "1h30m", "s"]) {
    expect(parseDurationMs(text)).toBeUndefined();
  }
});

function faultsOf(environment: Record<string, string | undefined>): string[] {
  try {
    parseConfig(environment);
  } catch (error) {
    return (error as Error).message.split("\n").slice(1);
  }
  return [];
}
