/** An endpoint's settings as somebody types them, and what the API is sent for them. */
import { ApiError, type Schemas } from "../../api.ts";
import type { Pair } from "../../parts/pairs.tsx";
import { durationMs, durationText, splitSchedule } from "./durations.ts";
import type { EndpointView } from "./queries.ts";

export type NewEndpoint = Schemas["NewEndpoint"];
export type EndpointPatch = Schemas["EndpointPatch"];

export type Form = {
  readonly url: string;
  readonly types: readonly string[];
  readonly subjects: readonly string[];
  readonly description: string;
  readonly metadata: readonly Pair[];
  readonly headers: readonly Pair[];
  readonly timeoutSeconds: string;
  readonly maxInFlight: string;
  readonly rate: string;
  readonly retries: "default" | "own" | "none";
  readonly schedule: string;
  readonly giveUpAfter: string;
  readonly drain: boolean;
  readonly requireReceipt: boolean;
  readonly receiptTimeout: string;
  readonly ordering: "parallel" | "fifo" | "subject";
  readonly format: "json" | "cloudevents";
  /** What cannot be changed later stands below; the secret's kind changes by a rotation. */
  readonly signature: "v1" | "v1a";
  readonly secret: string;
  readonly start: "latest" | "earliest" | "time" | "cursor";
  readonly startTime: string;
  readonly startCursor: string;
};

/** What every group of fields is given. */
export type FieldsProps = {
  form: Form;
  onForm: (form: Form) => void;
  error: unknown;
  /** Where pushing starts, and what signs, is asked only once. */
  isNew: boolean;
};

export const emptyForm: Form = {
  url: "",
  types: [],
  subjects: [],
  description: "",
  metadata: [],
  headers: [],
  timeoutSeconds: "5",
  maxInFlight: "50",
  rate: "",
  retries: "default",
  schedule: "",
  giveUpAfter: "",
  drain: true,
  requireReceipt: false,
  receiptTimeout: "5m",
  ordering: "parallel",
  format: "json",
  signature: "v1",
  secret: "",
  start: "latest",
  startTime: "",
  startCursor: "",
};

export function formOf(endpoint: EndpointView): Form {
  const { retry_schedule: schedule } = endpoint;
  return {
    ...emptyForm,
    url: endpoint.url,
    types: endpoint.types ?? [],
    subjects: endpoint.subjects ?? [],
    description: endpoint.description ?? "",
    metadata: Object.entries(endpoint.metadata).map(([name, value]) => ({ name, value })),
    headers: endpoint.header_names.map((name) => ({ name, value: "", kept: true })),
    timeoutSeconds: String(endpoint.timeout_ms / 1_000),
    maxInFlight: String(endpoint.max_in_flight),
    rate: endpoint.rate_per_second === null ? "" : String(endpoint.rate_per_second),
    retries: schedule === null ? "default" : schedule.length === 0 ? "none" : "own",
    schedule: schedule?.join(", ") ?? "",
    giveUpAfter: endpoint.give_up_after ?? "",
    drain: endpoint.drain_dead_letters,
    requireReceipt: endpoint.require_receipt,
    receiptTimeout: durationText(endpoint.receipt_timeout_ms),
    ordering: endpoint.ordering,
    format: endpoint.format,
    signature: endpoint.signature,
  };
}

/** What only the page can find wrong, as the API would have said it. */
export function faultOf(form: Form): ApiError | undefined {
  const errors = [];
  // The API counts in milliseconds, and would say it in these.
  const timeout = Number(form.timeoutSeconds);
  if (form.timeoutSeconds.trim() !== "" && !(timeout >= 1 && timeout <= 30)) {
    errors.push({ pointer: "/timeout_ms", detail: "expected a number from 1 to 30" });
  }
  if (durationMs(form.receiptTimeout) === undefined) {
    errors.push({
      pointer: "/receipt_timeout_ms",
      detail: "expected a duration, such as 90s or 5m",
    });
  }
  if (form.start === "time" && Number.isNaN(Date.parse(form.startTime))) {
    errors.push({ pointer: "/start", detail: "expected a date and a time" });
  }
  return errors.length === 0 ? undefined : new ApiError(422, { title: "Not valid", errors });
}

/** Nothing is sent for what is as the gateway has it anyway. */
export function toNew(form: Form, tenant: string): NewEndpoint {
  const unlike = changed(settingsOf(form), settingsOf(emptyForm));
  const metadata = valuesOf(form.metadata);
  const headers = valuesOf(form.headers);
  return {
    tenant,
    ...unlike,
    url: form.url.trim(),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(form.signature !== "v1" && { signature: form.signature }),
    ...(form.secret.trim() !== "" && { secret: form.secret.trim() }),
    ...(form.start !== "latest" && { start: startOf(form) }),
  };
}

/** A merge patch: only what is another, null for what goes away. */
export function toPatch(form: Form, endpoint: EndpointView): EndpointPatch {
  const metadata = mergePatch(valuesOf(form.metadata), endpoint.metadata);
  const names = form.headers.map(({ name }) => name);
  const headers = {
    ...valuesOf(form.headers.filter(({ kept, value }) => kept !== true || value !== "")),
    ...Object.fromEntries(
      endpoint.header_names.filter((name) => !names.includes(name)).map((name) => [name, null]),
    ),
  };
  return {
    ...changed(settingsOf(form), settingsOf(formOf(endpoint))),
    ...(Object.keys(metadata).length > 0 && { metadata }),
    ...(Object.keys(headers).length > 0 && { headers }),
  };
}

function settingsOf(form: Form) {
  const own = form.retries === "own" ? splitSchedule(form.schedule) : [];
  return {
    url: form.url.trim(),
    types: form.types.length === 0 ? null : [...form.types],
    subjects: form.subjects.length === 0 ? null : [...form.subjects],
    description: textOf(form.description),
    timeout_ms: numberOf(form.timeoutSeconds, 1_000),
    max_in_flight: numberOf(form.maxInFlight),
    rate_per_second: numberOf(form.rate),
    retry_schedule: form.retries === "default" ? null : own,
    give_up_after: textOf(form.giveUpAfter),
    drain_dead_letters: form.drain,
    require_receipt: form.requireReceipt,
    receipt_timeout_ms: durationMs(form.receiptTimeout) ?? null,
    ordering: form.ordering,
    format: form.format,
  } satisfies EndpointPatch;
}

type Settings = ReturnType<typeof settingsOf>;

function changed(now: Settings, before: Settings): Partial<Settings> {
  const entries = Object.entries(now).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof Settings]),
  );
  return Object.fromEntries(entries);
}

function mergePatch(
  now: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
) {
  const patch: Record<string, string | null> = {};
  for (const name of Object.keys(before)) if (now[name] === undefined) patch[name] = null;
  for (const [name, value] of Object.entries(now)) if (before[name] !== value) patch[name] = value;
  return patch;
}

function startOf(form: Form): NonNullable<NewEndpoint["start"]> {
  switch (form.start) {
    case "latest":
    case "earliest":
      return form.start;
    case "time":
      return { time: new Date(form.startTime).toISOString() };
    case "cursor":
      return { cursor: form.startCursor.trim() };
  }
}

/** A name that stays empty is a line that nobody filled in. */
function valuesOf(pairs: readonly Pair[]): Record<string, string> {
  const named = pairs.filter(({ name, value }) => name.trim() !== "" || value !== "");
  return Object.fromEntries(named.map(({ name, value }) => [name.trim(), value]));
}

/** Nothing typed is the default. */
function numberOf(text: string, factor = 1): number | null {
  return text.trim() === "" ? null : Number((Number(text) * factor).toFixed(3));
}

function textOf(text: string): string | null {
  return text.trim() === "" ? null : text.trim();
}
