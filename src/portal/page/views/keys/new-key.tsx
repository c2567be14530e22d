/** A key is made, and shown this once. */
import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, ApiError, read, type Schemas } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { Checkbox, errorAt, Select, TextField } from "../../parts/field.tsx";
import { toast } from "../../parts/toast.ts";
import { SecretText } from "../endpoints/secret-text.tsx";
import "../endpoints/endpoints.css";

type Scope = Schemas["NewKey"]["scopes"][number];

const dayMs = 86_400_000;

const scopes: readonly (readonly [Scope, string])[] = [
  ["append", "Append events. For the programs in which they happen."],
  ["read", "Read events, as pages and as a stream, and keep positions as a named consumer."],
  [
    "receive",
    "All of “read”, and what endpoints have missed, and receipts. For receivers of pushes.",
  ],
  [
    "manage",
    "All of this tenant: endpoints and their secrets, deliveries, replays, keys, and all of the above.",
  ],
];

const lives: readonly (readonly [string, string])[] = [
  ["", "Never"],
  ["1", "In a day"],
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
  ["at", "At a time …"],
];

/** In plainer words than the API has for an empty list. */
const noScope = new ApiError(422, {
  errors: [{ pointer: "/scopes", detail: "choose at least one" }],
});

export function NewKeyDialog({ tenant, onClose }: { tenant: string; onClose: () => void }) {
  const [created, setCreated] = useState<Schemas["CreatedKey"]>();
  if (created === undefined) {
    return <AskDialog tenant={tenant} onClose={onClose} onCreated={setCreated} />;
  }
  return (
    <Dialog key="created" title="The key" onClose={onClose} closeText="I have copied it">
      <p>
        Copy it now: it is shown this once, and only its hash is kept. Whoever has it may do what
        its scopes allow ({created.scopes.join(", ")}).
      </p>
      <SecretText secret={created.key} what="the key" />
      <p class="soft">
        Send it with every request: <code>Authorization: Bearer …</code>
      </p>
    </Dialog>
  );
}

function AskDialog(props: {
  tenant: string;
  onClose: () => void;
  onCreated: (created: Schemas["CreatedKey"]) => void;
}) {
  const { tenant, onClose, onCreated } = props;
  const [chosen, setChosen] = useState<readonly Scope[]>([]);
  const [description, setDescription] = useState("");
  const [life, setLife] = useState("");
  const [end, setEnd] = useState("");
  const [error, setError] = useState<unknown>();
  const queries = useQueryClient();
  const create = async () => {
    try {
      if (chosen.length === 0) throw noScope;
      const body = {
        tenant,
        scopes: [...chosen],
        expires_at: endOf(life, end),
        description: description.trim() === "" ? null : description.trim(),
      };
      onCreated(await read(api.POST("/keys", { body })));
      void queries.invalidateQueries({ queryKey: ["keys", tenant] });
    } catch (failure) {
      setError(failure);
      if (!(failure instanceof ApiError && failure.status === 422)) toast.failure(failure);
    }
  };
  return (
    <Dialog
      title="New API key"
      onClose={onClose}
      actions={
        <Button look="main" onPress={create}>
          Create key
        </Button>
      }
    >
      <TextField
        label="Description"
        value={description}
        onValue={setDescription}
        placeholder="The shop's backend"
        hint="What uses it, so that you know later which one to revoke."
        error={errorAt(error, "/description")}
      />
      <Scopes chosen={chosen} onChosen={setChosen} error={errorAt(error, "/scopes")} />
      <Select
        label="Ends"
        value={life}
        onValue={setLife}
        options={lives}
        error={life === "at" ? undefined : errorAt(error, "/expires_at")}
      />
      {life === "at" && (
        <TextField
          label="Time"
          type="datetime-local"
          value={end}
          onValue={setEnd}
          hint="In your time zone."
          error={errorAt(error, "/expires_at")}
        />
      )}
    </Dialog>
  );
}

function Scopes(props: {
  chosen: readonly Scope[];
  onChosen: (scopes: readonly Scope[]) => void;
  error: string | undefined;
}) {
  const { chosen, onChosen, error } = props;
  return (
    <fieldset class="field">
      <legend class="label">Scopes</legend>
      {scopes.map(([scope, hint]) => (
        <Checkbox
          key={scope}
          label={scope}
          hint={hint}
          checked={chosen.includes(scope)}
          onValue={(checked) =>
            onChosen(checked ? [...chosen, scope] : chosen.filter((each) => each !== scope))
          }
        />
      ))}
      {error !== undefined && (
        <span class="error" role="alert">
          {error}
        </span>
      )}
    </fieldset>
  );
}

/** What is no time is sent as it is, and refused with words at its field. */
function endOf(life: string, end: string): string | null {
  if (life === "") return null;
  if (life !== "at") return new Date(Date.now() + Number(life) * dayMs).toISOString();
  const time = new Date(end);
  return Number.isNaN(time.getTime()) ? end : time.toISOString();
}
