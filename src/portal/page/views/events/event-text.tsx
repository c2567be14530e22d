/** An event's text exactly as it is stored and sent: its data, or the whole envelope. */
import { useQuery } from "@tanstack/preact-query";
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { readText } from "../../api.ts";
import { withSearch } from "../../addresses.ts";
import { Button } from "../../parts/button.tsx";
import { JsonBlock } from "../../parts/json.tsx";
import { Loading } from "../../parts/loading.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import { memberText } from "./member-text.ts";

/** Events never change: what was read once stays. */
export function useEventText(tenant: string, id: string) {
  return useQuery({
    queryKey: ["event-text", tenant, id],
    queryFn: ({ signal }) =>
      readText(withSearch(`/events/${encodeURIComponent(id)}`, { tenant }), signal),
    staleTime: Infinity,
  });
}

export function EventText(props: {
  tenant: string;
  id: string;
  /** Beside the button that changes what is shown. */
  children?: ComponentChildren;
}) {
  const { tenant, id, children } = props;
  const { data: text, error, refetch } = useEventText(tenant, id);
  const [isWhole, setWhole] = useState(false);
  const data = useMemo(() => (text === undefined ? undefined : dataOf(text)), [text]);
  if (text === undefined) {
    return error === null ? <Loading /> : <ProblemNote error={error} retry={refetch} />;
  }
  return (
    <div class="event-text">
      {isWhole && <JsonBlock text={text} what="the whole event" />}
      {!isWhole && data === undefined && <p class="soft">This event has no data.</p>}
      {!isWhole && data !== undefined && <JsonBlock text={data} what="the event's data" />}
      <div class="row">
        <Button small onPress={() => setWhole(!isWhole)}>
          {isWhole ? "Show only its data" : "Show the whole envelope"}
        </Button>
        {children}
      </div>
    </div>
  );
}

function dataOf(text: string): string | undefined {
  return memberText(text, "data") ?? memberText(text, "data_base64");
}
