/** An endpoint as its owner sees it. */
import { endpointName } from "../../deliveries/endpoint.ts";
import { sequenceText } from "../../log/event.ts";
import { delayText } from "./durations.ts";
import type { EndpointView } from "./store.ts";

export type ShownEndpoint = ReturnType<typeof show>;

export function show({ tenant, row, position: view }: EndpointView) {
  const { lastSuccessAt, lastFailure } = view;
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
    retry_schedule: row.retryScheduleMs && row.retryScheduleMs.map(delayText),
    format: row.format,
    status: view.status,
    status_reason: view.statusReason,
    position: sequenceText(view.position.sequence),
    lag: view.lag,
    retrying: view.retrying,
    dead: view.dead,
    last_success_at: lastSuccessAt === null ? null : new Date(lastSuccessAt).toISOString(),
    last_failure: lastFailure && {
      at: new Date(lastFailure.at).toISOString(),
      error: lastFailure.error,
    },
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
