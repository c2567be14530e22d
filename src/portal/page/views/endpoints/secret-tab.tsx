/** The secret of an endpoint: shown when asked for, gone when left, given anew. */
import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Button, ButtonLink } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Select } from "../../parts/field.tsx";
import { Card } from "../../parts/page.tsx";
import { Ago, Moment, useNow } from "../../parts/time.tsx";
import { toast } from "../../parts/toast.ts";
import type { EndpointView } from "./queries.ts";
import { SecretText } from "./secret-text.tsx";

type Props = { tenant: string; endpoint: EndpointView };
type Secret = Schemas["EndpointSecret"];

const kinds: Readonly<Record<EndpointView["signature"], string>> = {
  v1: "v1: HMAC-SHA256 of webhook-id.webhook-timestamp.body, with a secret that only you and the gateway have.",
  v1a: "v1a: Ed25519 over the same bytes. The gateway keeps the private key; this public one only verifies.",
};

export function SecretTab({ tenant, endpoint }: Props) {
  // Never in the query cache: what was shown is forgotten with this tab.
  const [secret, setSecret] = useState<Secret>();
  const [isAsking, setAsking] = useState(false);
  const what = endpoint.signature === "v1" ? "secret" : "public key";
  return (
    <div class="stack reading">
      <Card title={endpoint.signature === "v1" ? "Secret" : "Public key"}>
        <div class="stack">
          <p>{kinds[endpoint.signature]}</p>
          <Reveal {...{ tenant, endpoint, secret, setSecret, what }} />
          {typeof secret?.previous_expires_at === "string" && (
            <Overlap endsAt={secret.previous_expires_at} />
          )}
          <div class="row">
            <Button onPress={() => setAsking(true)}>Rotate …</Button>
            <ButtonLink to={tenantAddresses(tenant).signatures({ endpoint: endpoint.id })}>
              How to verify pushes
            </ButtonLink>
          </div>
        </div>
      </Card>
      {isAsking && (
        <RotateDialog
          {...{ tenant, endpoint }}
          onClose={() => setAsking(false)}
          onRotated={setSecret}
        />
      )}
    </div>
  );
}

function Reveal(
  props: Props & {
    secret: Secret | undefined;
    setSecret: (secret: Secret | undefined) => void;
    what: string;
  },
) {
  const { tenant, endpoint, secret, setSecret, what } = props;
  const reveal = async () => {
    const params = { path: { id: endpoint.id }, query: { tenant } };
    setSecret(await read(api.GET("/endpoints/{id}/secret", { params })));
  };
  if (secret === undefined) {
    return (
      <div class="secret">
        <code class="faint" aria-hidden="true">
          ••••••••••••••••••••••••
        </code>
        <Button onPress={reveal}>Show the {what}</Button>
      </div>
    );
  }
  return (
    <>
      <SecretText secret={secret.secret} what={`the ${what}`} />
      <div>
        <Button small onPress={() => setSecret(undefined)}>
          Hide
        </Button>
      </div>
    </>
  );
}

function Overlap({ endsAt }: { endsAt: string }) {
  const isOver = Date.parse(endsAt) <= useNow();
  return (
    <div class="note info" role="status">
      {isOver ? (
        <p>Only the new secret signs now.</p>
      ) : (
        <p>
          The overlap runs: until <Moment at={endsAt} /> (<Ago at={endsAt} />) pushes carry a
          signature by the new secret and by the one before. Put the new one into your receiver
          before then.
        </p>
      )}
    </div>
  );
}

const overlaps: readonly (readonly [string, string])[] = [
  ["86400", "A day (default)"],
  ["3600", "An hour"],
  ["604800", "A week"],
  ["0", "None: the old secret is worth nothing at once"],
];

function RotateDialog(props: Props & { onClose: () => void; onRotated: (secret: Secret) => void }) {
  const { tenant, endpoint, onClose, onRotated } = props;
  const [overlap, setOverlap] = useState("86400");
  const [signature, setSignature] = useState(endpoint.signature);
  const queries = useQueryClient();
  const rotate = async () => {
    const params = { path: { id: endpoint.id }, query: { tenant } };
    const body = {
      overlap_seconds: Number(overlap),
      ...(signature !== endpoint.signature && { signature }),
    };
    onRotated(await read(api.POST("/endpoints/{id}/rotate-secret", { params, body })));
    void queries.invalidateQueries({ queryKey: ["endpoint", tenant, endpoint.id] });
    toast.done("The secret is rotated");
    onClose();
  };
  return (
    <Dialog
      title="Rotate the secret"
      onClose={onClose}
      actions={
        <Button look={overlap === "0" ? "danger" : "main"} onPress={rotate}>
          Rotate
        </Button>
      }
    >
      <p>
        The gateway makes a new secret and signs with it at once. During the overlap each push has a
        signature by the old one too, so that a receiver with either accepts it.
      </p>
      <Select
        label="Overlap"
        value={overlap}
        onValue={setOverlap}
        options={overlaps}
        hint={
          overlap === "0"
            ? "For a secret that has leaked. Receivers refuse every push until they have the new one; pushes that fail meanwhile are retried."
            : "Time to put the new secret into your receivers."
        }
      />
      <Select
        label="Signature"
        value={signature}
        onValue={(value) => setSignature(value as EndpointView["signature"])}
        options={[
          ["v1", "v1: HMAC-SHA256, a shared secret"],
          ["v1a", "v1a: Ed25519, a public key"],
        ]}
      />
    </Dialog>
  );
}
