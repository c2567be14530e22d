/** What lies in `ops/`, read: the dashboard, the rules and the adapter, with the queries in each. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { filled } from "./promql.ts";

export type Target = {
  readonly refId: string;
  readonly expr: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
};

export type Panel = {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: Target["datasource"];
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
};

export type Dashboard = {
  readonly title: string;
  readonly uid: string;
  readonly schemaVersion: number;
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly definition?: string;
    }[];
  };
  readonly panels: readonly Panel[];
};

export type Rule = {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
};

type AdapterRule = {
  readonly seriesQuery: string;
  readonly metricsQuery: string;
  readonly name: { readonly as: string };
};

/** A query, and whose it is. */
export type Used = { readonly where: string; readonly expr: string };

export function pathOf(file: string): string {
  return fileURLToPath(new URL(`../../${file}`, import.meta.url));
}

export function readText(file: string): string {
  return readFileSync(pathOf(file), "utf8");
}

export function readDashboard(): Dashboard {
  return JSON.parse(readText("ops/grafana/tidegate.json")) as Dashboard;
}

export function readRules(): Rule[] {
  const { groups } = parse(readText("ops/prometheus/rules.yaml")) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

export function readAdapterRules(): AdapterRule[] {
  const { rules } = parse(readText("ops/kubernetes/monitoring/adapter-values.yaml")) as {
    rules: { custom: AdapterRule[] };
  };
  return rules.custom;
}

export function dashboardQueries({ panels, templating }: Dashboard): Used[] {
  const ofPanels = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ where: `${title} ${refId}`, expr: filled(expr) })),
  );
  const ofVariables = templating.list.flatMap(({ name, definition }) => {
    const series = /^label_values\((.*), \w+\)$/.exec(definition ?? "")?.[1];
    return series === undefined ? [] : [{ where: `variable ${name}`, expr: filled(series) }];
  });
  return [...ofPanels, ...ofVariables];
}

export function ruleQueries(): Used[] {
  return readRules().map(({ record, alert, expr }) => ({ where: record ?? alert ?? "", expr }));
}

/** As the adapter asks for one pod. */
export function adapterQueries(): Used[] {
  return readAdapterRules().flatMap(({ seriesQuery, metricsQuery, name }) => {
    const [series = ""] = seriesQuery.split("{");
    const expr = metricsQuery
      .replace("<<.Series>>", series)
      .replace("<<.LabelMatchers>>", 'namespace="tidegate",pod="tidegate-0"')
      .replace("<<.GroupBy>>", "pod");
    return [
      { where: `adapter ${name.as}: series`, expr: seriesQuery },
      { where: `adapter ${name.as}`, expr },
    ];
  });
}
