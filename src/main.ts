/**
 * The process: environment, gateway, signals. SIGTERM and SIGINT drain and exit 0; a second one
 * exits at once, which loses nothing either, since whatever was acknowledged is in the database.
 * SIGUSR2 goes on to the next level of the log.
 */
import { parseConfig, type Config } from "./config.ts";
import { startGateway, type Gateway } from "./gateway.ts";
import { createLogger, nextLevel } from "./telemetry/logger.ts";

/** Beyond the grace time for requests and attempts: closing connections, stopping the database. */
const closingMs = 10_000;

const config = readConfig();
const log = createLogger({ level: config.logLevel });
const starting = start(config);
// Before it has started, so that a database that is being set up is not left running.
process.once("SIGTERM", shutDown);
process.once("SIGINT", shutDown);
// Windows has no such signal, and Node refuses to listen for it there.
if (process.platform !== "win32") process.on("SIGUSR2", changeLevel);
const gateway = await starting;
process.stdout.write(`listening on ${gateway.url}\n`);
if (config.databaseUrl === undefined) process.stdout.write(firstSteps(gateway));

function readConfig(): Config {
  try {
    return parseConfig(process.env);
  } catch (error) {
    return fail(error);
  }
}

async function start(using: Config): Promise<Gateway> {
  try {
    return await startGateway(using, log, fail);
  } catch (error) {
    return fail(error);
  }
}

/** For whoever reads the terminal. */
function fail(error: unknown): never {
  process.stderr.write(`tidegate: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

function shutDown(signal: NodeJS.Signals): void {
  process.once("SIGTERM", () => process.exit(1));
  process.once("SIGINT", () => process.exit(1));
  log.info({ signal }, "draining");
  setTimeout(
    () => {
      log.error("not drained in time");
      process.exit(1);
    },
    config.drainMs + config.shutdownMs + closingMs,
  ).unref();
  starting
    .then((started) => started.stop())
    .then(() => {
      log.info("stopped");
      process.exit(0);
    }, fail);
}

/** The line is written at whichever of the two levels tells more, or nobody might see it. */
function changeLevel(): void {
  const before = log.level;
  const level = nextLevel(config.logLevel, before);
  if (level !== config.logLevel) log.level = level;
  log.info({ before, now: level }, "log level");
  log.level = level;
}

/** What to type next, for somebody who has just started it for the first time. */
function firstSteps({ url, operatorKey }: Gateway): string {
  return `
Tidegate runs with an embedded database in ${config.dataDir}.

  operator key  ${operatorKey}
  portal        ${url}/portal#token=${operatorKey}

Try it here with \`npx tidegate --help\`, which finds the key by itself, or with curl, in
another terminal:

  export KEY=${operatorKey}
  # a tenant
  curl -X PUT -H "Authorization: Bearer $KEY" ${url}/tenants/acme
  # follow its feed
  curl -N -H "Authorization: Bearer $KEY" '${url}/events/stream?tenant=acme' &
  # append an event
  curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' ${url}/events \\
    -d '{"tenant":"acme","type":"order.created","data":{"amount":4200}}'
  # read it back
  curl -H "Authorization: Bearer $KEY" '${url}/events?tenant=acme'
  # have every event pushed to a webhook of yours
  curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/json' ${url}/endpoints \\
    -d '{"tenant":"acme","url":"http://localhost:3000/hook"}'

`;
}
