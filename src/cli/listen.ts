/**
 * `tidegate listen`: a tenant's stream as signed pushes to a receiver on this machine, one after the
 * other and in order. For development: nothing is recorded in the gateway, and a push that fails is
 * told and not repeated.
 */
import { createHmac } from "node:crypto";
import type { Command } from "commander";
import type { components } from "../client/api.ts";
import type { Api } from "./api.ts";
import { addCommand, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { endpointPath, ownerQuery } from "./endpoint.ts";
import { Failure, usageFailure } from "./failure.ts";
import { duration } from "./options.ts";
import { push, type PushOutcome } from "./push.ts";
import { openReading, withSelection, type ReadEvent, type SelectionOptions } from "./reading.ts";
import { printJson } from "./table.ts";
import { tellCursor } from "./tail.ts";
import { tenantOf } from "./tenant.ts";
import type { Terminal } from "./terminal.ts";
import { parseWebUrl } from "./urls.ts";

type Options = ConnectionOptions &
  SelectionOptions & {
    readonly forward?: string;
    readonly secret?: string;
    readonly endpoint?: string;
    readonly printSecret?: boolean;
    readonly timeout: number;
    readonly insecure?: boolean;
    readonly json?: boolean;
  };

/** Whom the pushes are from. */
type Sender = {
  readonly endpoint: string;
  readonly secret: string;
  readonly contentType: string;
  readonly types?: readonly string[];
  readonly subjects?: readonly string[];
};

/** Long enough to look at a breakpoint for a while; the gateway itself waits 5 s. */
const timeoutDefaultMs = 30_000;

/** Each event with a cursor of its own: pages hold one for all. */
const pageSize = 1;

const about = `It reads the stream and pushes each event to a receiver here, with the headers and the
signature that the gateway would send; no port has to be open to the outside. The secret is the same
each time for the same key and tenant. With --endpoint it stands in for a real one: its filter, its
secret, its format.

A push that fails is told and not repeated; --cursor or --from sends events again.`;

export function addListen(program: Command, terminal: Terminal): void {
  const listen = addCommand(program, "listen", {
    summary: "Push a tenant's events to a receiver on this machine, signed",
    about,
    examples: [
      "npx tidegate listen --forward http://localhost:3000/hook",
      "npx tidegate listen --forward http://localhost:3000/hook --types 'order.*' --from 1h",
      "npx tidegate listen --forward http://localhost:3000/hook --endpoint ep_…",
      "SECRET=$(npx tidegate listen --print-secret) node examples/receiver.js",
    ],
  });
  withSelection(listen, "latest")
    .option("--forward <url>", "the receiver, for example http://localhost:3000/hook")
    .option("--secret <whsec_…>", "sign with this one")
    .option("--endpoint <id>", "stand in for this endpoint")
    .option("--print-secret", "print the secret and end")
    .option("--timeout <span>", "for each push (30s unless given)", duration, timeoutDefaultMs)
    .option("--insecure", "take any certificate of an https receiver")
    .option("--json", "what became of each event as a line of JSON")
    .action((options: Options) => listenTo(terminal, options));
}

async function listenTo(terminal: Terminal, options: Options): Promise<void> {
  const url = options.printSecret === true ? undefined : parseForward(options.forward);
  const api = await openApi(terminal, options);
  const tenant = await tenantOf(api);
  const sender = await findSender(api, tenant, options);
  if (url === undefined) return terminal.print(sender.secret);
  const reading = await openReading(
    api,
    terminal,
    { ...options, ...selectionOf(sender) },
    pageSize,
  );
  terminal.note(`Forwarding ${tenant ?? "the events of the key's tenant"} to ${url.href}`);
  terminal.note(`signed with ${terminal.paintNote("bold", sender.secret)}`);
  terminal.note("Ctrl-C ends it.");
  const { timeout: timeoutMs, insecure = false } = options;
  const count = { delivered: 0, failed: 0 };
  let previous: string | undefined;
  for await (const read of reading.events()) {
    const { id, sequence } = read.event;
    const outcome = await push(
      { ...sender, url, id, sequence, previous, cursor: read.cursor, body: read.text },
      { timeoutMs, insecure, signal: terminal.interrupt },
    );
    // Ended by Ctrl-C: who knows whether it arrived.
    if (terminal.interrupt.aborted && !outcome.ok) break;
    previous = sequence;
    count[outcome.ok ? "delivered" : "failed"] += 1;
    await report(terminal, read, outcome, options.json === true);
  }
  terminal.note(`${count.delivered} delivered, ${count.failed} failed`);
  tellCursor(terminal, reading.cursor());
  // Whoever ends it by hand has seen the failures.
  if (count.failed > 0 && !terminal.interrupt.aborted) throw new Failure("Not all were delivered");
}

function parseForward(text: string | undefined): URL {
  if (text === undefined) {
    throw usageFailure(
      "Where to? Name the receiver",
      "npx tidegate listen --forward http://localhost:3000/hook",
    );
  }
  // A port alone, or a host and port, is what one types first.
  const whole = /^\d+(\/|$)/.test(text) ? `localhost:${text}` : text;
  const url = parseWebUrl(/^\w+:\/\//.test(whole) ? whole : `http://${whole}`);
  if (url !== undefined) return url;
  throw usageFailure(`--forward must be a URL like http://localhost:3000/hook, not ${text}`);
}

async function findSender(
  api: Api,
  tenant: string | undefined,
  { endpoint, secret }: Options,
): Promise<Sender> {
  if (secret !== undefined && !/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret)) {
    throw usageFailure("--secret must be a secret like whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  }
  if (endpoint !== undefined) return readSender(api, endpoint, secret);
  return {
    endpoint: "ep_listen",
    secret: secret ?? secretFor(api.connection.key, tenant),
    contentType: "application/json",
  };
}

/** From the key, so that it need not be kept anywhere and a receiver need not be told it twice. */
function secretFor(key: string, tenant = ""): string {
  const bytes = createHmac("sha256", key).update(`tidegate listen ${tenant}`).digest();
  return `whsec_${bytes.toString("base64")}`;
}

async function readSender(api: Api, id: string, given: string | undefined): Promise<Sender> {
  const query = ownerQuery(api);
  type Schemas = components["schemas"];
  const endpoint = await api.call<Schemas["Endpoint"]>("GET", endpointPath(id), { query });
  const secret = given ?? (await readSecret());
  const { types, subjects, format } = endpoint;
  return {
    ...{ endpoint: id, secret },
    contentType: format === "cloudevents" ? "application/cloudevents+json" : "application/json",
    ...(types !== null && { types }),
    ...(subjects !== null && { subjects }),
  };

  async function readSecret(): Promise<string> {
    const path = endpointPath(id, "/secret");
    const found = await api.call<Schemas["EndpointSecret"]>("GET", path, { query });
    if (found.secret.startsWith("whsec_")) return found.secret;
    throw new Failure(`${id} signs by v1a, and the gateway keeps the private key to itself`, {
      hint: "Give a --secret whsec_… for development.",
    });
  }
}

/** What an endpoint is sent stands before what was asked for. */
function selectionOf({ types, subjects }: Sender): Partial<SelectionOptions> {
  return { ...(types !== undefined && { types }), ...(subjects !== undefined && { subjects }) };
}

async function report(
  terminal: Terminal,
  { event }: ReadEvent,
  { ok, status, error, ms }: PushOutcome,
  json: boolean,
): Promise<void> {
  const { id, type, sequence } = event;
  if (json) {
    const line = { id, type, sequence, delivered: ok, status: status ?? null, ms };
    return printJson(terminal, { ...line, error: error ?? null });
  }
  const result = [status, error].filter((each) => each !== undefined).join(" ");
  await terminal.print(
    [
      terminal.paint("dim", new Date().toISOString().slice("2026-11-23T".length, -1)),
      terminal.paint("dim", `#${Number(sequence)}`),
      terminal.paint("cyan", type),
      "→",
      terminal.paint(ok ? "green" : "red", result),
      terminal.paint("dim", `${ms} ms`),
    ].join("  "),
  );
}
