/** An endpoint's settings, changed: only what is another is sent. */
import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Card } from "../../parts/page.tsx";
import { toast } from "../../parts/toast.ts";
import { EndpointFields } from "./fields.tsx";
import { faultOf, formOf, toPatch } from "./form.ts";
import type { EndpointView } from "./queries.ts";
import { FormError, useSave } from "./saving.tsx";

export function SettingsTab({ tenant, endpoint }: { tenant: string; endpoint: EndpointView }) {
  // What is typed stays while the endpoint is asked for again; others' changes are not overwritten,
  // because only what differs from what was shown at first is sent.
  const [shown, setShown] = useState(endpoint);
  const [form, setForm] = useState(() => formOf(endpoint));
  const queries = useQueryClient();
  const patch = toPatch(form, shown);
  const count = Object.keys(patch).length;
  const show = (latest: EndpointView) => {
    setShown(latest);
    setForm(formOf(latest));
  };
  const { save, error, isBusy } = useSave(async () => {
    const fault = faultOf(form);
    if (fault !== undefined) throw fault;
    const params = { path: { id: endpoint.id }, query: { tenant } };
    const saved = await read(api.PATCH("/endpoints/{id}", { params, body: patch }));
    queries.setQueryData(["endpoint", tenant, endpoint.id], saved);
    void queries.invalidateQueries({ queryKey: ["endpoints", tenant] });
    show(saved);
    toast.done("The settings are saved");
  });
  return (
    <form
      class="reading"
      onSubmit={(event) => {
        event.preventDefault();
        if (count > 0) void save();
      }}
    >
      <Card title="Settings">
        <div class="stack">
          <EndpointFields form={form} onForm={setForm} error={error} isNew={false} />
          <FormError error={error} />
          <div class="row">
            <Button look="main" type="submit" disabled={isBusy || count === 0}>
              {isBusy ? "Saving …" : "Save"}
            </Button>
            {count > 0 && <Button onPress={() => show(endpoint)}>Undo changes</Button>}
            <span class="soft" role="status">
              {count === 0 ? "Nothing is changed." : `To be saved: ${namesOf(patch)}.`}
            </span>
          </div>
        </div>
      </Card>
    </form>
  );
}

function namesOf(patch: object): string {
  return Object.keys(patch)
    .map((name) => name.replaceAll("_", " ").replace(/ ms$/, ""))
    .join(", ");
}
