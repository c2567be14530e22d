/**
 * What those who manage endpoints and those who drive them must agree on: the form of an
 * endpoint's id, and how its secrets and its own request headers are kept.
 */
import { open, seal, type KeyRing } from "../keyring.ts";

/** A signing secret; the newest of a list has no end, one that was rotated out has. */
export type EndpointSecret = {
  readonly secret: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
};

const secretsPurpose = "endpoint-secrets";
const headersPurpose = "endpoint-headers";

/** The id as callers know it: `ep_` and the 32 hexadecimal digits of the uuid. */
export function endpointName(uuid: string): string {
  return `ep_${uuid.replaceAll("-", "")}`;
}

/** The uuid behind an id; undefined for what is no endpoint's id. */
export function endpointUuid(name: string): string | undefined {
  const match = /^ep_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(
    name,
  );
  return match?.slice(1).join("-");
}

export function sealSecrets(ring: KeyRing, uuid: string, secrets: readonly EndpointSecret[]) {
  return seal(ring, secretsPurpose, Buffer.from(JSON.stringify(secrets)), uuid);
}

/** Newest first. */
export function openSecrets(ring: KeyRing, uuid: string, sealed: Buffer): EndpointSecret[] {
  return JSON.parse(open(ring, secretsPurpose, sealed, uuid).toString()) as EndpointSecret[];
}

export function sealHeaders(ring: KeyRing, uuid: string, headers: Record<string, string>) {
  return seal(ring, headersPurpose, Buffer.from(JSON.stringify(headers)), uuid);
}

export function openHeaders(ring: KeyRing, uuid: string, sealed: Buffer): Record<string, string> {
  return JSON.parse(open(ring, headersPurpose, sealed, uuid).toString()) as Record<string, string>;
}
