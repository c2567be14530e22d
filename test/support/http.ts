/** A small API of sample routes on a real server, and a client that speaks bytes. */

import { connect } from "node:net";
import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import type { Directory, Principal, Scope, Tenant } from "../../src/http/auth.ts";
import { createRateLimiter } from "../../src/http/rate-limit.ts";
import { mountRoutes, type MountOptions } from "../../src/http/mount.ts";
import type { Route } from "../../src/http/route.ts";
import { listen } from "../../src/http/server.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { unlimited } from "./tenant.ts";

export const acme: Tenant = { id: "11" as TenantId, name: "acme", shard: 1, ...unlimited };
export const globex: Tenant = { id: "22" as TenantId, name: "globex", shard: 2, ...unlimited };

/** Keys `operator` and `<tenant>-<scope>`, and `acme-expired`. */
export const directory: Directory = {
  async authenticate(token): Promise<Principal | undefined> {
    if (token === "operator") return { kind: "operator", keyId: "key_operator" };
    const [name, scope] = token.split("-");
    const tenant = await directory.tenantByName(name ?? "");
    if (tenant === undefined || scope === undefined) return undefined;
    const expiresAt = scope === "expired" ? Date.now() - 1 : null;
    const scopes = new Set([scope as Scope]);
    return { kind: "tenant", keyId: `key_${token}`, tenant, scopes, expiresAt };
  },
  async tenantByName(name) {
    return [acme, globex].find((tenant) => tenant.name === name);
  },
};

export type LogLine = { msg: string; request?: string; status?: number; [key: string]: unknown };

export type SampleApi = Awaited<ReturnType<typeof startApi>>;

export async function startApi(
  routes: readonly Route[],
  { headersTimeoutMs, ...options }: Partial<MountOptions> & { headersTimeoutMs?: number } = {},
) {
  const lines: LogLine[] = [];
  const log = createLogger({
    level: "debug",
    destination: new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(JSON.parse(chunk.toString()) as LogLine);
        done();
      },
    }),
  });
  const app = new Hono<{ Bindings: HttpBindings }>();
  const mounting = { directory, limiter: createRateLimiter(), log, ...options };
  const direct = mountRoutes(app, routes, mounting);
  const listening = await listen(app, {
    host: "127.0.0.1",
    port: 0,
    log,
    direct,
    ...(headersTimeoutMs !== undefined && { headersTimeoutMs }),
  });
  return { ...listening, lines, call };

  /** A request with a key; bodies that are not text go as JSON. */
  async function call(method: string, path: string, key?: string, body?: unknown) {
    const headers = new Headers();
    if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
    if (body !== undefined) headers.set("content-type", "application/json");
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const response = await fetch(`${listening.url}${path}`, {
      method,
      headers,
      ...(text !== undefined && { body: text }),
    });
    const answer = await response.text();
    const json = answer === "" ? undefined : (JSON.parse(answer) as Record<string, unknown>);
    const slug = json?.["type"]?.toString().replace("https://tidegate.dev/problems/", "");
    return { status: response.status, headers: response.headers, json, slug };
  }
}

/** Writes pieces to a connection, one after the other, and reads until the server closes it. */
export async function converse(
  port: number,
  pieces: AsyncIterable<string | Buffer> | Iterable<string | Buffer>,
  onText: (text: string) => void = () => {},
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  let received = "";
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("data", (chunk) => {
    received += chunk.toString();
    onText(chunk.toString());
  });
  socket.on("error", () => {}); // a reset is one of the ways in which a server closes
  for await (const piece of pieces) {
    if (socket.destroyed) break;
    if (!socket.write(piece)) {
      await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
    }
  }
  await closed;
  return received;
}

/** The same piece again and again, with a pause, until the connection is gone. */
export async function* endlessly(first: string, piece: string | Buffer, pauseMs: number) {
  yield first;
  for (;;) {
    await delay(pauseMs);
    yield piece;
  }
}
