/**
 * Makes events to append of what requests bring: finds the tenants that they name, holds the data
 * to the schemas of registered event types, and what each tenant sends to its limit.
 */
import { resolveTenant, type Directory, type Principal, type Tenant } from "../http/auth.ts";
import { quotaExceeded, type RateLimiter, type Taken } from "../http/rate-limit.ts";
import type { TenantId } from "../log/event.ts";
import type { NewEvent } from "../log/new-event.ts";
import { Problem } from "../problem.ts";
import { toNewEvent, type Item } from "./event.ts";
import type { EventTrace } from "./tracing.ts";

/** The schemas of registered event types, as this process knows them. */
export type EventTypes = {
  /** To be awaited before `check`; undefined when what is in memory is recent enough. */
  fresh(): Promise<void> | undefined;
  /** What the data of an event has against it; undefined stands for data that is no JSON. */
  check(type: string, data: unknown): readonly { pointer: string; detail: string }[];
};

/** An event, or why it cannot be appended, in the place of each item. */
export type Prepared = {
  readonly events: readonly (NewEvent | Problem)[];
  /** Those that its events belong to. */
  readonly tenants: ReadonlyMap<TenantId, Tenant>;
};

export type Preparation = ReturnType<typeof createPreparation>;

export function createPreparation(options: {
  directory: Directory;
  limiter: Pick<RateLimiter, "take">;
  eventTypes: EventTypes;
}) {
  const { directory, limiter, eventTypes } = options;

  return { toEvent, prepare, take, admit };

  /** Throws the caller's problem. `eventTypes` must be fresh. */
  function toEvent(tenant: Tenant, { input, content }: Item, trace: EventTrace): NewEvent {
    const event = toNewEvent(tenant, input, content, trace);
    const data = content.kind === "json" ? content.value : undefined;
    const errors = eventTypes.check(input.type, data);
    if (errors.length === 0) return event;
    throw new Problem("invalid", `the data is not as "${input.type}" was registered`, {
      members: { errors },
    });
  }

  /** An item that could not be read is its problem already. */
  async function prepare(
    principal: Principal,
    items: readonly (Item | Problem)[],
    trace: EventTrace,
  ): Promise<Prepared> {
    const found = await resolveTenants(principal, items);
    await eventTypes.fresh();
    const tenants = new Map<TenantId, Tenant>();
    const events = items.map((item) => {
      if (item instanceof Problem) return item;
      const tenant = found.get(item.tenant);
      if (tenant === undefined) throw new Error("a tenant was not looked up");
      if (tenant instanceof Problem) return tenant;
      tenants.set(tenant.id, tenant);
      try {
        return toEvent(tenant, item, trace);
      } catch (error) {
        return problemOrThrow(error);
      }
    });
    return { events, tenants };
  }

  /** Each name that a request calls its tenants by, looked up once. */
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

  function take(tenant: Tenant, events: number): Taken | undefined {
    return limiter.take(tenant, "appends", events);
  }

  /**
   * Takes the events from their tenants' limits; those of a tenant that has reached its limit
   * become problems. With the answer goes what a limit says, where it is one tenant's.
   */
  function admit({ events, tenants }: Prepared) {
    const counts = new Map<TenantId, number>();
    for (const event of events) {
      if (!(event instanceof Problem)) {
        counts.set(event.tenant, (counts.get(event.tenant) ?? 0) + 1);
      }
    }
    const told: Readonly<Record<string, string>>[] = [];
    const refused = new Map<TenantId, Problem>();
    for (const [id, count] of counts) {
      const tenant = tenants.get(id);
      const taken = tenant && take(tenant, count);
      if (tenant === undefined || taken === undefined) continue;
      told.push(taken.headers);
      if (!taken.allowed) refused.set(id, quotaExceeded(tenant, "appends", taken));
    }
    const admitted =
      refused.size === 0
        ? events
        : events.map((event) =>
            event instanceof Problem ? event : (refused.get(event.tenant) ?? event),
          );
    const headers = told.length === 1 ? (told[0] ?? {}) : {};
    return { events: admitted, headers, refused: [...refused.values()] };
  }
}

function problemOrThrow(error: unknown): Problem {
  if (error instanceof Problem) return error;
  throw error;
}
