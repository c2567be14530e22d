/** The memory that a process holds, looked at again and again. Linux only, like /proc. */
import { readFile } from "node:fs/promises";

export type RssWatch = {
  /** The samples since this was last called, in bytes; the first is the newest of before. */
  take(): readonly number[];
  stop(): Promise<void>;
};

export async function watchRss(pid: number, everyMs = 250): Promise<RssWatch> {
  let samples = [await rssOf(pid)];
  let newest = samples[0] ?? 0;
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = look();
  }, everyMs);
  return {
    take() {
      const taken = samples;
      samples = [newest];
      return taken;
    },
    async stop() {
      clearInterval(timer);
      await looking;
    },
  };

  async function look(): Promise<void> {
    newest = await rssOf(pid);
    samples.push(newest);
  }
}

export async function rssOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8");
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  if (kibibytes === undefined) throw new Error(`process ${pid} has ended`);
  return Number(kibibytes) * 1_024;
}
