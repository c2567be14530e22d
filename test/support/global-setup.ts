/** Starts what all test files of a run share, and stops it after the last one. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { buildPage } from "../../scripts/portal.ts";
import { migrate } from "../../src/db/database.ts";
import { openEmbeddedPostgres } from "../../src/db/embedded.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { ensureChromium } from "./browser.ts";
import { ensureNatsServer } from "./nats.ts";
import { runAlone, templateName, urlOfDatabase } from "./postgres.ts";

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildPage();
  // Here and not where they are needed first: of several files at once only one could install them,
  // and a hook has not the time.
  await ensureNatsServer();
  await ensureChromium();
  const dataDir = await mkdtemp(join(tmpdir(), "tidegate-test-"));
  const log = createLogger({ level: "warn" });
  const server = await openEmbeddedPostgres({ dataDir, log, durable: false });
  await runAlone(server.url, `create database ${templateName}`);
  await migrate(urlOfDatabase(server.url, templateName));
  project.provide("postgresUrl", server.url);
  return async () => {
    await server.stop();
    await rm(dataDir, { recursive: true });
  };
}
