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
import type { Item } from "./event.ts";
import { createPreparation, type EventTypes } from "./prepare.ts";
import {
  appendedOrProblem,
  failure,
  mintCursor,
  toResult,
  unavailable,
  type ItemResult,
} from "./results.ts";
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

export type Ingest = ReturnType<typeof createIngest>;

export function createIngest(options: {
  appender: Appender;
  cursors: Cursors;
  directory: Directory;
  limiter: Pick<RateLimiter, "take">;
  eventTypes: EventTypes;
}) {
  const { appender, cursors, directory, limiter, eventTypes } = options;
  const preparation = createPreparation({ directory, limiter, eventTypes });

  return { one, batch, upload: createUpload({ appender, cursors, directory, preparation }) };

  async function one(principal: Principal, item: Item): Promise<Accepted> {
    const tenant = await resolveTenant(directory, principal, item.tenant);
    const fresh = eventTypes.fresh();
    if (fresh !== undefined) await fresh;
    const event = preparation.toEvent(tenant, item);
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
  ): Promise<{ results: ItemResult[]; headers: Headers }> {
    const prepared = await preparation.prepare(principal, items);
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
