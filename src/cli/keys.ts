/** `tidegate keys`: who may do what. */
import type { Command } from "commander";
import type { components } from "../client/api.ts";
import { listAll } from "./api.ts";
import { addCommand, describe, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { instantAhead, list } from "./options.ts";
import { printFacts, printJson, printTable } from "./table.ts";
import { tenantOf } from "./tenant.ts";
import type { Terminal } from "./terminal.ts";

type Shown = components["schemas"]["Key"];

type Options = ConnectionOptions & { readonly json?: boolean };

type NewOptions = Options & {
  readonly scopes: readonly string[];
  readonly description?: string;
  readonly expires?: string;
};

export function addKeys(program: Command, terminal: Terminal): void {
  const keys = program.command("keys");
  describe(keys, {
    summary: "Make, list and revoke keys",
    about: "A tenant's key belongs to one tenant, and its scopes say what it may do.",
    examples: [
      "npx tidegate keys create --tenant acme --scopes read,receive",
      "npx tidegate keys list --tenant acme",
      "npx tidegate keys revoke key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
    ],
  });
  addList(keys, terminal);
  addCreate(keys, terminal);
  addRevoke(keys, terminal);
}

function addList(keys: Command, terminal: Terminal): void {
  addCommand(
    keys,
    "list",
    {
      summary: "List keys",
      about: "With an operator's key and no tenant: those of operators.",
      examples: ["npx tidegate keys list --tenant acme", "npx tidegate keys list --json"],
    },
    { isDefault: true },
  )
    .option("--json", "one key a line, as JSON")
    .action(async (options: Options) => {
      const api = await openApi(terminal, options);
      const rows: string[][] = [];
      const query = { tenant: api.connection.tenant };
      for await (const key of listAll<Shown>(api, "/keys", "keys", query)) {
        if (options.json === true) await printJson(terminal, key);
        else {
          const { id, tenant, scopes, expires_at: expires, description } = key;
          rows.push([id, tenant ?? "-", scopes.join(","), expires ?? "never", description ?? ""]);
        }
      }
      const heads = ["KEY", "TENANT", "SCOPES", "EXPIRES", "DESCRIPTION"];
      if (options.json !== true) await printTable(terminal, heads, rows);
    });
}

function addCreate(keys: Command, terminal: Terminal): void {
  addCommand(keys, "create", {
    summary: "Make a key, which is shown this once",
    about:
      "Scopes: append (send events), read (read and follow them), receive (read, and receipts),\n" +
      "manage (all of the tenant), or operator, alone, for a key that may do everything.",
    examples: [
      "npx tidegate keys create --tenant acme --scopes append --description 'the shop'",
      "npx tidegate keys create --tenant acme --scopes receive --expires 90d",
      "export TIDEGATE_KEY=$(npx tidegate keys create --scopes read --json | jq -r .key)",
    ],
  })
    .requiredOption("--scopes <scopes>", "what it may do, separated by commas", list)
    .option("--description <text>", "what it is for")
    .option("--expires <when>", "a time, or from now on: 90d", instantAhead)
    .option("--json", "the key as JSON")
    .action(async (options: NewOptions) => {
      const { scopes, description, expires: expires_at } = options;
      const api = await openApi(terminal, options);
      const tenant = scopes.includes("operator") ? undefined : await tenantOf(api);
      const body = { tenant, scopes, description, expires_at };
      const created = await api.call<components["schemas"]["CreatedKey"]>("POST", "/keys", {
        body,
      });
      if (options.json === true) return printJson(terminal, created);
      await printFacts(terminal, [
        ["key", created.key],
        ["id", created.id],
        ["tenant", created.tenant ?? "none: an operator's"],
        ["scopes", created.scopes.join(", ")],
        ["expires", created.expires_at ?? "never"],
      ]);
      terminal.note("Keep the key: it is not shown again.");
    });
}

function addRevoke(keys: Command, terminal: Terminal): void {
  addCommand(keys, "revoke <id>", {
    summary: "Revoke a key; it is refused everywhere within 5 seconds",
    examples: ["npx tidegate keys revoke key_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c"],
  }).action(async (id: string, options: Options) => {
    const api = await openApi(terminal, options);
    const query = { tenant: api.connection.tenant };
    await api.call("DELETE", `/keys/${encodeURIComponent(id)}`, { query });
    await terminal.print(`${id} is revoked`);
  });
}
