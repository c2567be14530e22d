/** Stopping an endpoint, for a while or for good. */
import { useQueryClient } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { tenantAddresses } from "../../addresses.ts";
import { api, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { TextField } from "../../parts/field.tsx";
import { showCount, showMany } from "../../parts/number.ts";
import { toast } from "../../parts/toast.ts";
import type { EndpointView } from "./queries.ts";

export type DialogProps = { tenant: string; endpoint: EndpointView; onClose: () => void };

/** What an action answered is shown at once, and lists are asked for again. */
export function useChanged(tenant: string) {
  const queries = useQueryClient();
  return (endpoint: EndpointView) => {
    queries.setQueryData(["endpoint", tenant, endpoint.id], endpoint);
    for (const kind of ["endpoints", "deliveries", "undelivered", "missed"]) {
      void queries.invalidateQueries({ queryKey: [kind, tenant] });
    }
  };
}

export function PauseDialog({ tenant, endpoint, onClose }: DialogProps) {
  const [reason, setReason] = useState("");
  const changed = useChanged(tenant);
  const pause = async () => {
    const params = { path: { id: endpoint.id }, query: { tenant } };
    const body = reason.trim() === "" ? {} : { reason: reason.trim() };
    changed(await read(api.POST("/endpoints/{id}/pause", { params, body })));
    toast.done("The endpoint is paused");
    onClose();
  };
  return (
    <Dialog
      title="Pause the endpoint"
      onClose={onClose}
      actions={
        <Button look="main" onPress={pause}>
          Pause
        </Button>
      }
    >
      <p>
        Nothing is pushed until it is resumed. Its position is kept, and events wait there: none is
        lost before the end of its retention. Pushes under way come to their end.
      </p>
      <TextField
        label="Reason"
        value={reason}
        onValue={setReason}
        hint="Shown with its status. Optional."
      />
    </Dialog>
  );
}

export function PollDialog({ tenant, endpoint, onClose }: DialogProps) {
  const changed = useChanged(tenant);
  const poll = async () => {
    const params = { path: { id: endpoint.id }, query: { tenant } };
    changed(await read(api.POST("/endpoints/{id}/poll", { params })));
    toast.done("The endpoint is polled from now on");
    onClose();
  };
  return (
    <Dialog
      title="Poll instead of being pushed to"
      onClose={onClose}
      actions={
        <Button look="main" onPress={poll}>
          Stop pushing
        </Button>
      }
    >
      <p>
        Pushing stops, and the position is kept, at sequence {showCount(Number(endpoint.position))}.
        Your consumer reads the events itself:
      </p>
      <pre class="code">
        <code>{`GET /endpoints/${endpoint.id}/missed\nGET /events?endpoint=${endpoint.id}&cursor=…`}</code>
      </pre>
      <p>
        To be pushed to again, resume it from the cursor of the last page that was read. What was
        read can also be confirmed by <code>POST /receipts</code>, which moves the position.
      </p>
    </Dialog>
  );
}

export function DeleteDialog({ tenant, endpoint, onClose }: DialogProps) {
  const [, navigate] = useLocation();
  const queries = useQueryClient();
  const remove = async () => {
    const params = { path: { id: endpoint.id }, query: { tenant } };
    await read(api.DELETE("/endpoints/{id}", { params }));
    toast.done("The endpoint is deleted");
    onClose();
    navigate(tenantAddresses(tenant).endpoints);
    void queries.invalidateQueries({ queryKey: ["endpoints", tenant] });
    queries.removeQueries({ queryKey: ["endpoint", tenant, endpoint.id] });
  };
  const waiting = endpoint.lag.events + endpoint.retrying;
  return (
    <Dialog
      title="Delete the endpoint"
      onClose={onClose}
      actions={
        <Button look="danger" onPress={remove}>
          Delete
        </Button>
      }
    >
      <p class="clamp mono">
        <bdi>{endpoint.url}</bdi>
      </p>
      <p>
        It gets no push any more, its secret and its position are gone, and this cannot be undone.
        The events themselves stay in the feed.
      </p>
      {waiting > 0 && (
        <p>
          <strong>
            {showMany(endpoint.lag.events, "event")} behind its position and{" "}
            {showMany(endpoint.retrying, "retry", "retries")}
          </strong>{" "}
          will not be delivered.
        </p>
      )}
    </Dialog>
  );
}
