/** How far back one can look. */

export type Window = {
  /** As the API and the address have it. */
  readonly name: string;
  readonly text: string;
  /** Of the charts: as many as can be told apart, and long enough for a rare event to show. */
  readonly step: string;
};

const day: Window = { name: "24h", text: "the last 24 hours", step: "15m" };

export const windows: readonly Window[] = [
  { name: "1h", text: "the last hour", step: "1m" },
  day,
  { name: "7d", text: "the last 7 days", step: "2h" },
  { name: "30d", text: "the last 30 days", step: "6h" },
];

/** Addresses are typed by people, too. */
export function windowOf(name: string): Window {
  return windows.find((window) => window.name === name) ?? day;
}
