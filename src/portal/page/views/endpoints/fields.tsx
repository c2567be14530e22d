/** The settings of an endpoint: what everybody needs first, the rest on request. */
import { useQuery } from "@tanstack/preact-query";
import { useState } from "preact/hooks";
import { api, ApiError, read } from "../../api.ts";
import { ChipsField } from "../../parts/chips.tsx";
import { errorAt, Select, TextArea, TextField } from "../../parts/field.tsx";
import { AdvancedFields } from "./advanced-fields.tsx";
import type { FieldsProps, Form } from "./form.ts";

export function EndpointFields(props: FieldsProps) {
  const { form, onForm, error, isNew } = props;
  const [isOpen, setOpen] = useState(false);
  const set = (part: Partial<Form>) => onForm({ ...form, ...part });
  return (
    <>
      <TextField
        label="URL"
        type="url"
        mono
        required
        value={form.url}
        onValue={(url) => set({ url })}
        placeholder="https://example.com/webhooks"
        hint="Where events are sent by POST: http or https, without a user name and a fragment."
        error={urlError(error)}
      />
      <TypesField
        values={form.types}
        onValues={(types) => set({ types })}
        error={errorAt(error, "/types")}
      />
      <TextField
        label="Description"
        value={form.description}
        onValue={(description) => set({ description })}
        hint="What it is for, for people. Optional."
        error={errorAt(error, "/description")}
      />
      {isNew && <StartFields {...props} />}
      <details
        class="advanced"
        // What is wrong must not be hidden.
        open={isOpen || hasAdvancedError(error)}
        onToggle={({ currentTarget }) => setOpen(currentTarget.open)}
      >
        <summary>Advanced</summary>
        <AdvancedFields {...props} />
      </details>
    </>
  );
}

/** Names that are registered, and families of them, are suggested; any other may be typed. */
function TypesField(props: {
  values: readonly string[];
  onValues: (types: readonly string[]) => void;
  error: string | undefined;
}) {
  const { data } = useQuery({
    queryKey: ["event-types", "suggested"],
    queryFn: ({ signal }) =>
      read(api.GET("/event-types", { params: { query: { limit: 1_000 } }, signal })),
    staleTime: 60_000,
  });
  const types = data?.event_types.map(({ type }) => type) ?? [];
  const families = types.filter((type) => type.includes(".")).map((type) => `${first(type)}.*`);
  return (
    <ChipsField
      {...props}
      label="Event types"
      placeholder="All types"
      separator={/[\s,]+/}
      suggestions={[...new Set([...types, ...families])].toSorted()}
      hint="Which events are sent: exact types, or order.* for everything below order. All if there are none."
    />
  );
}

function StartFields({ form, onForm, error }: FieldsProps) {
  const set = (part: Partial<Form>) => onForm({ ...form, ...part });
  return (
    <>
      <Select
        label="Starts with"
        value={form.start}
        onValue={(start) => set({ start: start as Form["start"] })}
        options={[
          ["latest", "Events that are appended from now on (default)"],
          ["earliest", "The oldest event there is"],
          ["time", "Events that were appended at a time or later"],
          ["cursor", "Events after a cursor"],
        ]}
        hint="Cannot be changed later, but a paused endpoint can be resumed from a cursor."
        error={form.start === "latest" || form.start === "earliest" ? startError(error) : undefined}
      />
      {form.start === "time" && (
        <TextField
          label="Time"
          type="datetime-local"
          value={form.startTime}
          onValue={(startTime) => set({ startTime })}
          hint="In your time zone."
          error={startError(error)}
        />
      )}
      {form.start === "cursor" && (
        <TextArea
          label="Cursor"
          rows={2}
          value={form.startCursor}
          onValue={(startCursor) => set({ startCursor })}
          hint="Of a page, a stream or a push (tidegate-cursor)."
          error={startError(error)}
        />
      )}
    </>
  );
}

function startError(error: unknown): string | undefined {
  const isCursor = error instanceof ApiError && error.slug.startsWith("cursor-");
  return isCursor ? error.message : errorAt(error, "/start");
}

function urlError(error: unknown): string | undefined {
  if (error instanceof ApiError && error.slug === "address-not-allowed") {
    return `The gateway does not send to this address: ${error.message}. Use one that can be reached from the internet, or ask your platform to allow it.`;
  }
  return errorAt(error, "/url");
}

/** Whether something is wrong that only the closed part shows. */
function hasAdvancedError(error: unknown): boolean {
  if (!(error instanceof ApiError) || !Array.isArray(error.problem.errors)) return false;
  const pointers = (error.problem.errors as { pointer: string }[]).map(({ pointer }) => pointer);
  return pointers.some((pointer) => !/^\/(url|types|description|start)\b/.test(pointer));
}

function first(type: string): string {
  return type.slice(0, type.indexOf("."));
}
