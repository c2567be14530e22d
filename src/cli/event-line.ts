/** An event as a line for people. */
import type { TidegateEvent } from "../client/event.ts";
import { dataText } from "./exact-text.ts";
import type { Terminal } from "./terminal.ts";

/** `text` is the event's own. */
export function eventLine(terminal: Terminal, event: TidegateEvent, text: string): string {
  const { time, sequence, type, subject } = event;
  return [
    terminal.paint("dim", time.replace("T", " ").slice(0, "2026-11-23 12:00:00.000".length)),
    terminal.paint("dim", `#${Number(sequence)}`),
    terminal.paint("cyan", type),
    ...(subject === undefined ? [] : [terminal.paint("yellow", subject)]),
    dataText(text),
  ].join("  ");
}
