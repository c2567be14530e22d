/** What changes a consumer, each with a question that says what will happen. */
import { useMutation, useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { toast } from "../../parts/toast.ts";
import { atLatest, Fault, PlaceFields, placeBody, type Place } from "./start.tsx";

type Of = { tenant: string; name: string; onClose: () => void };

const effects: Readonly<Record<Place["kind"], string>> = {
  latest: "All events that it has not read are passed over. It gets only what comes from now on.",
  earliest: "It reads all events that there are, also those that it has read before.",
  time: "It goes on with the first event from then. What lies between its position and there is passed over, or comes again.",
  cursor:
    "It goes on right after the cursor. What lies between its position and there is passed over, or comes again.",
};

export function SeekConsumer({ tenant, name, onClose }: Of) {
  const queries = useQueryClient();
  const [place, setPlace] = useState<Place>({ ...atLatest, kind: "earliest" });
  const from = placeBody(place);
  const { mutateAsync, error } = useMutation({
    mutationFn: async () => {
      if (from === undefined) throw new Error("the place is not filled in");
      const params = { path: { name }, query: { tenant } };
      return read(api.POST("/consumers/{name}/seek", { params, body: { from } }));
    },
    onSuccess: async () => {
      toast.done(`${name} goes on from there`);
      await queries.invalidateQueries({ queryKey: ["consumers", tenant] });
      onClose();
    },
  });
  return (
    <Dialog
      title={`Put ${name} elsewhere`}
      onClose={onClose}
      actions={
        <Button
          look="main"
          disabled={from === undefined}
          // What is wrong stands in the dialog.
          onPress={() => mutateAsync().catch(() => undefined)}
        >
          Put it there
        </Button>
      }
    >
      <Fault error={error} />
      <PlaceFields
        label="Goes on with"
        place={place}
        onPlace={setPlace}
        error={error}
        pointer="/from"
      />
      <p>{effects[place.kind]}</p>
      <p class="soft">
        Pages that were handed out before can no longer be acknowledged, as far as they lie beyond
        the new place.
      </p>
    </Dialog>
  );
}

export function RemoveConsumer({ tenant, name, onClose }: Of) {
  const queries = useQueryClient();
  const [, go] = useLocation();
  const { mutateAsync, error } = useMutation({
    mutationFn: () =>
      read(api.DELETE("/consumers/{name}", { params: { path: { name }, query: { tenant } } })),
    onSuccess: async () => {
      toast.done(`Removed the consumer ${name}`);
      go(tenantAddresses(tenant).consumers);
      queries.removeQueries({ queryKey: ["consumers", tenant, name] });
      await queries.invalidateQueries({ queryKey: ["consumers", tenant] });
    },
  });
  return (
    <Dialog
      title={`Remove ${name}`}
      onClose={onClose}
      actions={
        <Button look="danger" onPress={() => mutateAsync().catch(() => undefined)}>
          Remove the consumer
        </Button>
      }
    >
      <Fault error={error} />
      <p>
        Its place in the log is forgotten; the events stay. A program that reads by this name gets
        404 from then on. One that is created anew does not remember what this one had read.
      </p>
    </Dialog>
  );
}
