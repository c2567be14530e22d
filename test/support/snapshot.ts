/**
 * Backups of a Postgres server as its files, with the programs that come along: a copy of the
 * stopped cluster stands for a base backup, whose files it has. Started with a
 * `recovery.signal` in it, a server recovers from it as from a base backup, to the end of the
 * archive (which is empty here), and begins another timeline.
 */
import { execFile } from "node:child_process";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { OwnPostgres } from "./own-postgres.ts";

export type Snapshot = {
  /** Puts the files back as they were, as a snapshot of a disk does. Stopped before, started after. */
  putBack(): Promise<void>;
  /** Recovers to the time of the backup. Stopped before, started after. */
  recover(): Promise<void>;
};

const run = promisify(execFile);

/** Stops the server for as long as the copy takes. */
export async function takeSnapshot(server: OwnPostgres): Promise<Snapshot> {
  const kept = `${server.directory}-backup`;
  await server.stop();
  await copy(server.directory, kept);
  await server.start();
  return {
    putBack: () => replace(async () => {}),
    recover: () =>
      replace(async () => {
        await appendFile(join(server.directory, "postgresql.conf"), "restore_command = 'false'\n");
        await writeFile(join(server.directory, "recovery.signal"), "");
      }),
  };

  async function replace(prepare: () => Promise<void>): Promise<void> {
    await server.stop();
    await rm(server.directory, { recursive: true });
    await copy(kept, server.directory);
    await prepare();
    await server.start();
  }
}

/** With owners and modes, which Postgres looks at. */
async function copy(from: string, to: string): Promise<void> {
  await run("cp", ["-a", from, to]);
}
