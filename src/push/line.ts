/**
 * Lanes that may have something to give, in the order of their turns: tenants take turns, and
 * within a tenant its lanes do. So neither an endpoint nor a tenant with a great deal to send holds
 * back the others.
 */
import type { TenantId } from "../log/event.ts";
import type { Delivery, Lane } from "./lane.ts";
import { createRounds, type Rounds } from "./rounds.ts";

/**
 * A delivery takes a slot for every so many bytes of its event, so that slots bound the memory of
 * what is under way too, and turns are turns of bytes: 1,024 slots are 128 MiB.
 */
const slotBytes = 128 << 10;

export function slotsOf({ event }: Delivery): number {
  return Math.max(1, Math.ceil(event.envelope.length / slotBytes));
}

/** `belongs` tells whether a lane still stands in the right line; `moved` is given those that do not. */
export function createLine(options: {
  belongs: (lane: Lane) => boolean;
  moved: (lane: Lane) => void;
}) {
  const { belongs, moved } = options;
  const tenants = createRounds<TenantId>();
  const lanes = new Map<TenantId, Rounds<Lane>>();
  /** An empty one, for whoever comes next: a tenant that keeps up comes and goes with each event. */
  let spare: Rounds<Lane> | undefined;

  return {
    add,
    next,
    takeOut,
    isEmpty: () => lanes.size === 0,
    all: () => [...lanes.values()].flatMap((own) => own.all()),
  };

  function add(lane: Lane): void {
    const { tenant } = lane.endpoint;
    let own = lanes.get(tenant);
    if (own === undefined) {
      lanes.set(tenant, (own = spare ?? createRounds()));
      spare = undefined;
      tenants.add(tenant);
    }
    own.add(lane);
  }

  /** The next delivery of a tenant that may begin one. */
  function next(mayBegin: (tenant: TenantId) => boolean): Delivery | undefined {
    for (;;) {
      const tenant = tenants.next(mayBegin);
      const own = tenant === undefined ? undefined : lanes.get(tenant);
      if (tenant === undefined || own === undefined) return undefined;
      const lane = own.next();
      if (lane === undefined) {
        takeOut(tenant);
        spare = own;
        continue;
      }
      const delivery = takeFrom(lane, own);
      if (delivery === undefined) continue;
      tenants.charge(tenant, slotsOf(delivery));
      return delivery;
    }
  }

  function takeFrom(lane: Lane, own: Rounds<Lane>): Delivery | undefined {
    if (!belongs(lane)) {
      own.delete(lane);
      moved(lane);
      return undefined;
    }
    // Before it is asked, since it may say meanwhile that it is ready.
    own.delete(lane);
    const delivery = lane.take();
    if (delivery !== undefined) own.charge(lane, slotsOf(delivery));
    return delivery;
  }

  /** Its lanes, which do not stand here any more. */
  function takeOut(tenant: TenantId): Lane[] {
    const own = lanes.get(tenant);
    lanes.delete(tenant);
    tenants.delete(tenant);
    return own?.all() ?? [];
  }
}
