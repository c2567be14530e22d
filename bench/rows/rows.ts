/** All rows, in the order of an event's journey. */
import { appendRows } from "./append.ts";
import { isolationRows } from "./isolation.ts";
import { latencyRows } from "./latency.ts";
import { fanOutRows, streamLatencyRows } from "./live.ts";
import { longPoll } from "./long-poll.ts";
import { pullDepth } from "./pull-depth.ts";
import { pullRows } from "./pull.ts";
import { pushManyRows } from "./push-many.ts";
import { pushRows } from "./push.ts";
import type { Row } from "./row.ts";
import { catchUp } from "./stream.ts";

export const allRows: readonly Row[] = [
  ...appendRows,
  ...pushRows,
  ...pushManyRows,
  ...pullRows,
  pullDepth,
  catchUp,
  ...fanOutRows,
  ...streamLatencyRows,
  ...latencyRows,
  longPoll,
  ...isolationRows,
];
