/** A span of time: one that ends now, or between two moments of the reader's own clock. */
import { Select, TextField } from "./field.tsx";

/** Empty members are open ends. RFC 3339 in UTC; `last` is a preset and moves with the clock. */
export type Range = { readonly last: string; readonly since: string; readonly until: string };

export const anyTime: Range = { last: "", since: "", until: "" };

const hourMs = 3_600_000;

const presets: ReadonlyMap<string, readonly [text: string, ms: number]> = new Map([
  ["1h", ["Last hour", hourMs]],
  ["24h", ["Last 24 hours", 24 * hourMs]],
  ["7d", ["Last 7 days", 168 * hourMs]],
]);

/** The moments that a range means at `now`, as the API takes them. */
export function boundsOf({ last, since, until }: Range, now: number) {
  const preset = presets.get(last);
  if (preset !== undefined) return { since: new Date(now - preset[1]).toISOString() };
  return {
    ...(isTime(since) ? { since: new Date(since).toISOString() } : {}),
    ...(isTime(until) ? { until: new Date(until).toISOString() } : {}),
  };
}

export function RangeFields(props: {
  value: Range;
  onValue: (range: Range) => void;
  label?: string;
  any?: string;
  errors?: { since?: string | undefined; until?: string | undefined };
}) {
  const { value, onValue, label = "Appended", any = "At any time", errors = {} } = props;
  const isCustom = value.last === "custom" || value.since !== "" || value.until !== "";
  const change = (part: "since" | "until") => (text: string) =>
    onValue({ ...value, last: "custom", [part]: fromLocal(text) });
  return (
    <>
      <Select
        label={label}
        value={isCustom ? "custom" : value.last}
        onValue={(last) => onValue({ ...anyTime, last })}
        options={[
          ["", any],
          ...[...presets].map(([key, [text]]) => [key, text] as const),
          ["custom", "Between two times"],
        ]}
      />
      {isCustom && (
        <>
          <TextField
            type="datetime-local"
            label={`From (${zoneName()})`}
            value={toLocal(value.since)}
            onValue={change("since")}
            error={errors.since}
          />
          <TextField
            type="datetime-local"
            label={`Until (${zoneName()})`}
            value={toLocal(value.until)}
            onValue={change("until")}
            error={errors.until}
          />
        </>
      )}
    </>
  );
}

/** The zone of the reader's clock, in which local times are meant: `GMT+1`. */
function zoneName(): string {
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "short" }).formatToParts();
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "local time";
}

function isTime(text: string): boolean {
  return text !== "" && !Number.isNaN(Date.parse(text));
}

/** As `<input type="datetime-local">` wants it. */
function toLocal(at: string): string {
  if (!isTime(at)) return "";
  const time = new Date(at);
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What was typed is of the zone of the clock, in summer and in winter. */
function fromLocal(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? "" : time.toISOString();
}
