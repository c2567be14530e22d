/**
 * Loaded into a gateway's process before anything else (`--import`): tells over HTTP how many bytes
 * it has allocated on JavaScript's heap since it was last asked, and prints where. What the
 * collector freed is added to what the heap has grown by, so it does not matter when it ran.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GCProfiler } from "node:v8";

let profiler = startProfiler();
let usedBefore = process.memoryUsage().heapUsed;

const server = createServer((_, response) => {
  response.end(String(takeAllocated()));
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`allocations at http://127.0.0.1:${port}\n`);
});
server.unref();

function takeAllocated(): number {
  const used = process.memoryUsage().heapUsed;
  const collections = profiler.stop().statistics;
  const freed = collections.reduce(
    (sum, { beforeGC, afterGC }) =>
      sum + beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize,
    0,
  );
  const allocated = used - usedBefore + freed;
  profiler = startProfiler();
  usedBefore = process.memoryUsage().heapUsed;
  return allocated;
}

function startProfiler(): GCProfiler {
  const started = new GCProfiler();
  started.start();
  return started;
}
