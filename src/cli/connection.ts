/**
 * Which gateway a command speaks to, and as whom: by options, by the environment, or, for a gateway
 * on this machine that was started in this directory, by the key that it has left there.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { exitCodes, Failure, usageFailure } from "./failure.ts";
import { parseWebUrl } from "./urls.ts";

export type ConnectionOptions = {
  readonly url: string;
  readonly key?: string;
  readonly tenant?: string;
};

export type Connection = {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string;
  /** As given; see `tenantOf` for who is meant when none is. */
  readonly tenant: string | undefined;
};

const defaultUrl = "http://127.0.0.1:8080";

/** Where help shows these options. */
export const connectionGroup = "Connection:";

/** The options that every command which speaks to a gateway has. */
export function withConnection(command: Command): Command {
  return command
    .addOption(
      new Option("--url <url>", "the gateway")
        .env("TIDEGATE_URL")
        .default(defaultUrl)
        .helpGroup(connectionGroup),
    )
    .addOption(
      // Not shown with its value: help is copied into chats and issues.
      new Option("--key <key>", "a key of an operator or of the tenant")
        .env("TIDEGATE_KEY")
        .helpGroup(connectionGroup),
    )
    .addOption(
      new Option("-t, --tenant <name>", "whose events; with a tenant's own key it is known")
        .env("TIDEGATE_TENANT")
        .helpGroup(connectionGroup),
    );
}

export async function readConnection(options: ConnectionOptions): Promise<Connection> {
  // A variable that is set to nothing is as good as none.
  const url = parseUrl(options.url || defaultUrl);
  const key = options.key || (await localKey(url));
  // It would fail later, as a header, in words that nobody understands.
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw usageFailure("The key holds characters that no key has; was it pasted whole?");
  }
  return { url: url.href.replace(/\/+$/, ""), key, tenant: options.tenant || undefined };
}

function parseUrl(text: string): URL {
  const url = parseWebUrl(text);
  if (url === undefined) {
    throw usageFailure(`--url must be an http or https URL like ${defaultUrl}, not ${text}`);
  }
  return url;
}

/** A gateway with an embedded database keeps its operator's key in its data directory. */
async function localKey(url: URL): Promise<string> {
  const directory = process.env["TIDEGATE_DATA_DIR"] || ".tidegate";
  if (isLoopback(url.hostname)) {
    const key = await readKey(join(directory, "operator-key"));
    if (key !== undefined) return key;
  }
  throw new Failure(`No key is given for ${url.origin}`, {
    exitCode: exitCodes.usage,
    hint: isLoopback(url.hostname)
      ? "Give one by --key or TIDEGATE_KEY, or run this where the gateway was started: its key is " +
        `read from ${join(directory, "operator-key")} there.\n` +
        "To start a gateway here: npx tidegate start"
      : "Give one by --key or, better, TIDEGATE_KEY.",
  });
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new Failure(`The operator's key in ${path} cannot be read (${code})`, {
      exitCode: exitCodes.usage,
      hint: "Give a key by --key or TIDEGATE_KEY, or run this as the user who started the gateway.",
      cause,
    });
  }
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
