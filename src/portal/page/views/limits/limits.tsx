/** What a tenant may do at most, and what it uses of that. */
import { useQuery } from "@tanstack/preact-query";
import type { ComponentChildren } from "preact";
import { api, read, type Schemas } from "../../api.ts";
import { Loading } from "../../parts/loading.tsx";
import { showCount, showMany } from "../../parts/number.ts";
import { Card, PageHead } from "../../parts/page.tsx";
import { ProblemNote } from "../../parts/problem.tsx";
import type { TenantView } from "../view.ts";
import "./limits.css";

/** What is left of a rate is over in a second, so it is asked for more often than other things. */
const everyMs = 2_000;

export const Limits: TenantView = ({ tenant }) => {
  const { data, error, refetch } = useQuery({
    queryKey: ["limits", tenant],
    queryFn: ({ signal }) => read(api.GET("/limits", { params: { query: { tenant } }, signal })),
    refetchInterval: everyMs,
  });
  return (
    <>
      <PageHead
        title="Limits"
        lead="Set by the operator of this gateway. Each process of it counts rates for itself."
      />
      <div class="stack">
        {error !== null && <ProblemNote error={error} retry={refetch} />}
        {data === undefined && error === null && <Loading />}
        {data !== undefined && <All {...data} />}
      </div>
    </>
  );
};

function All({ limits, use }: Schemas["LimitsInUse"]) {
  return (
    <>
      <Card title="What applies" flush>
        <ul class="limits">
          <Limit
            name="Appends"
            unit="events a second"
            limit={limits.appends_per_second}
            used={usedOf(use.appends)}
          >
            Beyond it events are refused with 429 <code>quota-exceeded</code>. What is refused is
            not stored: send it again after <code>Retry-After</code>.
          </Limit>
          <Limit
            name="Reads"
            unit="requests a second"
            limit={limits.reads_per_second}
            used={usedOf(use.reads)}
          >
            Pages, streams that open, and consumers. Beyond it requests are refused with 429{" "}
            <code>quota-exceeded</code> and <code>Retry-After</code>. Streams that are open go on.
          </Limit>
          <Limit name="Pushes" unit="attempts a second" limit={limits.pushes_per_second}>
            Nothing is refused here: attempts are paced, and what is beyond waits for its turn.
          </Limit>
          <Limit name="Endpoints" unit="endpoints" limit={limits.endpoints} used={use.endpoints}>
            Beyond it no further endpoint can be created. Those that there are stay.
          </Limit>
        </ul>
      </Card>
      <Card title="When a limit is reached">
        <div class="stack">
          <p>
            The answer is 429 with the problem <code>quota-exceeded</code>, which names the limit.{" "}
            <code>Retry-After</code> says in seconds when the same request would pass.
          </p>
          <p>
            Every answer that counts carries <code>RateLimit-Policy</code> and{" "}
            <code>RateLimit</code>, from which a program can see what is left before it is refused.
          </p>
          <p>If you need more, ask the platform that runs this gateway.</p>
        </div>
      </Card>
    </>
  );
}

function usedOf(rate: { limit: number; remaining: number } | null): number | undefined {
  return rate === null ? undefined : Math.max(0, rate.limit - rate.remaining);
}

/** From here on it deserves a look. */
const nearShare = 0.8;

function Limit(props: {
  name: string;
  unit: string;
  limit: number | null;
  /** Undefined where it is not told. */
  used?: number | undefined;
  children: ComponentChildren;
}) {
  const { name, unit, limit, used, children } = props;
  const share = limit === null || used === undefined ? undefined : Math.min(1, used / limit);
  return (
    <li>
      <div class="row apart">
        <h3>{name}</h3>
        <span>{wordsOf(limit, used, unit)}</span>
      </div>
      {share !== undefined && (
        <div class={`progress ${share >= nearShare ? "near" : ""}`} aria-hidden="true">
          <div style={{ width: `${share * 100}%` }} />
        </div>
      )}
      {limit !== null && <p class="soft">{children}</p>}
    </li>
  );
}

function wordsOf(limit: number | null, used: number | undefined, unit: string): string {
  const inUse = used === undefined ? "" : `${showCount(used)} of `;
  if (limit !== null) return `${inUse}${showCount(limit)} ${unit}`;
  return used === undefined
    ? "No limit"
    : `${showMany(used, unit.replace(/s\b/, ""), unit)}, no limit`;
}
