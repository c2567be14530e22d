/**
 * Hands out what follows the position of a named consumer, and takes what it acknowledges. Pages are
 * those of pull, so whoever reads twice without an acknowledgement between gets the same again.
 *
 * A page that was read before its consumer was put elsewhere is not shown, however long it waited:
 * it is read anew from there.
 */
import type { ServerResponse } from "node:http";
import {
  unknownConsumer,
  type Acked,
  type ConsumerStore,
  type NamedConsumer,
} from "../deliveries/consumers.ts";
import type { Marks } from "../feed/marks.ts";
import type { Tenant } from "../http/auth.ts";
import type { Start } from "../http/selection.ts";
import { sequenceText, type Sequence } from "../log/event.ts";
import { Problem } from "../problem.ts";
import type { Page, PageRequest, Pull } from "./pull.ts";
import type { Waits } from "./waits.ts";

/** Nothing tells who waits that somebody has put the consumer elsewhere. */
const lookAgainMs = 2_000;

export type ConsumerReader = ReturnType<typeof createConsumerReader>;

export function createConsumerReader(options: {
  consumers: Pick<ConsumerStore, "find" | "handOut" | "ack">;
  pull: Pull;
  marks: Marks;
  waits: Pick<Waits, "isStopped">;
}) {
  const { consumers, pull, marks, waits } = options;

  return { page, ack };

  /** Throws as `Pull.page` does. */
  async function page(
    name: string,
    request: Omit<PageRequest, "selection">,
    outgoing: ServerResponse,
  ): Promise<Page> {
    const deadline = performance.now() + request.waitMs;
    let consumer = await find(request.tenant, name);
    let start: Start = { kind: "position", position: consumer.position };
    for (;;) {
      const selection = { start, filter: consumer.filter, rebase: false };
      const waitMs = Math.max(0, Math.min(deadline - performance.now(), lookAgainMs));
      const found = await pull.page({ ...request, selection, waitMs }, outgoing);
      const isOver = performance.now() >= deadline || waits.isStopped();
      const mayWait = found.events === "" && !isOver;
      if (!mayWait && (await consumers.handOut(consumer, found.end.sequence))) return found;
      const now = await find(request.tenant, name);
      const isSame = now.generation === consumer.generation;
      start = { kind: "position", position: isSame ? found.end : now.position };
      consumer = now;
    }
  }

  /** Where it stands afterwards. */
  async function ack(tenant: Tenant, name: string, cursor: string): Promise<Sequence> {
    const consumer = await find(tenant, name);
    const selection = { start: { kind: "cursor", cursor }, filter: consumer.filter } as const;
    // Made for the filter that there was when the page was handed out.
    const { mark, filter } = await marks.start(tenant.id, { ...selection, rebase: true });
    if (mark.sequence > consumer.position.sequence) {
      const read = await marks.firstRead(tenant.id, mark)(mark, 1, 1);
      // A place that has expired, or that there is not yet, is found to be too far or is not.
      if (read.kind === "reset") throw await marks.refusal(tenant.id, filter, read);
    }
    return stands(await consumers.ack(consumer, mark), name);
  }

  async function find(tenant: Tenant, name: string): Promise<NamedConsumer> {
    const consumer = await consumers.find(tenant.id, name);
    if (consumer === undefined) throw unknownConsumer(name);
    return consumer;
  }
}

function stands(acked: Acked, name: string): Sequence {
  switch (acked.kind) {
    case "acked":
      return acked.position;
    case "ahead": {
      const handedOut = sequenceText(acked.handedOut);
      const detail = `events were handed out up to ${handedOut}, and the cursor lies beyond`;
      throw new Problem("ack-ahead", detail, { members: { handed_out: handedOut } });
    }
    case "gone":
      throw unknownConsumer(name);
  }
}
