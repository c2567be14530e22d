/**
 * Bounds what all request bodies together take of the memory. Counted is what has arrived and not
 * what is announced, so that nobody reserves memory by promising much and sending nothing. Of
 * bodies that grow together beyond the budget, the one that meets it is refused and thereby makes
 * room for the others.
 */
import { Problem } from "../problem.ts";

/** One request's share. */
export type BodyShare = {
  /** Throws 503 when a body that is announced with so many bytes would not fit now. */
  expect(bytes: number): void;
  /** Holds so many from now on; throws 503 when there is no room for more than it had. */
  hold(bytes: number): void;
};

/**
 * Eight bodies of the largest size, or some 60,000 events on their way. With what is made of them
 * before they are appended they take three to four times as much.
 */
const defaultMaxBytes = 128 << 20;

/** Bodies are done with as fast as the database takes them. */
const retryAfterSeconds = 1;

export function createBodyBudget(maxBytes = defaultMaxBytes): { open(): BodyShare } {
  let heldBytes = 0;

  return { open };

  function open(): BodyShare {
    let shareBytes = 0;
    return {
      expect: (bytes) => requireRoom(bytes),
      hold(bytes) {
        const more = bytes - shareBytes;
        if (more > 0) requireRoom(more);
        heldBytes += more;
        shareBytes = bytes;
      },
    };
  }

  function requireRoom(bytes: number): void {
    if (heldBytes + bytes <= maxBytes) return;
    throw new Problem("unavailable", "this process holds as many request bodies as it can", {
      headers: { "retry-after": String(retryAfterSeconds) },
    });
  }
}
