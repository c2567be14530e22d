/**
 * The last push of an endpoint as its receiver saw it. The gateway keeps no signatures; with a
 * shared secret at hand it is made again here, over the same bytes.
 */
import { useQuery } from "@tanstack/preact-query";
import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { sign } from "../../../../client/verify.ts";
import { tenantAddresses, withSearch } from "../../addresses.ts";
import { api, read, readText } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { TextBlock } from "../../parts/json.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { Ago } from "../../parts/time.tsx";
import type { EndpointView } from "../endpoints/queries.ts";
import { headerLines } from "../endpoints/test-push.tsx";

type Props = {
  tenant: string;
  endpoint: EndpointView;
  secret: string | undefined;
  onCheck: (request: string) => void;
};

type Push = {
  readonly delivery: string;
  readonly at: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export function LastPush({ tenant, endpoint, secret, onCheck }: Props) {
  const { data, error, refetch } = useQuery({
    queryKey: ["deliveries", tenant, { endpoint: endpoint.id, last: "request" }],
    queryFn: ({ signal }) => readLast(tenant, endpoint.id, signal),
  });
  return (
    <Card title="Its last push">
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data === null && (
        <Empty title="Nothing was pushed yet">
          Send a test event <Link href={tenantAddresses(tenant).endpoint(endpoint.id)}>there</Link>,
          and look at what your receiver gets.
        </Empty>
      )}
      {data !== undefined && data !== null && (
        <Shown push={data} {...{ tenant, endpoint, secret, onCheck }} />
      )}
    </Card>
  );
}

function Shown({ push, tenant, endpoint, secret, onCheck }: Props & { push: Push }) {
  const signature = useSignature(push, endpoint.signature === "v1" ? secret : undefined);
  const headers = {
    ...push.headers,
    ...(signature !== undefined && { "webhook-signature": signature }),
  };
  const request = `POST ${pathOf(endpoint.url)} HTTP/1.1\n${headerLines(headers)}\n\n${push.body}`;
  return (
    <div class="stack">
      <p>
        <Link href={tenantAddresses(tenant).delivery(push.delivery)}>This delivery</Link>, attempted{" "}
        <Ago at={push.at} />. {wordsOf(endpoint, signature)}
      </p>
      <TextBlock text={request} what="the request" />
      {signature !== undefined && (
        <div>
          <Button onPress={() => onCheck(request)}>Check it below</Button>
        </div>
      )}
    </div>
  );
}

function wordsOf({ signature }: EndpointView, made: string | undefined): string {
  if (signature === "v1a") {
    return "The gateway keeps no signatures, and only its private key could make this one again.";
  }
  return made === undefined
    ? "The gateway keeps no signatures: show the secret above, and it is made again here."
    : "The gateway keeps no signatures; this one was made in your browser, with the secret of now.";
}

/** As the gateway made it for this attempt, if the secret was this one. */
function useSignature(push: Push, secret: string | undefined): string | undefined {
  const [signature, setSignature] = useState<string>();
  const id = push.headers["webhook-id"] ?? "";
  const timestamp = Number(push.headers["webhook-timestamp"]);
  useEffect(() => {
    let isWanted = true;
    setSignature(undefined);
    if (secret === undefined) return undefined;
    sign(secret, id, push.body, { now: timestamp * 1_000 }).then(
      (signed) => isWanted && setSignature(signed["webhook-signature"]),
      // A page without https has no cryptography; the push is shown without a signature.
      () => isWanted && setSignature(undefined),
    );
    return () => {
      isWanted = false;
    };
  }, [secret, id, timestamp, push.body]);
  return signature;
}

/** Null where there is none, or what it pushed is not kept any more. */
async function readLast(tenant: string, endpoint: string, signal: AbortSignal) {
  const params = { path: { id: endpoint }, query: { tenant, limit: 1 } };
  const page = await read(api.GET("/endpoints/{id}/deliveries", { params, signal }));
  const [newest] = page.deliveries;
  if (newest === undefined) return null;
  const one = { path: { id: newest.id }, query: { tenant } };
  const { event, attempt_log: attempts } = await read(
    api.GET("/deliveries/{id}", { params: one, signal }),
  );
  const attempt = attempts.at(-1);
  if (attempt === undefined || attempt.request === null) return null;
  // As text: these are the bytes that were sent.
  const path = withSearch(`/events/${encodeURIComponent(event.id)}`, { tenant });
  const body = await readText(path, signal);
  const { headers } = attempt.request;
  return { delivery: newest.id, at: attempt.at, headers, body } satisfies Push;
}

function pathOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? "/" : parsed.pathname + parsed.search;
}
