/**
 * Accepts events over HTTP: one, or a batch in which a bad item spoils only itself. Answers only
 * after the commit. Knows nothing of who will receive them.
 */
import type { Directory, Principal, Tenant } from "../http/auth.ts";
import { resolveTenant } from "../http/auth.ts";
import type { Appender } from "../log/append.ts";
import type { Cursors } from "../log/cursor.ts";
import { sequenceText, type TenantId } from "../log/event.ts";
import type { Appended, AppendResult, NewEvent } from "../log/new-event.ts";
import { Problem, problemBody, type ProblemBody } from "../problem.ts";
import { toNewEvent, type EventInput } from "./event.ts";
import type { RawMember } from "./json.ts";

/** One event of a request: the tenant it names, if it does, and its parts. */
export type Item = {
  readonly tenant?: string | undefined;
  readonly input: EventInput;
  readonly data: RawMember;
};

export type Accepted = {
  status: 201 | 200;
  id: string;
  tenant: string;
  sequence: string;
  cursor: string;
  duplicate: boolean;
};

export type BatchResult =
  | { status: 201 | 200; id: string; sequence: string; cursor?: string }
  | { status: number; problem: ProblemBody };

export type Ingest = ReturnType<typeof createIngest>;

/** When to come back after an overload, seconds. */
const retryAfterSeconds = 1;

export function createIngest(options: {
  appender: Appender;
  cursors: Cursors;
  directory: Directory;
}) {
  const { appender, cursors, directory } = options;

  return { one, batch };

  async function one(principal: Principal, item: Item): Promise<Accepted> {
    const tenant = await resolveTenant(directory, principal, item.tenant);
    const event = toNewEvent(tenant, item.input, item.data);
    const [result] = await appender.append([event]);
    if (result === undefined) throw new Error("an append without a result");
    const appended = appendedOrProblem(result);
    return {
      status: result.kind === "duplicate" ? 200 : 201,
      id: appended.id,
      tenant: tenant.name,
      sequence: sequenceText(appended.sequence),
      cursor: mint(tenant.id, appended),
      duplicate: result.kind === "duplicate",
    };
  }

  /** Results in the order of `items`; an item that could not be read is its problem already. */
  async function batch(
    principal: Principal,
    items: readonly (Item | Problem)[],
    withCursors: boolean,
  ): Promise<BatchResult[]> {
    const tenants = await resolveTenants(principal, items);
    const prepared = items.map((item) =>
      item instanceof Problem ? item : prepare(tenants.get(item.tenant), item),
    );
    const events = prepared.filter((event): event is NewEvent => !(event instanceof Problem));
    const results = await appender.append(events);
    let next = 0;
    return prepared.map((event) => {
      if (event instanceof Problem) return failure(event);
      const result = results[next];
      next += 1;
      if (result === undefined) throw new Error("an append without a result");
      return toBatchResult(event.tenant, result, withCursors);
    });
  }

  /** Each name that a batch calls its tenants by, looked up once. */
  async function resolveTenants(principal: Principal, items: readonly (Item | Problem)[]) {
    const names = new Set(items.flatMap((item) => (item instanceof Problem ? [] : [item.tenant])));
    const found = await Promise.all(
      Array.from(names, async (name) => {
        const tenant = await resolveTenant(directory, principal, name).catch(problemOrThrow);
        return [name, tenant] as const;
      }),
    );
    return new Map(found);
  }

  function prepare(tenant: Tenant | Problem | undefined, item: Item): NewEvent | Problem {
    if (tenant === undefined) throw new Error("a batch names a tenant that was not looked up");
    if (tenant instanceof Problem) return tenant;
    try {
      return toNewEvent(tenant, item.input, item.data);
    } catch (error) {
      return problemOrThrow(error);
    }
  }

  function toBatchResult(tenant: TenantId, result: AppendResult, withCursor: boolean): BatchResult {
    switch (result.kind) {
      case "appended":
      case "duplicate":
        return {
          status: result.kind === "appended" ? 201 : 200,
          id: result.id,
          sequence: sequenceText(result.sequence),
          ...(withCursor && { cursor: mint(tenant, result) }),
        };
      default:
        return failure(problemOf(result));
    }
  }

  /** Continues right after the event, under any filter. */
  function mint(tenant: TenantId, { sequence, day, id }: Appended): string {
    const fingerprint = Number.parseInt(id.slice(-8), 16);
    return cursors.mint({ tenant, position: { sequence, day }, fingerprint, filter: "any" });
  }
}

function problemOrThrow(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}

function failure(problem: Problem): BatchResult {
  return { status: problem.status, problem: problemBody(problem) };
}

function appendedOrProblem(result: AppendResult): Appended {
  if (result.kind === "appended" || result.kind === "duplicate") return result;
  // A fault of ours: answered with the request's id, under which the log has it.
  if (result.kind === "failed") throw new Error("the append failed");
  throw problemOf(result);
}

function problemOf(result: Exclude<AppendResult, Appended>): Problem {
  const retry = { headers: { "retry-after": String(retryAfterSeconds) } };
  switch (result.kind) {
    case "conflict":
      return new Problem("idempotency-conflict", "the key was used with other content");
    case "gone":
      return new Problem("unknown-tenant", "the tenant no longer exists");
    case "refused":
      return new Problem("invalid", "the database cannot store this event");
    case "unavailable":
      return new Problem("unavailable", "the event was not appended; try again shortly", retry);
    case "in-doubt":
      return new Problem(
        "unavailable",
        "the event may or may not have been appended; repeating it with a key is safe",
        retry,
      );
    case "failed":
      return new Problem("internal-error", "internal error");
  }
}
