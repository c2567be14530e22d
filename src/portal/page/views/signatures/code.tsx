/** Code for a receiver, in one language at a time; which one stands in the address. */
import { Card } from "../../parts/page.tsx";
import { TextBlock } from "../../parts/json.tsx";
import { useFilter } from "../../parts/filter.tsx";
import type { EndpointView } from "../endpoints/queries.ts";
import { samples } from "./samples.ts";

export function Code({ endpoint, secret }: { endpoint: EndpointView; secret: string | undefined }) {
  const [language, choose] = useFilter("lang", "node");
  const sample = samples.find(({ id }) => id === language) ?? samples[0];
  if (sample === undefined) return null;
  const isShared = endpoint.signature === "v1";
  const code = isShared ? sample.code : sample.v1a;
  return (
    <Card title="In your receiver">
      <div class="stack">
        <div class="row" role="group" aria-label="Language">
          {samples.map(({ id, name }) => (
            <button
              key={id}
              type="button"
              class="button small choice"
              aria-pressed={id === sample.id}
              onClick={() => choose(id)}
            >
              {name}
            </button>
          ))}
        </div>
        <p>
          {isShared ? "The secret" : "The public key"} belongs into the receiver's environment, not
          into its code:
        </p>
        <TextBlock
          text={`export TIDEGATE_SECRET='${secret ?? (isShared ? "whsec_…" : "whpk_…")}'`}
          what="the command that sets the secret"
        />
        {code === undefined ? (
          <p class="note warn">
            Ed25519 needs a library here. Take one of Standard Webhooks that knows v1a, or rotate
            the endpoint to v1.
          </p>
        ) : (
          <TextBlock key={sample.id} text={code.trim()} what={`the code for ${sample.name}`} />
        )}
        <p class="soft">
          The libraries of Standard Webhooks do the same in most languages, with this secret as it
          is.
        </p>
      </div>
    </Card>
  );
}
