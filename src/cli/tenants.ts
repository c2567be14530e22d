/** `tidegate tenants`: the customers whose feeds the gateway keeps. For operators. */
import type { Command } from "commander";
import type { components } from "../client/api.ts";
import { listAll } from "./api.ts";
import { addCommand, describe, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { printJson, printTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

type Shown = components["schemas"]["Tenant"];

type Options = ConnectionOptions & { readonly json?: boolean };

export function addTenants(program: Command, terminal: Terminal): void {
  const tenants = program.command("tenants");
  describe(tenants, {
    summary: "Make and list tenants (for operators)",
    about: "A tenant is a customer with a feed of its own: one log, numbered 1, 2, 3 …",
    examples: ["npx tidegate tenants create acme", "npx tidegate tenants"],
  });

  addCommand(
    tenants,
    "list",
    { summary: "List tenants", examples: ["npx tidegate tenants list --json"] },
    { isDefault: true },
  )
    .option("--json", "one tenant a line, as JSON")
    .action(async (options: Options) => {
      const api = await openApi(terminal, options);
      const rows: string[][] = [];
      for await (const tenant of listAll<Shown>(api, "/tenants", "tenants")) {
        if (options.json === true) await printJson(terminal, tenant);
        else rows.push([tenant.tenant, tenant.created_at]);
      }
      if (options.json !== true) await printTable(terminal, ["TENANT", "CREATED"], rows);
    });

  addCommand(tenants, "create <name>", {
    summary: "Make a tenant, unless it is there already",
    examples: ["npx tidegate tenants create acme"],
  })
    .option("--json", "the tenant as JSON")
    .action(async (name: string, options: Options) => {
      const api = await openApi(terminal, options);
      const path = `/tenants/${encodeURIComponent(name)}`;
      const tenant = await api.call<Shown>("PUT", path, { body: {} });
      if (options.json === true) await printJson(terminal, tenant);
      else await terminal.print(`${tenant.tenant} is there`);
    });
}
