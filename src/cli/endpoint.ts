/** An endpoint as the API shows it, and as people see it. */
import type { components } from "../client/api.ts";
import type { Api, Query } from "./api.ts";
import type { ConnectionOptions } from "./connection.ts";
import { countText, printFacts, printJson } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** What makes one shows its secret too, this once. */
export type Endpoint = components["schemas"]["Endpoint"] & { readonly secret?: string };

export type EndpointOptions = ConnectionOptions & { readonly json?: boolean };

/** An endpoint's path; an operator who names a tenant means only that one's. */
export function endpointPath(id: string, rest = ""): string {
  return `/endpoints/${encodeURIComponent(id)}${rest}`;
}

export function ownerQuery(api: Api): Query {
  return { tenant: api.connection.tenant };
}

export async function showEndpoint(
  terminal: Terminal,
  endpoint: Endpoint,
  options: EndpointOptions,
): Promise<void> {
  if (options.json === true) return printJson(terminal, endpoint);
  const { status, status_reason: reason, circuit, lag, last_failure: failure } = endpoint;
  const probe = circuit.next_probe_at === null ? "" : `, next probe ${circuit.next_probe_at}`;
  await printFacts(terminal, [
    ["id", endpoint.id],
    ["tenant", endpoint.tenant],
    ["url", endpoint.url],
    ["types", endpoint.types?.join(", ") ?? "all"],
    ["subjects", endpoint.subjects?.join(", ") ?? "all"],
    ["status", paintStatus(terminal, reason === null ? status : `${status}: ${reason}`)],
    ["circuit", `${circuit.state}${probe}`],
    ["position", endpoint.position],
    ["lag", `${countText(lag.events)} events, ${lag.seconds} s`],
    ["in flight", countText(endpoint.in_flight)],
    ["retrying", countText(endpoint.retrying)],
    ["dead", countText(endpoint.dead)],
    ["last success", endpoint.last_success_at ?? "none"],
    ["last failure", failure === null ? "none" : `${failure.at}  ${failure.error}`],
    ["secret", endpoint.secret],
  ]);
}

function paintStatus(terminal: Terminal, status: string): string {
  const isActive = status.startsWith("active");
  return terminal.paint(isActive ? "green" : "yellow", status);
}
