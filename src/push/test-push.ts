/**
 * One push that stands in no log, for whoever sets an endpoint up: built, signed and sent like any
 * other, and told to the caller instead of the ledger. Its answer decides nothing, not even a 410.
 */
import { randomBytes } from "node:crypto";
import type { endpoints } from "../db/schema.ts";
import type { KeyRing } from "../keyring.ts";
import { sequenceText, tenantPrefix, type TenantId } from "../log/event.ts";
import { Problem } from "../problem.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Attempter } from "./attempt.ts";
import { recipientOf } from "./endpoints.ts";
import { bodyText, type AttemptResponse, type Outcome } from "./outcome.ts";
import { testPushHeaders } from "./request.ts";
import { decide } from "./retry.ts";

const redacted = "[redacted]";

type Tested = {
  readonly delivered: boolean;
  readonly error: { readonly class: string; readonly message: string } | null;
};

export function createTestPush(options: {
  ring: KeyRing;
  attempter: Attempter;
  userAgent: string;
  log: Logger;
}) {
  const { ring, attempter, userAgent, log } = options;

  return async (tenantName: string, endpoint: typeof endpoints.$inferSelect) => {
    const at = Date.now();
    const recipient = recipientOf(ring, endpoint);
    const { name } = recipient;
    const id = testEventId(recipient.tenant, at);
    const envelope = envelopeOf({ id, at, tenantName, endpoint: name });
    const body = Buffer.from(envelope);
    const headers = testPushHeaders(recipient, { userAgent, id, body, at });
    const { url, timeoutMs } = endpoint;
    const outcome = await attempter.attempt({ url, headers, body, timeoutMs });
    if (outcome.kind === "stopped") throw new Problem("unavailable", "this process is stopping");

    const { delivered, error } = judge(outcome);
    const status = outcome.response?.status ?? null;
    const latencyMs = Math.round(outcome.latencyMs);
    const line = { tenant: tenantName, event: id, endpoint: name, status, latencyMs };
    const told = { outcome: delivered ? "delivered" : "failed", error: error?.message ?? null };
    log.info({ ...line, ...told }, "test push");
    const shown = { url, headers: withoutSecrets(headers, recipient.headers), body: envelope };
    return {
      delivered,
      attempt: {
        at: new Date(at).toISOString(),
        latency_ms: latencyMs,
        status_code: status,
        error,
        request: shown,
        response: outcome.response === undefined ? null : showResponse(outcome.response),
      },
    };
  };
}

/**
 * It has the form of an event's id and can be none's: in its place a sequence never starts with a
 * zero. A receiver that deduplicates by it takes each test for new.
 */
function testEventId(tenant: TenantId, at: number): string {
  const day = new Date(at).toISOString().slice(0, "2026-11-23".length);
  return `evt_${day}_${tenantPrefix(tenant)}0${randomBytes(4).toString("hex")}`;
}

function envelopeOf(test: { id: string; at: number; tenantName: string; endpoint: string }) {
  return JSON.stringify({
    specversion: "1.0",
    id: test.id,
    source: `/tenants/${test.tenantName}`,
    type: "tidegate.test",
    time: new Date(test.at).toISOString(),
    datacontenttype: "application/json",
    dataversion: "1",
    tenant: test.tenantName,
    sequence: sequenceText(0),
    data: { endpoint: test.endpoint },
  });
}

/** As a delivery without retries would be judged. */
function judge(outcome: Outcome): Tested {
  const decision = decide(outcome, { attempt: 1, scheduleMs: [], chance: 0, now: 0 });
  const delivered =
    decision.kind === "disable" ? decision.delivered : decision.kind === "delivered";
  return { delivered, error: delivered ? null : errorOf(outcome) };
}

function errorOf(outcome: Outcome): Tested["error"] {
  if (outcome.kind === "failed") return { class: outcome.class, message: outcome.message };
  const { status } = outcome.response;
  // What fails with a 2xx has asked for it in a header.
  return { class: "http", message: status < 300 ? "aborted by the receiver" : `status ${status}` };
}

/** The owner's values are write-only, and a signature is good for a replay of the request. */
function withoutSecrets(
  headers: Readonly<Record<string, string>>,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const secret = new Set([...Object.keys(own), "webhook-signature"]);
  const entries = Object.entries(headers);
  return Object.fromEntries(
    entries.map(([name, value]) => [name, secret.has(name) ? redacted : value]),
  );
}

function showResponse(response: AttemptResponse) {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = value;
  }
  return { headers, body: bodyText(response), truncated: response.truncated };
}
