/** Asks whether chosen deliveries are to be made again, does it, and tells what came of it. */
import { useQueryClient } from "@tanstack/preact-query";
import { useEffect, useMemo, useState } from "preact/hooks";
import { tenantAddresses } from "../../addresses.ts";
import { Button, ButtonLink } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { showCount } from "../../parts/number.ts";
import { Progress } from "../../parts/progress.tsx";
import { replayEach, type Results } from "./replay-each.ts";

export function ReplaySelected(props: {
  tenant: string;
  ids: readonly string[];
  onClose: () => void;
}) {
  const { tenant, ids, onClose } = props;
  const queries = useQueryClient();
  const [results, setResults] = useState<Results>();
  const [isOver, setOver] = useState(false);
  const stop = useMemo(() => new AbortController(), []);
  useEffect(() => () => stop.abort(), [stop]);
  const what = ids.length === 1 ? "1 delivery" : `${showCount(ids.length)} deliveries`;

  const start = async () => {
    setResults({ sent: 0, refused: new Map() });
    await replayEach(tenant, ids, { signal: stop.signal, progress: setResults });
    setOver(true);
    await queries.invalidateQueries({ queryKey: ["deliveries", tenant] });
    await queries.invalidateQueries({ queryKey: ["replays", tenant] });
  };
  return (
    <Dialog
      title={`Replay ${what}`}
      onClose={onClose}
      closeText={closeText(results, isOver)}
      actions={
        isOver ? (
          <ButtonLink look="main" to={tenantAddresses(tenant).replays}>
            See the replays
          </ButtonLink>
        ) : (
          results === undefined && (
            <Button look="main" onPress={start}>
              Replay {what}
            </Button>
          )
        )
      }
    >
      {results === undefined ? <Explained /> : <Told {...{ results, isOver }} of={ids.length} />}
    </Dialog>
  );
}

function closeText(results: Results | undefined, isOver: boolean): string {
  if (results === undefined) return "Cancel";
  return isOver ? "Close" : "Stop";
}

function Explained() {
  return (
    <p>
      Each is sent once more to its endpoint, whatever became of it before: the same bytes and the
      same webhook-id, with the header tidegate-replay. A receiver that discards repeats by
      webhook-id takes none twice. New events go first.
    </p>
  );
}

function Told({ results, of, isOver }: { results: Results; of: number; isOver: boolean }) {
  const refused = [...results.refused];
  const refusedCount = refused.reduce((sum, [, count]) => sum + count, 0);
  const done = results.sent + refusedCount;
  const words = `${showCount(done)} of ${showCount(of)}`;
  return (
    <>
      {!isOver && <Progress name="Replays asked for" share={done / of} words={words} />}
      <p role="status">
        {isOver ? `${showCount(results.sent)} of ${showCount(of)} replays were started` : words}
        {refusedCount > 0 ? `, ${showCount(refusedCount)} refused:` : "."}
      </p>
      {refused.length > 0 && (
        <ul class="stack">
          {refused.map(([why, count]) => (
            <li key={why}>
              {showCount(count)}: <bdi>{why}</bdi>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
