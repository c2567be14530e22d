/** Which series a query of Prometheus is about, by Prometheus' own grammar. */
import { parser } from "@prometheus-io/lezer-promql";

export type Matcher = {
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
};

export type Selector = { readonly name: string; readonly matchers: readonly Matcher[] };

export type Query = {
  readonly selectors: readonly Selector[];
  /** Those that it groups and matches by. */
  readonly labels: readonly string[];
};

type Node = ReturnType<typeof parser.parse>["topNode"];

/** Throws where the grammar does not take it. Grafana's own variables must be gone, see `filled`. */
export function readQuery(expr: string): Query {
  const selectors: Selector[] = [];
  const labels: string[] = [];
  const text = ({ from, to }: Node): string => expr.slice(from, to);
  parser.parse(expr).iterate({
    enter({ node }) {
      if (node.type.isError) throw new Error(`no query at ${node.from}: ${expr}`);
      if (node.name === "VectorSelector") selectors.push(toSelector(node));
      if (node.name === "GroupingLabels") labels.push(...node.getChildren("LabelName").map(text));
    },
  });
  return { selectors, labels };

  function toSelector(node: Node): Selector {
    const name = node.getChild("Identifier");
    if (name === null) throw new Error(`a selector without a name: ${text(node)}`);
    const found = node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? [];
    return { name: text(name), matchers: found.map(toMatcher) };
  }

  function toMatcher(node: Node): Matcher {
    const [label, operator, value] = ["LabelName", "MatchOp", "StringLiteral"].map((kind) => {
      const child = node.getChild(kind);
      if (child === null) throw new Error(`a matcher without its ${kind}: ${text(node)}`);
      return text(child);
    });
    return {
      label: label ?? "",
      operator: operator as Matcher["operator"],
      value: (value ?? "").slice(1, -1),
    };
  }
}

/** With what Grafana puts in for its variables: a time for its own, and what matches all for others. */
export function filled(expr: string): string {
  return expr.replaceAll(/\$__\w+/g, "5m").replaceAll(/\$\{?\w+(:\w+)?\}?/g, ".*");
}
