/** Where a consumer starts, or goes on: the same places for both. */
import { ApiError, type Schemas } from "../../api.ts";
import { errorAt, Select, TextField } from "../../parts/field.tsx";
import { ProblemNote } from "../../parts/problem.tsx";

export type Place = {
  readonly kind: "latest" | "earliest" | "time" | "cursor";
  /** As the field for it has it: local, without a zone. */
  readonly time: string;
  readonly cursor: string;
};

const places = {
  latest: "After the newest event: only what comes from now on",
  earliest: "The oldest event there is",
  time: "The first event appended at a time or later",
  cursor: "After a cursor",
} as const;

export const atLatest: Place = { kind: "latest", time: "", cursor: "" };

export function PlaceFields(props: {
  label: string;
  place: Place;
  onPlace: (place: Place) => void;
  error: Error | null;
  /** The pointer of the place in the body. */
  pointer: string;
}) {
  const { label, place, onPlace, error, pointer } = props;
  const fault = errorAt(error, pointer);
  return (
    <>
      <Select
        label={label}
        value={place.kind}
        onValue={(kind) => onPlace({ ...place, kind: kind as Place["kind"] })}
        options={Object.entries(places)}
        error={place.kind === "latest" || place.kind === "earliest" ? fault : undefined}
      />
      {place.kind === "time" && (
        <TextField
          label="Time"
          type="datetime-local"
          required
          hint={`In your zone, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`}
          value={place.time}
          onValue={(time) => onPlace({ ...place, time })}
          error={fault}
        />
      )}
      {place.kind === "cursor" && (
        <TextField
          label="Cursor"
          mono
          required
          hint="From a page, a stream or a push of this tenant"
          value={place.cursor}
          onValue={(cursor) => onPlace({ ...place, cursor })}
          error={fault}
        />
      )}
    </>
  );
}

/** What is wrong, unless it stands at a field already. */
export function Fault({ error }: { error: Error | null }) {
  if (error === null || (error instanceof ApiError && error.problem.errors !== undefined)) {
    return null;
  }
  return <ProblemNote error={error} />;
}

/** Undefined while it is not filled in. */
export function placeBody(place: Place): Schemas["ConsumerSeek"]["from"] | undefined {
  switch (place.kind) {
    case "latest":
    case "earliest":
      return place.kind;
    case "time": {
      const ms = Date.parse(place.time);
      return Number.isNaN(ms) ? undefined : { time: new Date(ms).toISOString() };
    }
    case "cursor":
      return place.cursor.trim() === "" ? undefined : { cursor: place.cursor.trim() };
  }
}
