/** `tidegate endpoints`: the webhooks that events are pushed to. */
import type { Command } from "commander";
import { listAll, type Json } from "./api.ts";
import { addCommand, describe, openApi } from "./command.ts";
import { addEndpointActions } from "./endpoint-actions.ts";
import {
  endpointPath,
  ownerQuery,
  showEndpoint,
  type Endpoint,
  type EndpointOptions,
} from "./endpoint.ts";
import { jsonObject, list, positive, repeated, startPlace, whole } from "./options.ts";
import { countText, printJson, printTable } from "./table.ts";
import { tenantOf } from "./tenant.ts";
import type { Terminal } from "./terminal.ts";

type NewOptions = EndpointOptions & {
  readonly types?: readonly string[];
  readonly subject?: readonly string[];
  readonly description?: string;
  readonly start?: string;
  readonly ordering?: string;
  readonly format?: string;
  readonly signature?: string;
  readonly rate?: number;
  readonly maxInFlight?: number;
  readonly requireReceipt?: boolean;
  readonly settings?: Json;
};

export function addEndpoints(program: Command, terminal: Terminal): void {
  const endpoints = program.command("endpoints");
  describe(endpoints, {
    summary: "Webhooks: list, make, pause, test, remove them",
    examples: [
      "npx tidegate endpoints create https://example.com/webhooks --types 'order.*'",
      "npx tidegate endpoints",
      "npx tidegate endpoints test ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
    ],
  });
  addList(endpoints, terminal);
  addShow(endpoints, terminal);
  addCreate(endpoints, terminal);
  addUpdate(endpoints, terminal);
  addEndpointActions(endpoints, terminal);
}

function addList(endpoints: Command, terminal: Terminal): void {
  addCommand(
    endpoints,
    "list",
    {
      summary: "List a tenant's endpoints, with how far behind each is",
      examples: ["npx tidegate endpoints list", "npx tidegate endpoints list --json | jq .lag"],
    },
    { isDefault: true },
  )
    .option("--json", "one endpoint a line, as JSON")
    .action(async (options: EndpointOptions) => {
      const api = await openApi(terminal, options);
      const query = { tenant: await tenantOf(api) };
      const rows: string[][] = [];
      for await (const each of listAll<Endpoint>(api, "/endpoints", "endpoints", query)) {
        if (options.json === true) await printJson(terminal, each);
        else {
          const counts = [each.lag.events, each.retrying, each.dead].map(countText);
          rows.push([each.id, each.status, each.circuit.state, ...counts, each.url]);
        }
      }
      const heads = ["ENDPOINT", "STATUS", "CIRCUIT", "LAG", "RETRYING", "DEAD", "URL"];
      if (options.json !== true) await printTable(terminal, heads, rows);
    });
}

function addShow(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "show <id>", {
    summary: "Show an endpoint",
    examples: ["npx tidegate endpoints show ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c"],
  })
    .option("--json", "as JSON")
    .action(async (id: string, options: EndpointOptions) => {
      const api = await openApi(terminal, options);
      const query = ownerQuery(api);
      const endpoint = await api.call<Endpoint>("GET", endpointPath(id), { query });
      await showEndpoint(terminal, endpoint, options);
    });
}

function addCreate(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "create <url>", {
    summary: "Have events pushed to a webhook; prints the secret that they are signed with",
    about: "Every other setting of POST /endpoints can be given as JSON by --settings.",
    examples: [
      "npx tidegate endpoints create https://example.com/webhooks",
      "npx tidegate endpoints create http://localhost:3000/hook --types order.*,invoice.paid",
      `npx tidegate endpoints create https://example.com/in --settings '{"timeout_ms":10000}'`,
    ],
  })
    .option("--types <types>", "only these: order.created, order.*", list)
    .option("--subject <subject>", "only of this subject; may be repeated", repeated)
    .option("--description <text>", "what it is for")
    .option("--start <place>", "latest (unless given), earliest, or a time", startPlace)
    .option("--ordering <kind>", "parallel (unless given), fifo or subject")
    .option("--format <kind>", "json (unless given) or cloudevents")
    .option("--signature <kind>", "v1 (HMAC, unless given) or v1a (Ed25519)")
    .option("--rate <pushes>", "at most as many a second", positive)
    .option("--max-in-flight <pushes>", "at most as many at a time", whole(1, 1_000))
    .option("--require-receipt", "a push counts only when a receipt has come")
    .option("--settings <json>", "any other settings", jsonObject)
    .option("--json", "the endpoint as JSON")
    .action(async (url: string, options: NewOptions) => {
      const api = await openApi(terminal, options);
      const { types, description, start, ordering, format, signature } = options;
      const isWord = start === undefined || start === "latest" || start === "earliest";
      const body = {
        ...options.settings,
        ...{ tenant: await tenantOf(api), url, types, subjects: options.subject, description },
        ...{ ordering, format, signature, rate_per_second: options.rate },
        ...{ max_in_flight: options.maxInFlight, require_receipt: options.requireReceipt },
        ...{ start: isWord ? start : { time: start } },
      };
      const endpoint = await api.call<Endpoint>("POST", "/endpoints", { body });
      await showEndpoint(terminal, endpoint, options);
    });
}

function addUpdate(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "update <id> <settings>", {
    summary: "Change settings, given as JSON; null takes one back to what it is unless given",
    examples: [
      `npx tidegate endpoints update ep_019a… '{"types":["order.*"],"max_in_flight":10}'`,
      `npx tidegate endpoints update ep_019a… '{"types":null}'`,
    ],
  })
    .option("--json", "the endpoint as JSON")
    .action(async (id: string, settings: string, options: EndpointOptions) => {
      const body = jsonObject(settings);
      const api = await openApi(terminal, options);
      const query = ownerQuery(api);
      const endpoint = await api.call<Endpoint>("PATCH", endpointPath(id), { query, body });
      await showEndpoint(terminal, endpoint, options);
    });
}
