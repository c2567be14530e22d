/** Whether a gateway would start with this environment. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { parseConfig, type Config } from "../../config.ts";
import { parseKeyRing } from "../../keyring.ts";
import { fail, ok, warn, type Finding } from "./finding.ts";

/** Undefined: nothing else can be checked of a gateway that would be started here. */
export function readConfiguration(): {
  readonly config: Config | undefined;
  readonly finding: Finding;
} {
  try {
    const config = parseConfig(process.env);
    const database = config.databaseUrl === undefined ? "embedded Postgres" : "DATABASE_URL";
    const fanout = config.nats === undefined ? "fan-out in process" : "NATS";
    const text = `${database}, ${fanout}, roles ${[...config.roles].join(" and ")}`;
    return { config, finding: ok("configuration", text) };
  } catch (error) {
    const [, ...faults] = messageOf(error).split("\n");
    const advice = "README.md lists the variables; nothing starts until these are right.";
    return { config: undefined, finding: fail("configuration", faults.join("\n"), advice) };
  }
}

export async function checkSecrets({ secrets, databaseUrl, dataDir }: Config): Promise<Finding[]> {
  if (secrets !== undefined) return [checkRing(secrets)];
  // With a database of one's own they are required, and the configuration has said so.
  return databaseUrl === undefined ? checkFiles(dataDir) : [];
}

function checkRing(secrets: string): Finding {
  try {
    parseKeyRing(secrets);
    return ok("secrets", "the key ring can be read");
  } catch (error) {
    const advice = 'Make one: echo "1:$(openssl rand -base64 32)"';
    return fail("secrets", `TIDEGATE_SECRETS: ${messageOf(error)}`, advice);
  }
}

async function checkFiles(dataDir: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const name of ["operator-key", "secrets"]) {
    const path = join(dataDir, name);
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && (found.mode & 0o077) !== 0) {
      findings.push(warn("data directory", `${path} is readable for others`, `chmod 600 ${path}`));
    }
  }
  const whole = await stat(join(dataDir, "postgres")).catch(() => undefined);
  const text = whole === undefined ? `${dataDir} is made at the first start` : dataDir;
  return findings.length > 0 ? findings : [ok("data directory", text)];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
