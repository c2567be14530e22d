/** `tidegate deliveries`: what became of pushes, and why. */
import type { Command } from "commander";
import type { components } from "../client/api.ts";
import { listAll } from "./api.ts";
import { addCommand, describe, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { instant, whole } from "./options.ts";
import { printFacts, printJson, printTable } from "./table.ts";
import { tenantOf } from "./tenant.ts";
import type { Style, Terminal } from "./terminal.ts";

type Delivery = components["schemas"]["Delivery"];

type DeliveryWithAttempts = components["schemas"]["DeliveryWithAttempts"];

type Options = ConnectionOptions & { readonly json?: boolean };

type ListOptions = Options & {
  readonly endpoint?: string;
  readonly event?: string;
  readonly status?: string;
  readonly type?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
};

const statusStyles: Readonly<Record<string, Style>> = {
  delivered: "green",
  settled: "green",
  retrying: "yellow",
  awaiting_receipt: "yellow",
  dead: "red",
  expired: "red",
};

export function addDeliveries(program: Command, terminal: Terminal): void {
  const deliveries = program.command("deliveries");
  describe(deliveries, {
    summary: "What became of pushes: list them, show one with its attempts",
    examples: [
      "npx tidegate deliveries --status dead --since 2h",
      "npx tidegate deliveries --event evt_2026-11-23_5d599834497f4a6b4120c0ffee1",
      "npx tidegate deliveries show dlv_…",
    ],
  });
  addList(deliveries, terminal);
  addShow(deliveries, terminal);
}

function addList(deliveries: Command, terminal: Terminal): void {
  addCommand(
    deliveries,
    "list",
    {
      summary: "List deliveries, the newest event first",
      about:
        "Statuses: delivered, retrying, dead, awaiting_receipt, settled, expired, skipped. Events that\n" +
        "an endpoint has not come to yet are not listed; `missed` walks those, too.",
      examples: [
        "npx tidegate deliveries --status dead",
        "npx tidegate deliveries --endpoint ep_… --type 'order.*' --since 1d",
        "npx tidegate deliveries --status dead --limit 1000 --json | jq -r .event.id",
      ],
    },
    { isDefault: true },
  )
    .option("--endpoint <id>", "only of this endpoint")
    .option("--event <id>", "only of this event")
    .option("--status <status>", "only those that stand so")
    .option("--type <type>", "only events of this type: order.created, order.*")
    .option("--since <time>", "appended then or later; 2h: since two hours ago", instant)
    .option("--until <time>", "appended before", instant)
    .option("-n, --limit <count>", "at most as many", whole(1), 20)
    .option("--json", "one delivery a line, as JSON")
    .action(async (options: ListOptions) => {
      const api = await openApi(terminal, options);
      const { endpoint, event, status, type, since, until } = options;
      const filter = { tenant: await tenantOf(api), endpoint, event, status, type, since, until };
      const query = { ...filter, limit: Math.min(options.limit, 1_000) };
      const rows: string[][] = [];
      let found = 0;
      for await (const each of listAll<Delivery>(api, "/deliveries", "deliveries", query)) {
        found += 1;
        if (options.json === true) await printJson(terminal, each);
        else rows.push(rowOf(each));
        if (found === options.limit) break;
      }
      const heads = ["DELIVERY", "STATUS", "ATTEMPTS", "LAST", "TYPE", "SEQUENCE", "ERROR"];
      if (options.json !== true) await printTable(terminal, heads, rows);
    });
}

function rowOf(delivery: Delivery): string[] {
  const { id, status, attempts, event, last_status_code: code, last_error: error } = delivery;
  const sequence = String(Number(event.sequence));
  return [id, status, String(attempts), String(code ?? "-"), event.type, sequence, error ?? ""];
}

function addShow(deliveries: Command, terminal: Terminal): void {
  addCommand(deliveries, "show <id>", {
    summary: "Show a delivery with its attempts, and what the receiver said",
    examples: ["npx tidegate deliveries show dlv_… --json | jq .attempt_log"],
  })
    .option("--json", "as JSON")
    .action(async (id: string, options: Options) => {
      const api = await openApi(terminal, options);
      const path = `/deliveries/${encodeURIComponent(id)}`;
      const query = { tenant: api.connection.tenant };
      const delivery = await api.call<DeliveryWithAttempts>("GET", path, { query });
      if (options.json === true) return printJson(terminal, delivery);
      await showDelivery(terminal, delivery);
      for (const attempt of delivery.attempt_log) await showAttempt(terminal, attempt);
    });
}

async function showDelivery(terminal: Terminal, delivery: Delivery): Promise<void> {
  const { status, event, receipt } = delivery;
  await printFacts(terminal, [
    ["id", delivery.id],
    ["endpoint", delivery.endpoint],
    ["event", `${event.id}  ${event.type}  ${Number(event.sequence)}`],
    ["status", terminal.paint(statusStyles[status] ?? "dim", status)],
    ["next attempt", delivery.next_attempt_at ?? undefined],
    ["receipt", receipt === null ? undefined : `${receipt.status} at ${receipt.at}`],
  ]);
}

async function showAttempt(
  terminal: Terminal,
  attempt: DeliveryWithAttempts["attempt_log"][number],
): Promise<void> {
  const { status_code: status, error, response } = attempt;
  const result = error === null ? String(status) : `${error.class}: ${error.message}`;
  const times = `queued ${attempt.queue_ms} ms, took ${attempt.latency_ms} ms`;
  const painted = terminal.paint(error === null ? "green" : "red", result);
  await terminal.print(
    `\nattempt ${attempt.attempt} (${attempt.trigger}) at ${attempt.at}: ${painted}`,
  );
  await terminal.print(terminal.paint("dim", `  ${times}`));
  if (!response?.body) return;
  for (const line of response.body.split("\n")) await terminal.print(`  | ${line}`);
  if (response.truncated) await terminal.print("  | …");
}
