/** An event as every way out of the gateway hands it over: a CloudEvents 1.0 object. */
import type { components } from "./api.ts";

/** `Data` is what the consumer knows of `data`; nothing here checks it. */
export type TidegateEvent<Data = unknown> = components["schemas"]["Event"] & {
  readonly data?: Data;
};

/** Whether this is such an event, by the members that all of them have. */
export function isEvent(value: unknown): value is TidegateEvent {
  if (typeof value !== "object" || value === null) return false;
  const { specversion, id, source, type, time, tenant, sequence } = value as Record<
    string,
    unknown
  >;
  return (
    specversion === "1.0" &&
    [id, source, type, time, tenant].every((each) => typeof each === "string" && each !== "") &&
    typeof sequence === "string" &&
    /^\d{20}$/.test(sequence)
  );
}
