/** Large events, whole and unchanged at the other end. */
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { failureStage } from "../support/failures.ts";
import { report, secondsText, sized, type AppendedEvent } from "../support/failure-report.ts";
import { eventOf } from "../support/pushes.ts";

const { receiverThat, targetAt, client } = failureStage();

const count = sized(5, 1_000);

/** Many times what one takes on two idle cores. */
const testTimeoutMs = 60_000 + 1_000 * count;

/** A producer that waits for each answer would be most of the time. */
const appendsAtOnce = 4;

test.each([
  { mode: "payloads of 200 KB", bytes: 200_000 },
  { mode: "payloads of 1 MB", bytes: 1_000_000 },
] as const)(
  `${count} $mode arrive byte for byte as they are stored`,
  { timeout: testTimeoutMs },
  async ({ mode, bytes }) => {
    const arrived = new Map<string, string>();
    // A thousand of them would be a gigabyte here.
    const receiver = await receiverThat(
      (request) => {
        arrived.set(eventOf(request), digest(request.body));
        return { kind: "answer" };
      },
      { keepBodies: false },
    );
    const target = await targetAt(receiver.url, { timeout_ms: 30_000 });
    const startedAt = performance.now();
    const events: AppendedEvent[] = [];
    let begun = 0;
    await Promise.all(Array.from({ length: appendsAtOnce }, produce));
    await target.settled(events, testTimeoutMs);
    const tookMs = performance.now() - startedAt;
    let same = 0;
    for (const { id } of events) {
      if (arrived.get(id) === digest(await client().bytes(`/events/${id}`))) same += 1;
    }
    expect(same).toBe(count);
    const measured = await target.measure(events, receiver);
    expect(measured).toMatchObject({ delivered: count, dead: 0, lost: 0 });
    report(mode, measured, `in ${secondsText(tookMs)}`, `${same} bodies as stored`);

    async function produce(): Promise<void> {
      while (begun < count) {
        begun += 1;
        events.push(await target.append(textOf(bytes)));
      }
    }
  },
);

/** JSON text of this length, different each time. */
function textOf(bytes: number): string {
  return randomBytes(bytes / 2).toString("hex");
}

function digest(body: Buffer): string {
  return createHash("sha256").update(body).digest("base64");
}
