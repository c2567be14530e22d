/** How a receiver makes sure that a push comes from here, tried with one's own endpoint. */
import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { tenantAddresses, withSearch } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { Button, ButtonLink } from "../../parts/button.tsx";
import { Select } from "../../parts/field.tsx";
import { Loading } from "../../parts/loading.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import { Empty, ProblemNote } from "../../parts/problem.tsx";
import { useFilter } from "../../parts/filter.tsx";
import { useEndpoints, type EndpointView } from "../endpoints/queries.ts";
import { SecretText } from "../endpoints/secret-text.tsx";
import type { TenantView } from "../view.ts";
import { Checker } from "./checker.tsx";
import { Code } from "./code.tsx";
import { LastPush } from "./last-push.tsx";
import "../endpoints/endpoints.css";
import "./signatures.css";

export const Signatures: TenantView = ({ tenant }) => {
  const { data, error, refetch } = useEndpoints(tenant);
  const [asked, choose] = useFilter("endpoint", "");
  const [pasted, setPasted] = useState("");
  const endpoints = data?.endpoints ?? [];
  const endpoint = endpoints.find(({ id }) => id === asked) ?? endpoints[0];
  return (
    <>
      <PageHead
        title="Signatures"
        lead="Every push is signed, so that your receiver can tell it from what anybody else sends to the same URL. Verify it before you trust the body."
      />
      {error !== null && <ProblemNote error={error} retry={refetch} />}
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <div class="stack">
          <HowItWorks />
          {endpoint !== undefined && (
            <ForEndpoint
              key={endpoint.id}
              {...{ tenant, endpoint, endpoints, pasted, setPasted }}
              onChoose={choose}
            />
          )}
          {endpoint === undefined && <NoEndpoint tenant={tenant} />}
          {endpoint === undefined && (
            <Checker text={pasted} onText={setPasted} secret={undefined} />
          )}
        </div>
      )}
    </>
  );
};

function NoEndpoint({ tenant }: { tenant: string }) {
  return (
    <Card title="Your endpoint">
      <Empty title="There is none yet">
        With an <Link href={tenantAddresses(tenant).newEndpoint}>endpoint</Link> there is a secret,
        and code for your receiver here.
      </Empty>
    </Card>
  );
}

function HowItWorks() {
  return (
    <Card title="How a push is verified">
      <ol class="steps">
        <li>
          Take the body as it came, byte for byte, before anything parses it, and the headers{" "}
          <code>webhook-id</code>, <code>webhook-timestamp</code> and <code>webhook-signature</code>{" "}
          (those of Standard Webhooks).
        </li>
        <li>
          Refuse what was signed more than five minutes from now, so that nobody can send an old
          push again.
        </li>
        <li>
          Sign <code>id.timestamp.body</code> with the secret and compare, in constant time, with
          each signature in the header. One that fits is enough: while a secret is rotated there are
          several.
        </li>
        <li>Remember the id of the event: the same one may come more than once.</li>
      </ol>
    </Card>
  );
}

function ForEndpoint(props: {
  tenant: string;
  endpoint: EndpointView;
  endpoints: readonly EndpointView[];
  onChoose: (id: string) => void;
  pasted: string;
  setPasted: (text: string) => void;
}) {
  const { tenant, endpoint, endpoints, onChoose, pasted, setPasted } = props;
  // Kept by this component alone: another endpoint, or another page, and it is forgotten.
  const [secret, setSecret] = useState<string>();
  const own = tenantAddresses(tenant).endpoint(endpoint.id);
  const isShared = endpoint.signature === "v1";
  const reveal = async () => {
    const params = { path: { id: endpoint.id }, query: { tenant } };
    setSecret((await read(api.GET("/endpoints/{id}/secret", { params }))).secret);
  };
  return (
    <>
      <Card title="Your endpoint">
        <div class="stack">
          <Select
            label="Endpoint"
            value={endpoint.id}
            onValue={onChoose}
            options={endpoints.map(({ id, url, description }) => [
              id,
              description === null ? url : `${description} (${url})`,
            ])}
          />
          <p>
            Signed with{" "}
            {isShared
              ? "v1: HMAC-SHA256 and a shared secret."
              : "v1a: Ed25519. The receiver verifies with a public key."}
          </p>
          {secret === undefined ? (
            <div class="row">
              <Button onPress={reveal}>
                {isShared ? "Show the secret" : "Show the public key"}
              </Button>
              <ButtonLink look="quiet" to={withSearch(own, { tab: "secret" })}>
                Rotate it
              </ButtonLink>
            </div>
          ) : (
            <SecretText secret={secret} what={isShared ? "the secret" : "the public key"} />
          )}
        </div>
      </Card>
      <Code endpoint={endpoint} secret={secret} />
      <LastPush {...{ tenant, endpoint, secret }} onCheck={setPasted} />
      <Checker text={pasted} onText={setPasted} secret={secret} onReveal={reveal} />
    </>
  );
}
