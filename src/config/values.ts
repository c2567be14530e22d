/** What variables of the environment can hold, apart from what they mean. */

import { z } from "zod";

/** Which traces are sampled, as OpenTelemetry names the ways. */
const samplers = [
  "always_on",
  "always_off",
  "traceidratio",
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
] as const;

export type Sampler = (typeof samplers)[number];

export function list<Item extends z.ZodType<unknown, string>>(item: Item) {
  return z
    .string()
    .transform((text) => text.split(",").map((part) => part.trim()))
    .pipe(z.array(item));
}

export function whole(least: number, most: number) {
  return z.string().regex(/^\d+$/).transform(Number).pipe(z.number().min(least).max(most));
}

export function visible() {
  return z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .optional();
}

export function path() {
  return z.string().optional();
}

export function webUrl() {
  return z.url({ protocol: /^https?$/ });
}

export function durationMs(text: string, context: z.RefinementCtx): number {
  const duration = parseDurationMs(text);
  if (duration !== undefined) return duration;
  context.addIssue("not a duration");
  return z.NEVER;
}

export function sampler() {
  return z
    .enum(samplers)
    .default("parentbased_always_on")
    .describe(`one of ${samplers.join(", ")}, for example parentbased_traceidratio`);
}

/** All of it unless given. */
export function share() {
  return z
    .string()
    .regex(/^(0|1|0?\.\d+|[01]\.0*)$/)
    .transform(Number)
    .default(1)
    .describe("a share from 0 to 1, for example 0.01");
}

export function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** A tenant's name, but for the one that stands for all that have no series of their own. */
export function mayBePinned(text: string): boolean {
  return /^[a-zA-Z0-9_.-]{1,128}$/.test(text) && text !== "other";
}

export function hostAndPort(
  text: string,
  context: z.RefinementCtx,
): { host: string; port: number } {
  const match = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host !== undefined && port <= 65_535) return { host, port };
  context.addIssue("not a host and port");
  return z.NEVER;
}

/** Milliseconds of a duration such as `500ms`, `5s`, `1m` or `2h`; undefined for other text. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^([1-9]\d{0,8})(ms|s|m|h)$/.exec(text);
  if (match === null) return undefined;
  const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as "ms" | "s" | "m" | "h"];
  return Number(match[1]) * unitMs;
}
