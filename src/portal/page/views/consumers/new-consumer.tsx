/** Makes a consumer. The API would change one that is there; this only ever makes new ones. */
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, ApiError, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { errorAt, TextField } from "../../parts/field.tsx";
import { toast } from "../../parts/toast.ts";
import { atLatest, Fault, PlaceFields, placeBody } from "./start.tsx";

const nameHint = "Letters, digits, and _ . -";

const listHint = "Separated by commas; empty for all";

const nameForm = /^[a-zA-Z0-9_.-]{1,128}$/;

export function NewConsumer(props: {
  tenant: string;
  onClose: () => void;
  onCreated: (name: string) => void;
}) {
  const { tenant, onClose, onCreated } = props;
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [types, setTypes] = useState("");
  const [subjects, setSubjects] = useState("");
  const [place, setPlace] = useState(atLatest);
  const { mutateAsync, error } = useMutation({
    mutationFn: () => create(tenant, name, { types, subjects, start: placeBody(place) }),
    onSuccess: async () => {
      toast.done(`Created the consumer ${name}`);
      await queries.invalidateQueries({ queryKey: ["consumers", tenant] });
      onCreated(name);
    },
  });
  const isWhole = nameForm.test(name) && placeBody(place) !== undefined;
  return (
    <Dialog
      title="Create a consumer"
      onClose={onClose}
      actions={
        // What is wrong stands in the dialog.
        <Button
          look="main"
          disabled={!isWhole}
          onPress={() => mutateAsync().catch(() => undefined)}
        >
          Create
        </Button>
      }
    >
      <Fault error={error} />
      <TextField
        label="Name"
        mono
        required
        placeholder="warehouse"
        hint={nameHint}
        value={name}
        onValue={setName}
        error={name === "" || nameForm.test(name) ? errorAt(error, "/name") : nameHint}
      />
      <TextField
        {...{ label: "Types", mono: true, placeholder: "order.*, invoice.paid", hint: listHint }}
        {...{ value: types, onValue: setTypes, error: errorAt(error, "/types") }}
      />
      <TextField
        {...{ label: "Subjects", mono: true, hint: listHint }}
        {...{ value: subjects, onValue: setSubjects, error: errorAt(error, "/subjects") }}
      />
      <PlaceFields
        label="Starts with"
        place={place}
        onPlace={setPlace}
        error={error}
        pointer="/start"
      />
    </Dialog>
  );
}

type Wanted = { types: string; subjects: string; start: ReturnType<typeof placeBody> };

async function create(tenant: string, name: string, { types, subjects, start }: Wanted) {
  const params = { path: { name }, query: { tenant } };
  const there = await read(api.GET("/consumers/{name}", { params })).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
  if (there !== undefined) {
    const errors = [{ pointer: "/name", detail: "There is a consumer with this name" }];
    throw new ApiError(422, { title: "The name is taken", errors });
  }
  const body = {
    types: listOf(types),
    subjects: listOf(subjects),
    ...(start !== undefined && { start }),
  };
  return read(api.PUT("/consumers/{name}", { params, body }));
}

/** Null is all. */
function listOf(text: string): string[] | null {
  const parts = text.split(",").map((part) => part.trim());
  const given = parts.filter((part) => part !== "");
  return given.length === 0 ? null : given;
}
