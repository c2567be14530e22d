/** What a list shows of an event. Its data is left out: five hundred of them may be large. */
import type { FeedEvent } from "../../parts/events.ts";

export type EventRow = {
  readonly id: string;
  readonly sequence: number;
  readonly time: string;
  readonly type: string;
  readonly subject: string | undefined;
  /** Of the data; undefined where there is none. */
  readonly bytes: number | undefined;
};

const encoder = new TextEncoder();

export function rowOf({ id, sequence, time, type, subject, ...event }: FeedEvent): EventRow {
  const text = event.data === undefined ? event.data_base64 : JSON.stringify(event.data);
  const bytes = text === undefined ? undefined : encoder.encode(text).length;
  return { id, sequence: Number(sequence), time, type, subject, bytes };
}
