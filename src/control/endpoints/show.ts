/** An endpoint as its owner sees it. */
import { endpointName } from "../../deliveries/endpoint.ts";
import { sequenceText } from "../../log/event.ts";
import { durationText } from "./durations.ts";
import type { PositionView } from "../../deliveries/positions.ts";
import type { EndpointView } from "./store.ts";

export type ShownEndpoint = ReturnType<typeof show>;

export function show({ tenant, row, position: view }: EndpointView) {
  const { lastFailure } = view;
  return {
    id: endpointName(row.id),
    tenant: tenant.name,
    url: row.url,
    types: row.types,
    subjects: row.subjects,
    description: row.description,
    metadata: row.metadata,
    header_names: row.headerNames,
    timeout_ms: row.timeoutMs,
    max_in_flight: row.maxInFlight,
    rate_per_second: row.ratePerSecond,
    retry_schedule: row.retryScheduleMs && row.retryScheduleMs.map(durationText),
    give_up_after: row.giveUpAfterMs === null ? null : durationText(row.giveUpAfterMs),
    drain_dead_letters: row.drainDeadLetters,
    require_receipt: row.requireReceipt,
    receipt_timeout_ms: row.receiptTimeoutMs,
    ordering: row.ordering,
    signature: row.signature,
    format: row.format,
    status: view.status,
    status_reason: view.statusReason,
    circuit: showCircuit(view.circuit),
    position: sequenceText(view.position.sequence),
    lag: view.lag,
    in_flight: view.inFlight,
    retrying: view.retrying,
    dead: view.dead,
    last_success_at: timeText(view.lastSuccessAt),
    last_failure: lastFailure && {
      at: new Date(lastFailure.at).toISOString(),
      error: lastFailure.error,
    },
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}

function showCircuit({ state, since, nextProbeAt }: PositionView["circuit"]) {
  return { state, since: timeText(since), next_probe_at: timeText(nextProbeAt) };
}

function timeText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
