/**
 * Databases for tests. One Postgres serves the whole run; each caller gets a database of its own,
 * cloned from a template that holds the migrated schema.
 */

import { randomUUID } from "node:crypto";
import postgres from "postgres";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
  }
}

export type TestDatabase = AsyncDisposable & { url: string; drop(): Promise<void> };

export const templateName = "tidegate_template";

export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await runAlone(server, `create database ${name} template ${templateName}`);
  const drop = () => runAlone(server, `drop database if exists ${name} with (force)`);
  return { url: urlOfDatabase(server, name), drop, [Symbol.asyncDispose]: drop };
}

export function urlOfDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

/** Runs one statement on a connection of its own, outside any transaction. */
export async function runAlone(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
