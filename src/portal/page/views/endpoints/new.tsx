/** An endpoint is made, and its secret shown. */
import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { tenantAddresses } from "../../addresses.ts";
import { api, read, type Schemas } from "../../api.ts";
import { Button, ButtonLink } from "../../parts/button.tsx";
import { Card, PageHead } from "../../parts/page.tsx";
import type { TenantView } from "../view.ts";
import { EndpointFields } from "./fields.tsx";
import { emptyForm, faultOf, toNew } from "./form.ts";
import { FormError, useSave } from "./saving.tsx";
import { SecretText } from "./secret-text.tsx";
import { TestPush } from "./test-push.tsx";
import "./endpoints.css";

type Created = Schemas["CreatedEndpoint"];

export const NewEndpoint: TenantView = ({ tenant }) => {
  const [created, setCreated] = useState<Created>();
  const to = tenantAddresses(tenant);
  const trail = [{ to: to.endpoints, text: "Endpoints" }];
  if (created !== undefined) {
    return (
      <>
        <PageHead title="The endpoint is ready" trail={trail} />
        <Ready tenant={tenant} created={created} />
      </>
    );
  }
  return (
    <>
      <PageHead
        title="New endpoint"
        trail={trail}
        lead="Only the URL is needed. Everything else has a default that suits most receivers, and can be changed later."
      />
      <Create tenant={tenant} onCreated={setCreated} />
    </>
  );
};

function Create(props: { tenant: string; onCreated: (created: Created) => void }) {
  const { tenant, onCreated } = props;
  const [form, setForm] = useState(emptyForm);
  const queries = useQueryClient();
  const to = tenantAddresses(tenant);
  const { save, error, isBusy } = useSave(async () => {
    const fault = faultOf(form);
    if (fault !== undefined) throw fault;
    const made = await read(api.POST("/endpoints", { body: toNew(form, tenant) }));
    void queries.invalidateQueries({ queryKey: ["endpoints", tenant] });
    onCreated(made);
    window.scrollTo(0, 0);
  });
  return (
    <form
      class="reading"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Card title="Settings">
        <div class="stack">
          <EndpointFields form={form} onForm={setForm} error={error} isNew />
          <FormError error={error} />
          <div class="row">
            <Button look="main" type="submit" disabled={isBusy}>
              {isBusy ? "Creating …" : "Create endpoint"}
            </Button>
            <ButtonLink to={to.endpoints}>Cancel</ButtonLink>
          </div>
        </div>
      </Card>
    </form>
  );
}

function Ready({ tenant, created }: { tenant: string; created: Created }) {
  const to = tenantAddresses(tenant);
  const isShared = created.signature === "v1";
  return (
    <div class="stack reading">
      <Card title={isShared ? "Its secret" : "Its public key"}>
        <div class="stack">
          <p>
            {isShared
              ? "Put it where your receiver keeps secrets. It verifies that a push comes from here and was not changed; whoever has it can make pushes of their own."
              : "Put it where your receiver can read it. It verifies that a push comes from here; it is no secret."}
          </p>
          <SecretText secret={created.secret} />
          <p class="soft">It can be shown again on the endpoint's page, under “Secret”.</p>
        </div>
      </Card>
      <Card title="Try it">
        <TestPush tenant={tenant} id={created.id} url={created.url} />
      </Card>
      <div class="row">
        <ButtonLink to={to.endpoint(created.id)} look="main">
          Go to the endpoint
        </ButtonLink>
        <ButtonLink to={to.signatures({ endpoint: created.id })}>How to verify pushes</ButtonLink>
      </div>
    </div>
  );
}
