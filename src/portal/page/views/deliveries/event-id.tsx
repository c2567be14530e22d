/** An event's id in a table: its day and its end, as what is between is the same for a tenant. */
const dayLength = "evt_2026-11-23".length;
const endLength = 10;

export function EventId({ id }: { id: string }) {
  return (
    <div class="mono faint small once" title={id}>
      {id.slice(0, dayLength)}…{id.slice(-endLength)}
    </div>
  );
}
