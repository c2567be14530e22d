/** Control on a database and a server of its own, with an operator key, and appends beside it. */
import { expect } from "vitest";
import { createControl, type Control } from "../../src/control/control.ts";
import type { Change } from "../../src/control/directory.ts";
import type { CheckUrl } from "../../src/control/endpoints/endpoints.ts";
import { isUnavailable, openDatabase } from "../../src/db/database.ts";
import { createRateLimiter } from "../../src/http/rate-limit.ts";
import { generateKeyRing, parseKeyRing } from "../../src/keyring.ts";
import { createAppender } from "../../src/log/append.ts";
import { createCursors } from "../../src/log/cursor.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createPartitions } from "../../src/log/partitions.ts";
import { fixShards } from "../../src/log/settings.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { startApi } from "./http.ts";
import { createTestDatabase } from "./postgres.ts";

export const operator = "tg_op_first";

export type TestControl = Awaited<ReturnType<typeof startControl>>;

/** `checkUrl` and `testPush` stand in for the push side's: nothing here is pushed. */
const checkUrl: CheckUrl = async (url) => {
  if (url.startsWith("ftp:")) return { kind: "invalid", detail: "must be http or https" };
  if (url.includes("10.0.0.1")) return { kind: "address-not-allowed", detail: "private address" };
  return { kind: "accepted" };
};

const testPush = () => Promise.reject(new Error("nothing is pushed here"));

export async function startControl() {
  const opened = new AsyncDisposableStack();
  const created = opened.use(await createTestDatabase());
  const database = openDatabase(created.url, { connections: 8, name: "test" });
  opened.defer(() => database.stop());
  const shards = await fixShards(database.sql, 256);
  await createPartitions(database.sql);
  const ring = parseKeyRing(generateKeyRing());
  const cursors = createCursors(ring);
  const log = createLogger({ level: "silent" });
  const { append } = createAppender({ sql: database.sql, log, tell: () => {} });
  const changes: Change[] = [];

  const { directory, api, control } = await another();
  return {
    ...{ database, ring, cursors, changes, directory, control, url: created.url },
    call: api.call,
    ...{ another, tenant, key, appendTo, stop: () => opened.disposeAsync() },
  };

  /** A further process on the same database. Processes hear nothing of each other here. */
  async function another({ retentionDays = 30, operatorKey = operator } = {}) {
    const limiter = createRateLimiter();
    const options = { database, ring, cursors, shards, retentionDays, limiter };
    const pushSide = { checkUrl, testPush };
    const announce = (change: Change) => changes.push(change);
    const control: Control = await createControl({
      ...{ ...options, ...pushSide },
      ...{ announce, operatorKey },
    });
    const { directory } = control;
    const api = await startApi(control.routes, { directory, isUnavailable });
    opened.defer(() => api.stop(0));
    return { api, directory, control };
  }

  async function tenant(name: string) {
    const { status } = await api.call("PUT", `/tenants/${name}`, operator, {});
    expect(status).toBe(201);
    const found = await directory.tenantByName(name);
    if (found === undefined) throw new Error(`tenant ${name} is not known`);
    return found;
  }

  async function key(name: string, scopes = ["manage"]): Promise<string> {
    const { status, json } = await api.call("POST", "/keys", operator, { tenant: name, scopes });
    expect(status).toBe(201);
    return String(json?.["key"]);
  }

  async function appendTo(id: TenantId, count: number) {
    const event = { tenant: id, shard: 0, type: "a", subject: null, key: null, digest: null };
    const text = {
      start: '"source":"/",',
      time: null,
      middle: '"type":"a",',
      content: ',"data":1',
    };
    return append(Array.from({ length: count }, () => ({ ...event, ...text })));
  }
}

type Answer = { readonly json: Record<string, unknown> | undefined };

/** The items of a list's answer. */
export function listed({ json }: Answer, name: string): Record<string, unknown>[] {
  return (json?.[name] ?? []) as Record<string, unknown>[];
}
