/** What the demo shows: how far it has come, and what came of it. */
import type { Consumer, Ledger } from "./ledger.ts";

/** Often enough for eyes, and for logs that somebody scrolls through. */
const terminalEveryMs = 200;
const linesEveryMs = 3_000;

const nameWidth = 30;
const numberWidth = 9;

/** Shows one line that changes on a terminal, and a line now and then elsewhere. */
export function startProgress(ledger: Ledger, startedAt: number): { stop(): void } {
  const { isTTY, columns } = process.stdout;
  const ticking = setInterval(show, isTTY ? terminalEveryMs : linesEveryMs);
  return { stop };

  function show(): void {
    const line = progressLine(ledger, performance.now() - startedAt);
    // A line that wraps could not be taken back.
    const shown = isTTY ? `\r\u001b[2K${line.slice(0, columns - 1)}` : `${line}\n`;
    process.stdout.write(shown);
  }

  function stop(): void {
    clearInterval(ticking);
    show();
    if (isTTY) process.stdout.write("\n");
  }
}

/** Short enough for 80 columns. */
export function progressLine(ledger: Ledger, elapsedMs: number): string {
  const { counts, took } = ledger;
  const parts = [
    `appended ${counts.appended}`,
    `pushed ${took("steady")}+${took("flaky")}`,
    `retried ${counts.retried}`,
    `polled ${took("poller")}`,
    `streamed ${took("stream")}`,
  ];
  return `${(elapsedMs / 1_000).toFixed(0).padStart(3)} s  ${parts.join("  ")}`;
}

/** One row per way to the consumer; lost is what did not come, whatever the reason. */
export function resultTable(ledger: Ledger): string {
  const { counts, expected } = ledger;
  const answers = `${count(counts.refused)} answered 500, ${count(counts.hung)} left hanging`;
  const cuts = `${count(counts.cuts)} cuts, ${count(counts.cutsInside)} within an event`;
  const rows = [
    row("", "events", "lost", "duplicates", ""),
    row("appended", count(counts.appended), "", "", ""),
    consumerRow("pushed, steady receivers", "steady", "every signature verified"),
    consumerRow("pushed, flaky receivers", "flaky", answers),
    row("  of these pushes, retried", count(counts.retried), "", "", "each after about 1 s"),
    consumerRow("polled", "poller", `${count(counts.pages)} pages, in order`),
    consumerRow("streamed", "stream", `${cuts}, in order`),
  ];
  return rows.join("\n");

  function consumerRow(name: string, consumer: Consumer, note: string): string {
    const taken = ledger.took(consumer);
    const duplicates = ledger.duplicates(consumer);
    return row(name, count(taken), count(expected - taken), count(duplicates), note);
  }
}

export function count(number: number): string {
  return number.toLocaleString("en-US");
}

function row(name: string, events: string, lost: string, duplicates: string, note: string): string {
  const numbers = events.padStart(numberWidth) + lost.padStart(numberWidth);
  return `  ${name.padEnd(nameWidth)}${numbers}${duplicates.padStart(13)}   ${note}`.trimEnd();
}
