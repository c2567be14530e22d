/**
 * `tidegate replay`: deliveries made again, one or many. The gateway does it by itself and goes on
 * whatever happens here; this shows how far it is.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Option, type Command } from "commander";
import type { components } from "../client/api.ts";
import { listAll, type Api } from "./api.ts";
import { addCommand, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { endpointPath, ownerQuery } from "./endpoint.ts";
import { exitCodes, Failure, usageFailure } from "./failure.ts";
import { instant, list } from "./options.ts";
import { countText, printJson, printTable } from "./table.ts";
import { tenantOf } from "./tenant.ts";
import type { Terminal } from "./terminal.ts";

type Replay = components["schemas"]["Replay"];

type Options = ConnectionOptions & {
  readonly endpoint?: string;
  readonly status?: components["schemas"]["NewReplay"]["status"];
  readonly since?: string;
  readonly until?: string;
  readonly after?: string;
  readonly types?: readonly string[];
  readonly cancel?: string;
  readonly list?: boolean;
  readonly detach?: boolean;
  readonly json?: boolean;
};

/** Often enough for a bar that moves. */
const lookEveryMs = 500;

/** While the gateway is away. */
const patienceMs = 2_000;

const barCharacters = 30;

const about = `With a delivery's id that one is made again, with an endpoint as many as its status and time say:
dead (given up), missing (never delivered), or all. It waits until all are sent; Ctrl-C only stops
waiting. With a replay's id it waits for that one. Exit code 1 when receivers did not take some.`;

export function addReplay(program: Command, terminal: Terminal): void {
  addCommand(program, "replay [id]", {
    summary: "Push deliveries again: one, or all that are dead or missing",
    about,
    examples: [
      "npx tidegate replay dlv_…",
      "npx tidegate replay --endpoint ep_… --status dead --since 1d",
      "npx tidegate replay --endpoint ep_… --status missing --types 'order.*'",
      "npx tidegate replay --list",
      "npx tidegate replay --cancel rpl_…",
    ],
  })
    .option("--endpoint <id>", "replay deliveries of this endpoint")
    .addOption(
      new Option("--status <status>", "which of them (dead unless given)").choices([
        "dead",
        "missing",
        "all",
      ]),
    )
    .option("--since <time>", "appended then or later; 1d: since a day ago", instant)
    .option("--until <time>", "appended before", instant)
    .option("--after <cursor>", "only events after this cursor")
    .option("--types <types>", "only these: order.created, order.*", list)
    .option("--cancel <id>", "stop a replay")
    .option("--list", "list replays, the newest first")
    .option("--detach", "begin, and do not wait")
    .option("--json", "the replay as a line of JSON")
    .action((id: string | undefined, options: Options) => replay(terminal, id, options));
}

async function replay(terminal: Terminal, id: string | undefined, options: Options): Promise<void> {
  const { endpoint, cancel } = options;
  const kinds = [id, endpoint, cancel, options.list].filter((each) => each !== undefined);
  if (kinds.length !== 1) {
    throw usageFailure(
      "Replay what? Name one: a delivery, --endpoint, --cancel or --list",
      "npx tidegate replay --endpoint ep_… --status dead",
    );
  }
  const api = await openApi(terminal, options);
  if (options.list === true) return listReplays(terminal, api, options);
  if (cancel !== undefined) return cancelReplay(terminal, api, cancel);
  const begun = await begin(api, id, options);
  if (options.detach !== true) return follow(terminal, api, begun, options);
  if (options.json === true) await printJson(terminal, begun);
  else await terminal.print(begun.id);
}

function begin(api: Api, id: string | undefined, options: Options): Promise<Replay> {
  const query = ownerQuery(api);
  if (id?.startsWith("rpl_") === true) return api.call("GET", replayPath(id), { query });
  if (id !== undefined) {
    return api.call("POST", `/deliveries/${encodeURIComponent(id)}/replay`, { query });
  }
  const { endpoint = "", status = "dead", since, until, after: from, types } = options;
  const body = { status, since, until, from, types };
  return api.call("POST", endpointPath(endpoint, "/replays"), { query, body });
}

async function follow(
  terminal: Terminal,
  api: Api,
  begun: Replay,
  options: Options,
): Promise<void> {
  let job = begun;
  while (job.status === "running") {
    terminal.progress(progressText(job));
    try {
      await delay(lookEveryMs, undefined, { signal: api.interrupt });
      job = await api.call<Replay>("GET", replayPath(job.id), { query: ownerQuery(api) });
    } catch (error) {
      if (api.interrupt.aborted) throw stillRunning(job);
      const isAway = error instanceof Failure && error.exitCode === exitCodes.unreachable;
      if (!isAway) throw error;
      terminal.note(terminal.paintNote("yellow", `${error.message}; the replay goes on`));
      await delay(patienceMs, undefined, { signal: api.interrupt }).catch(() => {});
    }
  }
  if (options.json === true) await printJson(terminal, job);
  else {
    const counts = `${countText(job.sent)} sent, ${countText(job.failed)} failed`;
    await terminal.print(`${job.id} is ${job.status}: ${counts}`);
  }
  if (job.failed > 0) {
    throw new Failure("Receivers did not take all of them", {
      hint: `npx tidegate deliveries --endpoint ${job.endpoint} shows why`,
    });
  }
  if (job.status === "cancelled") throw new Failure("Somebody has cancelled it");
}

function stillRunning({ id }: Replay): Failure {
  return new Failure("Not waiting any more; the replay goes on", {
    exitCode: exitCodes.interrupted,
    hint: `To see it again: npx tidegate replay ${id}\nTo stop it: npx tidegate replay --cancel ${id}`,
  });
}

/** `[######      ]  20 %  40,000 of 200,000 sent, 12 failed`. */
export function progressText(job: Pick<Replay, "sent" | "failed" | "total" | "waiting_for">) {
  const { sent, failed, total, waiting_for: reason } = job;
  const waits = reason === null ? "" : `, waits: ${reason === "circuit" ? "circuit open" : reason}`;
  const counts = `${countText(sent)}${total === null ? "" : ` of ${countText(total)}`} sent`;
  const text = `${counts}, ${countText(failed)} failed${waits}`;
  if (total === null || total === 0) return text;
  const share = Math.min((sent + failed) / total, 1);
  const bar = "#".repeat(Math.floor(share * barCharacters)).padEnd(barCharacters);
  return `[${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${text}`;
}

async function cancelReplay(terminal: Terminal, api: Api, id: string): Promise<void> {
  await api.call("DELETE", replayPath(id), { query: ownerQuery(api) });
  await terminal.print(`${id} is cancelled`);
}

async function listReplays(terminal: Terminal, api: Api, { json }: Options): Promise<void> {
  const query = { tenant: await tenantOf(api) };
  const rows: string[][] = [];
  for await (const job of listAll<Replay>(api, "/replays", "replays", query)) {
    if (json === true) await printJson(terminal, job);
    else {
      const counts = [job.total ?? "?", job.sent, job.failed].map((each) =>
        each.toLocaleString("en-US"),
      );
      rows.push([job.id, job.status, job.deliveries, ...counts, job.endpoint]);
    }
  }
  const heads = ["REPLAY", "STATUS", "WHICH", "TOTAL", "SENT", "FAILED", "ENDPOINT"];
  if (json !== true) await printTable(terminal, heads, rows);
}

function replayPath(id: string): string {
  return `/replays/${encodeURIComponent(id)}`;
}
