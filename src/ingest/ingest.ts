/**
 * Accepts events over HTTP: one, a batch in which a bad item spoils only itself, or lines without
 * end. Answers only after the commit. Knows nothing of who will receive them.
 */
import { resolveTenant, type Directory, type Principal } from "../http/auth.ts";
import { quotaExceeded, type RateLimiter } from "../http/rate-limit.ts";
import type { Appender } from "../log/append.ts";
import type { Cursors } from "../log/cursor.ts";
import { sequenceText } from "../log/event.ts";
import type { NewEvent } from "../log/new-event.ts";
import { Problem } from "../problem.ts";
import type { Tracing } from "../telemetry/tracing.ts";
import type { Item } from "./event.ts";
import { createPreparation, type EventTypes, type Prepared } from "./prepare.ts";
import {
  appendedOrProblem,
  failure,
  mintCursor,
  toResult,
  unavailable,
  type ItemResult,
} from "./results.ts";
import { createRequestTracing, type Arrival, type RequestTrace } from "./tracing.ts";
import { createUpload } from "./upload.ts";

type Headers = Readonly<Record<string, string>>;

export type Accepted = {
  readonly status: 201 | 200;
  readonly body: {
    readonly id: string;
    readonly tenant: string;
    readonly sequence: string;
    readonly cursor: string;
    readonly duplicate: boolean;
  };
  readonly headers: Headers;
};

type Answered = { readonly results: ItemResult[]; readonly headers: Headers };

export type Ingest = ReturnType<typeof createIngest>;

export function createIngest(options: {
  appender: Appender;
  cursors: Cursors;
  directory: Directory;
  limiter: Pick<RateLimiter, "take">;
  eventTypes: EventTypes;
  tracing: Tracing | undefined;
}) {
  const { appender, cursors, directory, limiter, eventTypes } = options;
  const preparation = createPreparation({ directory, limiter, eventTypes });
  const requests = createRequestTracing(options.tracing);
  const upload = createUpload({ appender, cursors, directory, preparation, requests });

  return { arrival: requests.arrival, one, batch, upload };

  async function one(principal: Principal, item: Item, arrived: Arrival): Promise<Accepted> {
    const trace = requests.begin(arrived, { own: item.input.extensions });
    try {
      const accepted = await appendOne(principal, item, trace);
      trace.end(accepted);
      return accepted;
    } catch (error) {
      trace.fail(error);
      throw error;
    }
  }

  async function appendOne(
    principal: Principal,
    item: Item,
    trace: RequestTrace,
  ): Promise<Accepted> {
    const tenant = await resolveTenant(directory, principal, item.tenant);
    const fresh = eventTypes.fresh();
    if (fresh !== undefined) await fresh;
    const event = preparation.toEvent(tenant, item, trace);
    const taken = preparation.take(tenant, 1);
    if (taken?.allowed === false) throw quotaExceeded(tenant, "appends", taken);
    const [result] = await appender.append([event]);
    if (result === undefined) throw new Error("an append without a result");
    const appended = appendedOrProblem(result);
    const body = {
      id: appended.id,
      tenant: tenant.name,
      sequence: sequenceText(appended.sequence),
      cursor: mintCursor(cursors, tenant.id, appended),
      duplicate: result.kind === "duplicate",
    };
    return { status: body.duplicate ? 200 : 201, body, headers: taken?.headers ?? {} };
  }

  /**
   * Results in the order of `items`; an item that could not be read is its problem already. When
   * all were refused for their tenants' limits, or for want of a database, so is the whole.
   */
  async function batch(
    principal: Principal,
    items: readonly (Item | Problem)[],
    withCursors: boolean,
    arrived: Arrival,
  ): Promise<Answered> {
    const trace = requests.begin(arrived, { count: items.length });
    try {
      const prepared = await preparation.prepare(principal, items, trace);
      const answered = await appendAll(prepared, withCursors);
      trace.end({ status: 200, body: answered }, prepared.tenants);
      return answered;
    } catch (error) {
      trace.fail(error);
      throw error;
    }
  }

  async function appendAll(prepared: Prepared, withCursors: boolean): Promise<Answered> {
    const { events, headers, refused } = preparation.admit(prepared);
    const [first] = refused;
    if (first !== undefined && events.every((event) => isQuota(event))) throw first;
    const admitted = events.filter((event): event is NewEvent => !(event instanceof Problem));
    const appended = await appender.append(admitted);
    const overload = unavailable();
    const unserved = appended.filter(({ kind }) => kind === "unavailable").length;
    if (unserved > 0 && unserved === events.length) throw overload;
    const answers = appended.values();
    const results = events.map((event) => {
      if (event instanceof Problem) return failure(event);
      const { value } = answers.next();
      if (value === undefined) throw new Error("an append without a result");
      return toResult(event.tenant, value, withCursors ? cursors : undefined);
    });
    return { results, headers: unserved > 0 ? { ...headers, ...overload.headers } : headers };
  }
}

function isQuota(event: NewEvent | Problem): boolean {
  return event instanceof Problem && event.slug === "quota-exceeded";
}
