/** All rows, in the order of an event's journey. */
import { appendBatch, appendSingle } from "./append.ts";
import { appendToWebhook } from "./latency.ts";
import { pull } from "./pull.ts";
import { push } from "./push.ts";
import type { Row } from "./row.ts";
import { catchUp, fanOut } from "./stream.ts";

export const allRows: readonly Row[] = [
  appendSingle,
  appendBatch,
  push,
  pull,
  catchUp,
  fanOut,
  appendToWebhook,
];
