/** The attempts to come, as the portal's page of a delivery shows them. */
import { expect, test } from "vitest";
import {
  giveUpTime,
  parseSpan,
  plannedAttempts,
} from "../../src/portal/page/views/deliveries/schedule.ts";

const schedule = ["5s", "1m", "2h"];
const at = (seconds: number) => new Date(seconds * 1_000).toISOString();

/** Failed once at 0, and due again at second 4. */
const retrying = {
  status: "retrying",
  attempts: 1,
  first_attempt_at: at(0),
  next_attempt_at: at(4),
} as const;

test("later attempts may come from a second to their whole delay after the one before", () => {
  const planned = plannedAttempts(retrying, schedule, { giveUpAfter: null, from: 0 });
  expect(planned).toEqual([
    { attempt: 2, earliest: 4_000, latest: 4_000, beyond: "no" },
    { attempt: 3, earliest: 5_000, latest: 64_000, beyond: "no" },
    { attempt: 4, earliest: 6_000, latest: 7_264_000, beyond: "no" },
  ]);
});

test("what was due is attempted when something can be again", () => {
  const [next] = plannedAttempts(retrying, schedule, { giveUpAfter: null, from: 90_000 });
  expect(next).toEqual({ attempt: 2, earliest: 90_000, latest: 90_000, beyond: "no" });
});

test("no attempt is promised beyond the time at which the endpoint gives up", () => {
  const planned = plannedAttempts(retrying, schedule, { giveUpAfter: "1m", from: 0 });
  expect(planned.map(({ beyond }) => beyond)).toEqual(["no", "perhaps", "perhaps"]);
  const late = plannedAttempts(retrying, schedule, { giveUpAfter: "1m", from: 61_000 });
  expect(late.map(({ beyond }) => beyond)).toEqual(["yes", "yes", "yes"]);
});

test("the last attempt of a schedule has none after it", () => {
  const last = { ...retrying, attempts: 3 };
  expect(plannedAttempts(last, schedule, { giveUpAfter: null, from: 0 })).toHaveLength(1);
});

test.each(["delivered", "dead", "awaiting_receipt", "settled"] as const)(
  "nothing is planned for a delivery that is %s",
  (status) => {
    const delivery = { ...retrying, status };
    expect(plannedAttempts(delivery, schedule, { giveUpAfter: null, from: 0 })).toEqual([]);
  },
);

test("durations are read in seconds, minutes, hours and days", () => {
  expect(["5s", "3m", "2h", "1d"].map(parseSpan)).toEqual([5_000, 180_000, 7_200_000, 86_400_000]);
  expect(giveUpTime({ first_attempt_at: at(10) }, "1m")).toBe(70_000);
  expect(giveUpTime({ first_attempt_at: null }, "1m")).toBeUndefined();
});
