/** A fan-out that carries nothing at all: what arrives all the same was found by rechecks. */

import type { Fanout } from "../../src/fanout/fanout.ts";

export function createSeveredFanout(): Fanout {
  const counts = { carried: 0, dropped: 0, failed: 0, unreadable: 0, threw: 0 };
  return {
    publish: () => {},
    subscribe: () => () => {},
    status: () => ({ state: "reconnecting", since: 0, counts }),
    stop: async () => {},
  };
}
