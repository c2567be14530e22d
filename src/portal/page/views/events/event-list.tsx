/** Events, one a line, each of which opens to its data. */
import { memo } from "preact/compat";
import { useState } from "preact/hooks";
import { tenantAddresses } from "../../addresses.ts";
import { ButtonLink } from "../../parts/button.tsx";
import { showBytes, showCount } from "../../parts/number.ts";
import { showExact } from "../../parts/time.tsx";
import { clockText } from "./clock.ts";
import { EventText } from "./event-text.tsx";
import type { EventRow } from "./row.ts";

export function EventList(props: {
  tenant: string;
  rows: readonly EventRow[];
  caption: string;
  onOpen?: () => void;
}) {
  const { tenant, rows, caption, onOpen } = props;
  return (
    <>
      <div class="event-line event-names" aria-hidden="true">
        <span>Sequence</span>
        <span>Time</span>
        <span>Type</span>
        <span>Subject</span>
        <span class="bytes">Size</span>
      </div>
      <ol class="event-list" aria-label={caption}>
        {rows.map((row) => (
          <Row key={row.id} tenant={tenant} row={row} onOpen={onOpen} />
        ))}
      </ol>
    </>
  );
}

type RowProps = { tenant: string; row: EventRow; onOpen: (() => void) | undefined };

/** Rows never change, so of a list that does only the new ones cost anything. */
const Row = memo(({ tenant, row, onOpen }: RowProps) => {
  const [isOpen, setOpen] = useState(false);
  const { id, sequence, time, type, subject, bytes } = row;
  const toggle = () => {
    if (!isOpen) onOpen?.();
    setOpen(!isOpen);
  };
  return (
    <li>
      <button type="button" class="event-line" aria-expanded={isOpen} onClick={toggle}>
        <span class="sequence">{showCount(sequence)}</span>
        <time dateTime={time} title={showExact(time)}>
          {clockText(time)}
        </time>
        <span class="type">{type}</span>
        <bdi class="truncate subject">{subject ?? ""}</bdi>
        <span class="bytes">{bytes === undefined ? "no data" : showBytes(bytes)}</span>
      </button>
      {isOpen && (
        <div class="event-open">
          <EventText tenant={tenant} id={id}>
            <ButtonLink small to={tenantAddresses(tenant).event(id)}>
              What happened to this event
            </ButtonLink>
          </EventText>
        </div>
      )}
    </li>
  );
});
