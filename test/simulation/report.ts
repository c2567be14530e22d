/** What a run has shown, as text. */
import { fates as fatesOfPushes, type Accounts } from "./check.ts";
import type { Injected } from "./faults.ts";
import { faultKinds } from "./plan.ts";
import {
  checks,
  longestMs,
  type Check,
  type Latencies,
  type Pulse,
  phases,
  type Phase,
} from "./records.ts";
import type { World } from "./world.ts";

/** Whatever has a pulse and latencies, by kind. */
type Kind = { readonly name: string; readonly parties: readonly Party[] };
type Party = { readonly pulse: Pulse; readonly latencies: Readonly<Record<Phase, Latencies>> };

export function kindsOf({ producers, readers, consumers, hooks }: World): Kind[] {
  return [
    { name: "append", parties: producers },
    { name: "poll", parties: readers.filter(({ kind }) => kind === "poll") },
    { name: "stream", parties: readers.filter(({ kind }) => kind === "stream") },
    { name: "consumer", parties: consumers },
    ...(["parallel", "fifo", "subject"] as const).map((ordering) => ({
      name: `push, ${ordering}`,
      parties: hooks.filter(
        (hook) => hook.ordering === ordering && !["wary", "lossy"].includes(hook.behaviour),
      ),
    })),
  ].filter(({ parties }) => parties.length > 0);
}

export function countsText(world: World, accounts: Accounts): string {
  const sent = world.producers.flatMap(({ sent }) => sent);
  const fates = (fate: string) => count(sent.filter((event) => event.fate === fate).length);
  const reconnects = (kind: string) =>
    count(
      world.readers
        .filter((reader) => reader.kind === kind)
        .reduce((sum, reader) => sum + reader.reconnects(), 0),
    );
  const pushes = world.hooks.reduce((sum, hook) => sum + hook.requests(), 0);
  const repeats = world.hooks.reduce((sum, hook) => sum + hook.repeats(), 0);
  const deliveries = fatesOfPushes.reduce((sum, fate) => sum + accounts[fate], 0);
  return linesOf([
    [
      "appends",
      `${fates("acknowledged")} acknowledged, ${fates("refused")} refused, ${fates("in doubt")} in doubt`,
    ],
    ["requests that failed", failuresText(world)],
    ["reconnects", `${reconnects("poll")} of pollers, ${reconnects("stream")} of streams`],
    [
      "pushes",
      `${count(pushes)}, of ${count(deliveries)} deliveries: ${fatesOfPushes
        .map((fate) => `${count(accounts[fate])} ${fate}`)
        .join(", ")}`,
    ],
    ...confirmedLines(world),
    [
      "accepted again",
      `${count(repeats)}, ${((100 * repeats) / Math.max(1, pushes)).toFixed(2)} % of the pushes`,
    ],
  ]);
}

function confirmedLines({ confirmers, consumers }: World): [string, string][] {
  if (confirmers.length === 0) return [];
  const sum = (what: keyof (typeof confirmers)[number]["counts"]) =>
    count(confirmers.reduce((total, { counts }) => total + counts[what], 0));
  const repeats = consumers.reduce((total, consumer) => total + consumer.repeats(), 0);
  return [
    [
      "receipts",
      `${sum("processed")} processed, ${sum("failed")} failed, ${sum("withheld")} withheld, ${sum("through")} through a cursor`,
    ],
    ["missed", `${sum("read")} read`],
    ["named consumers", `${count(repeats)} events read again`],
  ];
}

/** Those of producers, by how. */
function failuresText({ producers }: World): string {
  const all = new Map<string, number>();
  for (const [reason, times] of producers.flatMap(({ failures }) => [...failures])) {
    all.set(reason, (all.get(reason) ?? 0) + times);
  }
  return [...all].map(([reason, times]) => `${reason} ${count(times)}`).join(", ") || "none";
}

export function faultsText(faults: readonly Injected[]): string {
  const counts = faultKinds.flatMap((kind) => {
    const times = faults.filter((fault) => fault.kind === kind).length;
    return times === 0 ? [] : [`${kind} ${times}`];
  });
  return `${faults.length} faults: ${counts.join(", ")}`;
}

/** The longest time in which nothing came, and how long what came had taken, in each phase. */
export function timesText(world: World): string {
  const rows = kindsOf(world).map(({ name, parties }) => [
    name,
    `${(longestMs(parties.map(({ pulse }) => pulse)) / 1_000).toFixed(1)} s`,
    ...phases.map((phase) => quantilesText(parties.map(({ latencies }) => latencies[phase]))),
  ]);
  return table([
    ["", "longest pause", ...phases.map((phase) => `${phase}: p50 / p99, ms`)],
    ...rows,
  ]);
}

/** The worst of several, since one that is slow must not be hidden by those that are not. */
function quantilesText(latencies: readonly Latencies[]): string {
  const worst = (share: number) =>
    Math.max(...latencies.flatMap((each) => each.quantile(share) ?? []));
  const [p50, p99] = [worst(0.5), worst(0.99)];
  return p50 === -Infinity ? "–" : `${p50.toFixed(0)} / ${p99.toFixed(0)}`;
}

/** A line for each check; with what was found where it is broken. */
export function checksText({ violations }: World): string {
  return (Object.keys(checks) as Check[])
    .flatMap((check) => {
      const found = violations.of(check);
      if (found === undefined) return [`kept    ${check}: ${checks[check]}`];
      const examples = found.examples.map((example) => `          ${example}`);
      return [`BROKEN  ${check}: ${checks[check]} (${found.count} times)`, ...examples];
    })
    .join("\n");
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function linesOf(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}

export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
