/**
 * The id of a delivery tells which one it is, so it is found by the primary key and needs neither
 * a column nor an index of its own. An id may name none: only the ledger knows.
 *
 *     dlv_  then in hex  16 digits  the tenant's prefix
 *                        32         the endpoint's uuid
 *                         4         the event's day, counted from 1970-01-01
 *                      1–14         the event's sequence, without leading zeros
 *
 * The tenant is in it because all keys lead with it: an operator need not name it, not even when
 * the endpoint is gone, which else would tell.
 */
import { dayNumber, dayNumbered, type Position } from "../log/event.ts";
import { endpointUuid } from "./endpoint.ts";

export type DeliveryName = {
  /** See `tenantPrefix`. */
  readonly tenantPrefix: string;
  /** The uuid. */
  readonly endpoint: string;
  /** Of the event. */
  readonly position: Position;
};

const idForm = /^dlv_([0-9a-f]{16})([0-9a-f]{32})([0-9a-f]{4})([1-9a-f][0-9a-f]{0,13})$/;

export function deliveryId({ tenantPrefix, endpoint, position }: DeliveryName): string {
  const day = dayNumber(position.day).toString(16).padStart(4, "0");
  const digits = endpoint.replaceAll("-", "");
  return `dlv_${tenantPrefix}${digits}${day}${position.sequence.toString(16)}`;
}

/** Reads an id that somebody sent; undefined for what cannot be one. Every name has one id. */
export function parseDeliveryId(id: string): DeliveryName | undefined {
  const [, prefix = "", digits = "", day = "", sequenceDigits = ""] = idForm.exec(id) ?? [];
  const endpoint = endpointUuid(`ep_${digits}`);
  const sequence = Number.parseInt(sequenceDigits, 16);
  if (endpoint === undefined || !Number.isSafeInteger(sequence)) return undefined;
  const position = { sequence, day: dayNumbered(Number.parseInt(day, 16)) };
  return { tenantPrefix: prefix, endpoint, position };
}
