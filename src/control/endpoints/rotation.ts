/** Which secrets sign an endpoint's pushes once there is a new one. */
import type { EndpointSecret } from "../../deliveries/endpoint.ts";

/** Each is one signature more in the header of every push, which receivers read up to a size. */
const secretsMax = 5;

/**
 * The new secret, and those before it until the overlap ends: none lasts longer than its own
 * rotation gave it, and none longer than this one does, so that a rotation without an overlap
 * leaves nothing of what had leaked. Beyond `secretsMax` the oldest go at once.
 *
 * One that is brought twice (a request that was repeated) stands there once.
 */
export function rotate(
  secrets: readonly EndpointSecret[],
  { secret, at, overlapMs }: { secret: string; at: number; overlapMs: number },
): EndpointSecret[] {
  const end = at + overlapMs;
  const older = secrets
    .filter((before) => before.secret !== secret)
    .map((before) => ({ ...before, expiresAt: Math.min(before.expiresAt ?? end, end) }))
    .filter(({ expiresAt }) => expiresAt > at);
  return [{ secret, expiresAt: null }, ...older].slice(0, secretsMax);
}
