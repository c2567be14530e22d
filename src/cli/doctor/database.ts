/** Whether the database that DATABASE_URL names can serve a gateway. It is only read. */
import { readFile } from "node:fs/promises";
import { hasTimeLimits, openDatabase, type Sql } from "../../db/database.ts";
import { compareClocks, fail, ok, warn, type Finding } from "./finding.ts";

const versionMin = 15;

export async function checkDatabase(url: string): Promise<Finding[]> {
  const database = openDatabase(url, { connections: 1, name: "tidegate doctor" });
  try {
    const findings = [await checkServer(database.sql)];
    findings.push(await checkSchema(database.sql), await checkClock(database.sql));
    if (!(await hasTimeLimits(database.sql))) findings.push(noTimeLimits);
    return findings;
  } catch (error) {
    return [fail("database", reasonOf(error), adviceFor(error))];
  } finally {
    await database.stop();
  }
}

const noTimeLimits = warn(
  "database",
  "it ends no statement of ours by itself",
  "A pooler does not pass them on: set statement_timeout and lock_timeout on the role.",
);

async function checkServer(sql: Sql): Promise<Finding> {
  const [row] = await sql<{ version: string; number: number; standby: boolean }[]>`
    select current_setting('server_version') as version,
      current_setting('server_version_num')::int as number, pg_is_in_recovery() as standby`;
  if (row === undefined) throw new Error("the database answers nothing");
  const text = `Postgres ${row.version}`;
  if (Math.floor(row.number / 10_000) < versionMin) {
    return fail("database", text, `Postgres ${versionMin} or newer is needed.`);
  }
  if (row.standby) {
    return fail("database", `${text}, a standby`, "DATABASE_URL must name the primary.");
  }
  return ok("database", text);
}

async function checkSchema(sql: Sql): Promise<Finding> {
  const known = await knownMigrations();
  const [there] = await sql<{ found: boolean }[]>`
    select to_regclass('drizzle.__drizzle_migrations') is not null as found`;
  if (there?.found !== true) return ok("migrations", `the first start runs all ${known}`);
  const [row] = await sql<{ done: number }[]>`
    select count(*)::int as done from drizzle.__drizzle_migrations`;
  const done = row?.done ?? 0;
  if (done === known) return ok("migrations", `all ${known} are done`);
  if (done < known)
    return ok("migrations", `${done} of ${known} are done; a start runs the others`);
  return warn(
    "migrations",
    `the database has ${done}, this version knows ${known}`,
    "A newer version has migrated it: run that one here, too.",
  );
}

async function checkClock(sql: Sql): Promise<Finding> {
  const before = Date.now();
  const [row] = await sql<{ now: Date }[]>`select clock_timestamp() as now`;
  const here = (before + Date.now()) / 2;
  const there = row === undefined ? here : new Date(row.now).getTime();
  return compareClocks(
    "database's clock",
    there - here,
    "Events carry the database's time, signatures that of the gateway: let NTP set both.",
  );
}

async function knownMigrations(): Promise<number> {
  const journal = new URL("../../../drizzle/meta/_journal.json", import.meta.url);
  const { entries } = JSON.parse(await readFile(journal, "utf8")) as { entries: unknown[] };
  return entries.length;
}

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return [message, code === undefined || message?.includes(code) ? "" : `(${code})`]
    .filter(Boolean)
    .join(" ");
}

function adviceFor(error: unknown): string {
  switch ((error as { code?: string }).code) {
    case "ECONNREFUSED":
      return "Nothing listens there. Is Postgres running, and are host and port right?";
    case "CONNECT_TIMEOUT":
    case "ETIMEDOUT":
      return "Nothing answers there: a firewall, or the wrong host?";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "There is no host of that name.";
    case "28P01":
    case "28000":
      return "The user or the password in DATABASE_URL is not right.";
    case "3D000":
      return "Make the database first: createdb NAME.";
    default:
      return "Is DATABASE_URL right?";
  }
}
