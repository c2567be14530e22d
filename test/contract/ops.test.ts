/**
 * What `ops/` has for those who watch, apart from the metrics that it names (test/integration/ops.test.ts):
 * the rules by Prometheus' own tool and tests, the dashboard's form, and that the runbook tells of what
 * there is.
 */
import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { readManifests } from "../support/manifests.ts";
import {
  pathOf,
  readAdapterRules,
  readDashboard,
  readRules,
  readText,
  type Panel,
} from "../support/ops.ts";
import { promtool } from "../support/prometheus.ts";

const alerts = readRules().flatMap((rule) =>
  rule.alert === undefined ? [] : [{ ...rule, alert: rule.alert }],
);

/** Ids of Grafana's units that are used, to find a misspelt one: it would show bare numbers. */
const units = new Set(["s", "short", "none", "eps", "ops", "reqps", "percentunit", "bytes"]);

describe("the rules", () => {
  test("are what Prometheus takes, alone and with the configuration that compose has", async () => {
    const rules = await promtool(["check", "rules", pathOf("ops/prometheus/rules.yaml")]);
    expect(rules).toMatchObject({ code: 0 });
    const config = await promtool(["check", "config", pathOf("ops/prometheus/prometheus.yaml")]);
    expect(config).toMatchObject({ code: 0 });
  });

  test("fire when they should, and not when they should not", async () => {
    const said = await promtool(["test", "rules", pathOf("ops/prometheus/rules.test.yaml")]);
    expect(said).toMatchObject({ code: 0 });
  });

  test("are tested both ways, each alert", () => {
    type Expected = { alertname: string; exp_alerts: unknown[] };
    const { tests } = parse(readText("ops/prometheus/rules.test.yaml")) as {
      tests: { alert_rule_test?: Expected[] }[];
    };
    const tested = tests.flatMap(({ alert_rule_test: expected = [] }) => expected);
    const fires = tested.filter(({ exp_alerts: expected }) => expected.length > 0);
    const is = tested.filter(({ exp_alerts: expected }) => expected.length === 0);
    const names = alerts.map(({ alert }) => alert).toSorted();
    expect([...new Set(fires.map(({ alertname }) => alertname))].toSorted()).toEqual(names);
    expect([...new Set(is.map(({ alertname }) => alertname))].toSorted()).toEqual(names);
  });

  test.each(alerts)("$alert says how bad it is, since when, and where to read on", (rule) => {
    expect(rule.for).toMatch(/^\d+m$/);
    expect(["warning", "critical"]).toContain(rule.labels?.["severity"]);
    const { summary, description, runbook_url: runbook } = rule.annotations ?? {};
    expect(summary).toMatch(/^\S.{5,80}$/);
    expect(description).toMatch(/\.$/);
    expect(runbook).toBe(`docs/runbook.md#${rule.alert.toLowerCase()}`);
  });

  test("become a PrometheusRule by what docs/operations.md says", () => {
    const [, head] = /printf '([^']*)'\n {2}sed 's\/\^\/ {2}\/'/.exec(operations) ?? [];
    const indented = readText("ops/prometheus/rules.yaml").replaceAll(/^/gm, "  ");
    const rule = parse((head ?? "").replaceAll(String.raw`\n`, "\n") + indented) as {
      kind: string;
      spec: unknown;
    };
    expect(rule.kind).toBe("PrometheusRule");
    expect(rule.spec).toEqual(parse(readText("ops/prometheus/rules.yaml")));
  });
});

const operations = readText("docs/operations.md");
const runbook = readText("docs/runbook.md");

describe("the runbook", () => {
  test("has one section for each alert, and none for others", () => {
    const sections = Array.from(runbook.matchAll(/^### (\S+)$/gm), ([, name]) => name);
    expect(sections).toEqual(alerts.map(({ alert }) => alert));
    const parts = runbook.split(/^### /m).slice(1);
    for (const part of parts) {
      for (const title of ["What it means", "Look", "Do"]) expect(part).toContain(`**${title}.** `);
    }
  });

  test("quotes log lines that the program writes", () => {
    const sources = readdirSync(pathOf("src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .map((file) => readText(`src/${file}`))
      .join("\n");
    const quoted = Array.from(runbook.matchAll(/log:\s`([^`]+)`/g), ([, line]) => line ?? "");
    expect(quoted.length).toBeGreaterThan(15);
    for (const line of quoted) expect(sources).toContain(line);
  });

  test("names operations that the API has", () => {
    const { paths } = parse(readText("openapi.yaml")) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const there = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map(
        (method) => `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, "{}")}`,
      ),
    );
    const text = runbook + operations + readText("ops/grafana/tidegate.json");
    const named = [
      ...text.matchAll(/(GET|POST|PUT|PATCH|DELETE) (\/[\w/{}-]+)/g),
      ...text.matchAll(/curl [^\n]*?\$(URL)(\/[\w/…-]+)/g),
    ].map(([, method, path = ""]) => {
      const template = path.replaceAll(/\{\w+\}|evt_…/g, "{}");
      return `${method === "URL" ? "GET" : method} ${template}`;
    });
    expect(new Set(named).size).toBeGreaterThan(8);
    expect([...new Set(named)].filter((operation) => !there.includes(operation))).toEqual([]);
  });

  test("and the dashboard name panels and alerts that there are", () => {
    const { panels } = readDashboard();
    const titles = panels.map(({ title }) => title);
    const quoted = [...runbook.matchAll(/[Pp]anels? ("[^"]+"(?: and "[^"]+")*)/g)]
      .flatMap(([, list = ""]) => [...list.matchAll(/"([^"]+)"/g)])
      .map(([, title]) => title);
    expect(quoted.length).toBeGreaterThan(5);
    for (const title of quoted) expect(titles).toContain(title);
    const descriptions = panels.map(({ description = "" }) => description).join("\n");
    const referred = Array.from(
      `${descriptions}\n${runbook}`.matchAll(/Tidegate[A-Z]\w+/g),
      String,
    );
    for (const name of referred) expect(alerts.map(({ alert }) => alert)).toContain(name);
  });
});

describe("the dashboard", () => {
  const dashboard = readDashboard();
  const shown = dashboard.panels.filter(({ type }) => type !== "row");

  test("has its variables, and asks nothing of anybody's installation", () => {
    const variables = dashboard.templating.list.map(({ name, type }) => `${name}: ${type}`);
    expect(variables).toEqual([
      "datasource: datasource",
      "job: query",
      "instance: query",
      "tenant: query",
    ]);
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(dashboard).toMatchObject({ id: null, uid: "tidegate" });
  });

  test("has panels that tell what they show, in which unit, and what to do", () => {
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
    expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length);
    for (const { title, description = "", fieldConfig, datasource, targets = [] } of shown) {
      const named = { title, unit: fieldConfig?.defaults.unit ?? "" };
      expect({ ...named, isUnit: units.has(named.unit) }).toEqual({ ...named, isUnit: true });
      expect({ title, description }).toEqual({
        title,
        description: expect.stringMatching(/^.{60,}\.$/),
      });
      expect(targets.length).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (const each of [{ datasource }, ...targets]) {
        expect(each.datasource).toEqual({ type: "prometheus", uid: "${datasource}" });
      }
      for (const { expr } of targets) expect(expr).toContain('job=~"$job"');
    }
  });

  test("has them side by side, below the row that they belong to", () => {
    const faults: string[] = [];
    for (const [index, one] of dashboard.panels.entries()) {
      const { x, y, w, h } = one.gridPos;
      if (Math.min(x, y, w - 1, h - 1) < 0 || x + w > 24) faults.push(`${one.title} is outside`);
      for (const other of dashboard.panels.slice(index + 1)) {
        const both = `${one.title} and ${other.title}`;
        if (overlap(one, other)) faults.push(`${both} overlap`);
        // Grafana gives a panel to the last row above it, so the order must be that of the places.
        if (other.type === "row" && other.gridPos.y < y + h) faults.push(`${both}: order`);
      }
    }
    expect(faults).toEqual([]);
  });
});

test("the autoscalers scale by what the adapter serves", () => {
  type Scaler = { spec: { metrics: { type: string; pods?: { metric: { name: string } } }[] } };
  const scalers = readManifests()
    .filter(({ manifest }) => manifest.kind === "HorizontalPodAutoscaler")
    .map(({ manifest }) => manifest as unknown as Scaler);
  const named = scalers.flatMap(({ spec }) =>
    spec.metrics.flatMap(({ pods }) => (pods === undefined ? [] : [pods.metric.name])),
  );
  expect(named.toSorted()).toEqual(
    readAdapterRules()
      .map(({ name }) => name.as)
      .toSorted(),
  );
});

test("compose scrapes services that it has, where they listen, and pins its images", () => {
  const compose = parse(readText("docker-compose.yml"), { merge: true }) as {
    services: Record<string, { image: string; volumes?: string[]; environment?: object }>;
  };
  const { scrape_configs: scrapes } = parse(readText("ops/prometheus/prometheus.yaml")) as {
    scrape_configs: { dns_sd_configs: { names: string[]; port: number }[] }[];
  };
  for (const { names, port } of scrapes.flatMap(({ dns_sd_configs: found }) => found)) {
    for (const name of names) {
      const address = `\${TIDEGATE_METRICS_ADDRESS:-0.0.0.0:${port}}`;
      expect(compose.services[name]?.environment).toMatchObject({
        TIDEGATE_METRICS_ADDRESS: address,
      });
    }
  }
  for (const { image, volumes = [] } of Object.values(compose.services)) {
    expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-\w+)?$/);
    for (const volume of volumes.filter((each) => each.startsWith("./"))) {
      expect(readdirSync(pathOf(volume.split(":")[0] ?? "")).length).toBeGreaterThan(0);
    }
  }
});

function overlap({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
  const apart =
    one.x + one.w <= other.x ||
    other.x + other.w <= one.x ||
    one.y + one.h <= other.y ||
    other.y + other.h <= one.y;
  return !apart;
}
