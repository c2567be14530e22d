/**
 * The turns of the events of one subject: which subjects have one of the log under way, and what an
 * outcome means for those behind it.
 *
 * Where order is kept, an event that was accepted is not over before that is written: a receipt may
 * have said that it failed, and only the database knows of all. An endpoint that never had one does
 * not wait for that.
 */
import type { DeliveryRecord, SubjectMove } from "../deliveries/ledger.ts";
import type { LogEvent } from "../log/event.ts";
import type { Next } from "./delivery.ts";
import type { Endpoint } from "./endpoints.ts";
import { moveTo, type Subjects } from "./subjects.ts";

export function createTurns(options: {
  ordering: Endpoint["ordering"];
  /** Of one subject one at a time. */
  bySubject: boolean;
  subjects: Subjects;
  /** Whether its endpoint has had receipts, as far as is known. */
  hasReceipts: () => boolean;
  /** Lets go of what was read ahead of a subject. */
  remove: (isOf: (event: LogEvent) => boolean) => void;
  write: (move: SubjectMove) => void;
}) {
  const { ordering, bySubject, subjects, hasReceipts, remove, write } = options;
  /** Subjects with an event of the log under way. */
  const busy = new Set<string>();

  return { begin, end, isFree, isUnsure, moveOf, decided };

  function begin({ subject }: LogEvent): void {
    if (bySubject && subject !== null) busy.add(subject);
  }

  function end({ subject }: LogEvent): void {
    if (subject !== null) busy.delete(subject);
  }

  function isFree({ subject }: LogEvent): boolean {
    return subject === null || !busy.has(subject);
  }

  /** Nothing goes on behind it before it is written: what `decided` is to be told of. */
  function isUnsure({ event }: Next, { kind }: DeliveryRecord): boolean {
    if (kind !== "delivered" || !hasReceipts()) return false;
    return ordering !== "parallel" || subjects.isAhead(event);
  }

  /** What is written together with the outcome. `joins`: it is a retry now. */
  function moveOf(sent: Next, joins: boolean, unsure: boolean): SubjectMove | undefined {
    const { event, source } = sent;
    const { subject } = event;
    if (subject === null) return undefined;
    if (source !== "log") {
      if (!subjects.isAhead(event)) return undefined;
      // Which is not written where a receipt says otherwise.
      return unsure ? moveTo(subject, event) : subjects.settle(sent, joins);
    }
    if (unsure) return undefined;
    end(event);
    return bySubject && joins ? block(subject, sent) : undefined;
  }

  /** The outcome is written. `isRevived`: a receipt has made a retry of what was accepted. */
  function decided(sent: Next, wasUnsure: boolean, isRevived: boolean): void {
    const { event, source } = sent;
    const { subject } = event;
    if (subject === null) return;
    if (source !== "log") {
      if (wasUnsure && subjects.isAhead(event)) subjects.settle(sent, isRevived);
      return;
    }
    if (wasUnsure) end(event);
    // The endpoint's first receipt may have come unheard, and the subject gone on.
    if (!isRevived || !bySubject || !isFree(event) || subjects.isBlocked(subject)) return;
    write(block(subject, sent));
  }

  function block(subject: string, sent: Next): SubjectMove {
    remove((other) => other.subject === subject);
    return subjects.block(subject, sent);
  }
}
