/** What happens when a push fails, with the schedule told in words. */
import { Checkbox, errorAt, Select, TextField } from "../../parts/field.tsx";
import { showDuration } from "../../parts/time.tsx";
import { durationMs, splitSchedule } from "./durations.ts";
import type { FieldsProps, Form } from "./form.ts";

/** Where somebody begins who wants another one. */
const startingSchedule = "5s, 15s, 1m, 5m, 30m, 2h";

export function RetryFields({ form, onForm, error }: FieldsProps) {
  const set = (part: Partial<Form>) => onForm({ ...form, ...part });
  const keepsOrder = form.ordering !== "parallel";
  return (
    <>
      <Select
        label="Retries"
        value={form.retries}
        onValue={(retries) =>
          set({
            retries: retries as Form["retries"],
            ...(form.schedule === "" && { schedule: startingSchedule }),
          })
        }
        options={[
          ["default", "The gateway's schedule (default)"],
          ["own", "A schedule of its own"],
          ["none", "None: a failed event is a dead letter at once"],
        ]}
        hint={
          form.retries === "default"
            ? "Unless your platform has set another one: 11 retries over 3 days, after 5 s, 15 s, 1 min, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h."
            : undefined
        }
        error={form.retries === "own" ? undefined : errorAt(error, "/retry_schedule")}
      />
      {form.retries === "own" && (
        <TextField
          label="Schedule"
          mono
          value={form.schedule}
          onValue={(schedule) => set({ schedule })}
          hint={scheduleInWords(splitSchedule(form.schedule))}
          error={errorAt(error, "/retry_schedule")}
        />
      )}
      {form.retries !== "none" && (
        <TextField
          label="Give up after"
          value={form.giveUpAfter}
          onValue={(giveUpAfter) => set({ giveUpAfter })}
          placeholder="When the schedule ends"
          hint="Such as 36h: no retry is made later than this after the first attempt, whatever the schedule has left."
          error={errorAt(error, "/give_up_after")}
        />
      )}
      <Checkbox
        label="Try dead letters of an outage again"
        checked={form.drain && !keepsOrder}
        onValue={(drain) => set({ drain })}
        hint={
          keepsOrder
            ? "Never done where the order is kept."
            : "When the receiver is back, events that died while it was down are tried once more. Default: yes."
        }
      />
    </>
  );
}

/** `Tried again after 5 s, 1 min and 2 h: 3 retries within 2 h 1 min, …` */
function scheduleInWords(delays: readonly string[]): string {
  if (delays.length === 0) return "Delays between commas, from 1s to 24h, such as 5s, 1m, 2h.";
  const waits = delays.map(durationMs);
  const wrong = delays.find((_, at) => waits[at] === undefined);
  if (wrong !== undefined) return `“${wrong}” is no duration: write 90s, 5m or 2h.`;
  const known = waits.map((wait) => wait ?? 0);
  const total = known.reduce((sum, wait) => sum + wait, 0);
  const list = new Intl.ListFormat("en").format(known.map(showDurationShort));
  const count = delays.length === 1 ? "1 retry" : `${delays.length} retries`;
  return `Tried again after ${list}: ${count} within ${showDuration(total)}, then a dead letter. Each delay is a random part of what stands here, so that retries do not come all at once.`;
}

/** `5 s`, where a measured duration would read `5.0 s`. */
function showDurationShort(ms: number): string {
  return ms < 60_000 ? `${ms / 1_000} s` : showDuration(ms);
}
