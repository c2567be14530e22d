/** Deliveries of somebody's choice, each replayed by itself. */
import { ApiError, api, read } from "../../api.ts";

/** Enough to be quick, few enough to leave the tenant's rate to others. */
const atOnce = 4;

export type Results = {
  readonly sent: number;
  /** How many, by why. */
  readonly refused: ReadonlyMap<string, number>;
};

/**
 * Asks for all of them, in order, and tells how far it is after each. One that is refused stops no
 * other. Ends early when `signal` says so.
 */
export async function replayEach(
  tenant: string,
  ids: readonly string[],
  options: { signal: AbortSignal; progress: (results: Results) => void },
): Promise<Results> {
  const { signal, progress } = options;
  const waiting = [...ids];
  const refused = new Map<string, number>();
  let sent = 0;
  const results = (): Results => ({ sent, refused: new Map(refused) });

  async function work(): Promise<void> {
    for (let id = waiting.shift(); id !== undefined && !signal.aborted; id = waiting.shift()) {
      const why = await ask(tenant, id);
      if (why === undefined) sent += 1;
      else refused.set(why, (refused.get(why) ?? 0) + 1);
      progress(results());
    }
  }

  await Promise.all(Array.from({ length: atOnce }, work));
  return results();
}

/** Returns why it was refused. */
async function ask(tenant: string, id: string): Promise<string | undefined> {
  const params = { path: { id }, query: { tenant } };
  try {
    await read(api.POST("/deliveries/{id}/replay", { params }));
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error.message;
    throw error;
  }
}
