/** Whether the gateway that commands speak to answers, is ready, and takes the key. */
import { createApi } from "../api.ts";
import { readConnection, type ConnectionOptions } from "../connection.ts";
import { Failure } from "../failure.ts";
import { compareClocks, fail, ok, warn, type Finding } from "./finding.ts";

const answerTimeoutMs = 10_000;

type Readiness = {
  readonly status?: string;
  readonly components?: Readonly<Record<string, string>>;
  readonly degraded?: readonly {
    readonly component: string;
    readonly since: string;
    readonly detail: string;
  }[];
};

export async function checkGateway(
  options: ConnectionOptions,
  /** Whether a URL was given: else there need not be a gateway. */
  expected: boolean,
  interrupt: AbortSignal,
): Promise<Finding[]> {
  const { url } = options;
  const before = Date.now();
  let response: Response;
  try {
    response = await fetch(new URL("/readyz", url), {
      signal: AbortSignal.any([interrupt, AbortSignal.timeout(answerTimeoutMs)]),
    });
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    const text = `nothing answers at ${url} (${code ?? (error as Error).name})`;
    const advice = "To start one here: npx tidegate start. Elsewhere: --url or TIDEGATE_URL.";
    return [expected ? fail("gateway", text, advice) : warn("gateway", text, advice)];
  }
  const here = (before + Date.now()) / 2;
  const findings = [await checkReadiness(url, response)];
  const date = Date.parse(response.headers.get("date") ?? "");
  if (!Number.isNaN(date)) {
    // The header's second has passed by half in the mean.
    const advice = "Receivers refuse signatures that are 300 s off: let NTP set both clocks.";
    findings.push(compareClocks("gateway's clock", date + 500 - here, advice));
  }
  findings.push(await checkKey(options, interrupt));
  return findings;
}

async function checkReadiness(url: string, response: Response): Promise<Finding> {
  const body = (await response.json().catch(() => ({}))) as Readiness;
  const parts = Object.entries(body.components ?? {}).map(([name, state]) => `${name} ${state}`);
  const text = `${url} is ${body.status ?? `no gateway (status ${response.status})`}`;
  const whole = parts.length === 0 ? text : `${text}: ${parts.join(", ")}`;
  if (body.status === "ready") return ok("gateway", whole);
  if (body.status === "degraded") {
    const details = (body.degraded ?? []).map(
      ({ component, since, detail }) => `${component} since ${since}: ${detail}`,
    );
    return warn("gateway", whole, [...details, "Its log says why."].join(". "));
  }
  return fail("gateway", whole, "Its log says why; `tidegate doctor` with its environment, too.");
}

async function checkKey(options: ConnectionOptions, interrupt: AbortSignal): Promise<Finding> {
  try {
    const api = createApi(await readConnection(options), interrupt);
    await api.call("GET", "/tenants", { query: { limit: 1 } });
    return ok("key", "an operator's");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.slug === "scope-missing") return ok("key", "a tenant's");
    return fail("key", error.message, error.hint);
  }
}
