/** Pushing goes on: from the position, or from another place, with what that skips or repeats. */
import { useState } from "preact/hooks";
import { api, ApiError, read } from "../../api.ts";
import { Button } from "../../parts/button.tsx";
import { Dialog } from "../../parts/dialog.tsx";
import { errorAt, Select, TextArea } from "../../parts/field.tsx";
import { showCount } from "../../parts/number.ts";
import { toast } from "../../parts/toast.ts";
import { useChanged, type DialogProps } from "./dialogs.tsx";
import type { EndpointView } from "./queries.ts";
import { useSave } from "./saving.tsx";

type From = "position" | "latest" | "cursor";

export function ResumeDialog({ tenant, endpoint, onClose }: DialogProps) {
  const isActive = endpoint.status === "active";
  const [from, setFrom] = useState<From>(isActive ? "latest" : "position");
  const [cursor, setCursor] = useState("");
  const changed = useChanged(tenant);
  const { save, error } = useSave(async () => {
    const params = { path: { id: endpoint.id }, query: { tenant } };
    const body = { from: from === "cursor" ? { cursor: cursor.trim() } : from };
    changed(await read(api.POST("/endpoints/{id}/resume", { params, body })));
    toast.done(isActive ? "The endpoint goes on from there" : "The endpoint is active");
    onClose();
  });
  return (
    <Dialog
      title={titles[endpoint.status]}
      onClose={onClose}
      actions={
        <Button look={from === "position" ? "main" : "danger"} onPress={save}>
          {isActive ? "Move" : endpoint.status === "disabled" ? "Enable" : "Resume"}
        </Button>
      }
    >
      <Select
        label="Goes on"
        value={from}
        onValue={(value) => setFrom(value as From)}
        options={[
          ["position", "From its position: nothing is lost"],
          ["latest", "With new events only: skip what waits"],
          ["cursor", "After a cursor"],
        ]}
      />
      {from === "cursor" && (
        <TextArea
          label="Cursor"
          rows={2}
          value={cursor}
          onValue={setCursor}
          hint="Of a page, a stream or a push (tidegate-cursor)."
          error={cursorError(error)}
        />
      )}
      <p>{consequence(from, endpoint)}</p>
      {endpoint.status === "disabled" && endpoint.status_reason !== null && (
        <p class="soft">
          It was disabled: <bdi>{endpoint.status_reason}</bdi>. If the receiver still says so, it
          will be disabled again.
        </p>
      )}
    </Dialog>
  );
}

const titles: Readonly<Record<EndpointView["status"], string>> = {
  active: "Move the endpoint to another place",
  paused: "Resume the endpoint",
  polling: "Push again",
  disabled: "Enable the endpoint",
};

function consequence(from: From, { lag, retrying }: EndpointView): string {
  const waiting = `${showCount(lag.events)} ${lag.events === 1 ? "event" : "events"}`;
  const retries = `${showCount(retrying)} ${retrying === 1 ? "retry" : "retries"}`;
  switch (from) {
    case "position":
      return `The ${waiting} after its position are pushed, as far as they match, and ${retries} go on. An open circuit is probed at once. Pushes that were under way may be repeated.`;
    case "latest":
      return `Skips up to ${waiting} after its position, and ${retries}, which become “skipped”. A replay can still bring them back while they are kept.`;
    case "cursor":
      return "Everything after the cursor is pushed, also what was pushed before. What waits before it is not pushed any more; retries there become “skipped”.";
  }
}

function cursorError(error: unknown): string | undefined {
  if (error instanceof ApiError && error.slug.startsWith("cursor-")) return error.message;
  return errorAt(error, "/from");
}
