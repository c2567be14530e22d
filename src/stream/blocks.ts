/**
 * The text of a stream (server-sent events, as the HTML standard has them).
 *
 * `id` is always the last field of its block: a connection may be cut anywhere, and a client that
 * took the cursor early would lose the event it stands behind.
 */
import { problemBody, type Problem } from "../problem.ts";

/** An event and the cursor that continues right after it. */
export function eventBlock(envelope: string, cursor: string): string {
  return `${dataField(envelope)}id: ${cursor}\n\n`;
}

/** The place the stream has come to, where no event that matched tells it. */
export function cursorBlock(cursor: string): string {
  return `event: cursor\ndata: {"cursor":"${cursor}"}\nid: ${cursor}\n\n`;
}

/** Why the stream ends here. It has no id: the client stays where it is. */
export function problemBlock(problem: Problem): string {
  return `event: problem\n${dataField(JSON.stringify(problemBody(problem)))}\n`;
}

/** Keeps proxies from closing a connection that is merely quiet. */
export const commentBlock = ":\n\n";

/** Opens a block: how long the client waits before it connects again. */
export function retryField(milliseconds: number): string {
  return `retry: ${milliseconds}\n`;
}

/**
 * Appends take line ends out of what they store. Should one have come in all the same, it must
 * not end the field, or a payload could forge a block.
 */
function dataField(text: string): string {
  const line = /[\r\n]/.test(text) ? text.replaceAll(/\r\n|[\r\n]/g, "\ndata: ") : text;
  return `data: ${line}\n`;
}
