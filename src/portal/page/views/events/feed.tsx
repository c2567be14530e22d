/** A tenant's events: as they come, or from some place in the log on. */
import { useMemo } from "preact/hooks";
import { Button } from "../../parts/button.tsx";
import { Select, TextField } from "../../parts/field.tsx";
import { FilterText, typesFault, useFilter } from "../../parts/filter.tsx";
import { PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";
import "./events.css";
import { LiveFeed } from "./live-feed.tsx";
import { PastFeed } from "./past-feed.tsx";
import { selectionOf } from "./selection.ts";

const hourMs = 3_600_000;

export const Feed: TenantView = ({ tenant }) => {
  const [types, setTypes] = useFilter("types");
  const [subjects, setSubjects] = useFilter("subjects");
  const [from, setFrom] = useFilter("from", "now");
  const selection = useMemo(() => selectionOf(types, subjects), [types, subjects]);
  const isFiltered = types !== "" || subjects !== "";
  // Each selection and each start is another feed.
  const key = JSON.stringify([tenant, types, subjects, from]);
  return (
    <>
      <PageHead title="Events" lead="All that was appended, in the order in which it was." />
      <div class="stack">
        <div class="filters">
          <StartChoice from={from} onFrom={setFrom} />
          <FilterText
            label="Types"
            placeholder="order.*, invoice.paid"
            value={types}
            onValue={setTypes}
            fault={typesFault}
          />
          <FilterText
            label="Subjects"
            placeholder="order_1042"
            value={subjects}
            onValue={setSubjects}
          />
          {isFiltered && (
            <Button
              look="quiet"
              onPress={() => {
                setTypes("");
                setSubjects("");
              }}
            >
              Clear filters
            </Button>
          )}
        </div>
        {from === "now" ? (
          <LiveFeed {...{ key, tenant, selection, isFiltered }} onPast={() => setFrom("1h")} />
        ) : (
          <PastFeed
            {...{ key, tenant, selection, isFiltered, from }}
            onLive={() => setFrom("now")}
          />
        )}
      </div>
    </>
  );
};

const starts = [
  ["now", "Now, as they come"],
  ["1h", "The last hour"],
  ["time", "A time"],
  ["earliest", "The oldest event"],
] as const;

function StartChoice({ from, onFrom }: { from: string; onFrom: (from: string) => void }) {
  const isTime = !starts.some(([start]) => start === from);
  const choose = (start: string) =>
    onFrom(start === "time" ? new Date(Date.now() - hourMs).toISOString() : start);
  return (
    <>
      <Select label="Show from" value={isTime ? "time" : from} onValue={choose} options={starts} />
      {isTime && (
        <TextField
          label="Appended at or after"
          type="datetime-local"
          value={localText(from)}
          onValue={(text) => {
            const ms = Date.parse(text);
            if (!Number.isNaN(ms)) onFrom(new Date(ms).toISOString());
          }}
        />
      )}
    </>
  );
}

/** As such a field has it: local, without a zone. */
function localText(time: string): string {
  const moment = new Date(time);
  const ms = moment.getTime();
  if (Number.isNaN(ms)) return "";
  return new Date(ms - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
