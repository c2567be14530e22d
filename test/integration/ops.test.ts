/**
 * Every metric, label and label's value that `ops/` names is what a gateway shows that has had some
 * traffic of each kind, and a real Prometheus that scrapes it evaluates every query without an error
 * and to something. What goes wrong here shows nowhere else: a misspelt name is an empty panel and an
 * alert that never fires.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway } from "../support/gateway.ts";
import {
  adapterQueries,
  dashboardQueries,
  pathOf,
  readDashboard,
  readRules,
  ruleQueries,
  type Used,
} from "../support/ops.ts";
import { promtool, startPrometheus, type Sample } from "../support/prometheus.ts";
import { readQuery, type Matcher, type Selector } from "../support/promql.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

/** Given by whoever scrapes, and not by the process. */
const ofTheScrape = new Set(["job", "instance", "namespace", "pod"]);

/** Values that nothing here brings about: `label=value`. */
const unseen = new Set(["status=5xx"]);

/** Panels that are empty while all is well. */
const emptyWhenWell = new Set(["Requests that fail A"]);

const queries: readonly Used[] = [
  ...dashboardQueries(readDashboard()),
  ...ruleQueries(),
  ...adapterQueries(),
];
const recorded = new Set(readRules().map(({ record }) => record));

const opened = new AsyncDisposableStack();
let text: string;
/** Of each metric its labels, with their values. */
let shown: Map<string, Map<string, Set<string>>>;
let prometheus: Awaited<ReturnType<typeof startPrometheus>>;

beforeAll(async () => {
  const gateway = opened.use(await startTestGateway({ TIDEGATE_METRICS_ADDRESS: "127.0.0.1:0" }));
  const metrics = `${gateway.metricsUrl}/metrics`;
  // From before the traffic: a rate has to see it begin.
  prometheus = await startPrometheus({
    target: new URL(metrics).host,
    rules: pathOf("ops/prometheus/rules.yaml"),
  });
  opened.defer(() => prometheus.stop());
  await waitUntil(async () => (await prometheus.query("up == 1")).length > 0, {
    deadlineMs: 15_000,
    what: "the first scrape",
  });

  await gateway.createTenant("acme");
  const well = opened.use(await startReceiver());
  const failing = opened.use(await startReceiver({ kind: "answer", status: 500 }));
  for (const { url } of [well, failing]) {
    await gateway.call("POST", "/endpoints", { body: { tenant: "acme", url } });
  }
  const stream = await fetch(`${gateway.url}/events/stream?tenant=acme`, {
    headers: { authorization: `Bearer ${gateway.operatorKey}` },
  });
  const end = stream.body?.getReader();
  opened.defer(() => end?.cancel());
  await gateway.append("acme", {}, {});
  await Promise.all([well.received(2), failing.received(1)]);
  await gateway.call("GET", "/events?tenant=acme&wait=1");
  expect((await gateway.call("GET", "/nothing")).status).toBe(404);

  // Twice after the traffic, and once more for the rules, which look at what was scraped before.
  const scrapes = async () => (await prometheus.query("count_over_time(up[1h])"))[0]?.value ?? 0;
  const enough = (await scrapes()) + 3;
  await waitUntil(async () => (await scrapes()) >= enough, {
    deadlineMs: 15_000,
    what: "three scrapes",
  });
  text = await (await fetch(metrics)).text();
  shown = readShown(text);
});

afterAll(() => opened.disposeAsync());

test("promtool finds no fault with how metrics are named and told", async () => {
  expect(await promtool(["check", "metrics"], text)).toEqual({ code: 0, output: "" });
});

test("what is named is there: metrics, labels and their values", () => {
  const missing = queries.flatMap(({ where, expr }) => {
    const { selectors, labels } = readQuery(expr);
    const names = selectors.map(({ name }) => name);
    return [
      ...selectors.flatMap(faultsOf),
      ...labels.flatMap((label) => missingLabel(names, label)),
    ].map((fault) => `${where}: ${fault}`);
  });
  expect(missing).toEqual([]);
});

test("every query of a panel and of the adapter has an answer", async () => {
  const asked = [...dashboardQueries(readDashboard()), ...adapterQueries()];
  for (const { where, expr } of asked) {
    if (emptyWhenWell.has(where)) expect(await prometheus.query(expr)).toEqual([]);
    else await answer(where, expr);
  }
});

test("the adapter has one number for the pod", async () => {
  for (const { where, expr } of adapterQueries().filter((each) => !each.where.endsWith("series"))) {
    const samples = await answer(where, expr);
    const pods = samples.map(({ metric }) => metric);
    expect({ where, pods }).toEqual({ where, pods: [{ pod: "tidegate-0" }] });
  }
});

test("every rule is evaluated without an error, and none fires", async () => {
  const rules = await waitUntil(
    async () => {
      const found = await prometheus.rules();
      return found.every(({ health }) => health !== "unknown") && found;
    },
    { deadlineMs: 15_000, what: "the evaluation of all rules" },
  );
  expect(rules.length).toBe(readRules().length);
  for (const { name, health, lastError, state } of rules) {
    expect({ name, health, lastError }).toEqual({ name, health: "ok", lastError: undefined });
    expect({ name, state }).not.toEqual({ name, state: "firing" });
  }
});

/** A scrape that came late leaves nothing to ask about until the next one. */
function answer(where: string, expr: string): Promise<Sample[]> {
  return waitUntil(
    async () => {
      const samples = await prometheus.query(expr);
      return samples.length > 0 && samples;
    },
    { what: `an answer to ${where}` },
  );
}

function faultsOf({ name, matchers }: Selector): string[] {
  if (recorded.has(name) || name === "up") return [];
  const labels = shown.get(name);
  if (labels === undefined) return [`no metric ${name}`];
  return matchers.flatMap((matcher) => faultsOfMatcher(name, matcher, labels));
}

function faultsOfMatcher(
  name: string,
  { label, operator, value }: Matcher,
  labels: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  if (ofTheScrape.has(label)) return [];
  const values = labels.get(label);
  if (values === undefined) return [`no label ${label} of ${name}`];
  // Text that the user chooses.
  if (value === ".*" || label === "tenant" || label === "endpoint") return [];
  const named = operator === "=~" || operator === "!~" ? value.split("|") : [value];
  return named
    .filter((each) => !values.has(each) && !unseen.has(`${label}=${each}`))
    .map((each) => `no ${label}="${each}" of ${name}`);
}

function missingLabel(names: readonly string[], label: string): string[] {
  if (ofTheScrape.has(label) || names.some((name) => shown.get(name)?.has(label))) return [];
  // A recording rule's name begins with the labels that it leaves.
  if (names.some((name) => name.split(":")[0]?.split("_").includes(label))) return [];
  return [`no label ${label} of ${names.join(", ")}`];
}

function readShown(metrics: string): typeof shown {
  const found: typeof shown = new Map();
  for (const line of metrics.split("\n")) {
    const [, name, pairs = ""] = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? \S+$/i.exec(line) ?? [];
    if (name === undefined) continue;
    const labels = found.get(name) ?? new Map<string, Set<string>>();
    found.set(name, labels);
    for (const [, label = "", value = ""] of pairs.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
  }
  return found;
}
