/**
 * Goal: an upload costs no more memory the longer it is. Method: one gateway process takes uploads
 * of lines, one after the other: 1,000,000 events of about 220 bytes, and 1 GiB in events of 64
 * KiB, each with a result for every line and with the short form. The process's memory is looked at
 * every second, after an upload that warms it up; flat means that the last quarter of an upload
 * holds little more than its first. Each log is then read back by pages: as many events as were
 * sent, numbered 1, 2, 3 …, and a checksum over all of their data in order.
 */
import { quantile } from "../measure.ts";
import type { Worker } from "../worker.ts";
import type { UploaderOperations } from "../workers/uploader.ts";
import { densePromise, storedLogs } from "./logs.ts";
import { watchRss, type RssWatch } from "./rss.ts";
import { createTenants, type Stage } from "./stage.ts";
import {
  count,
  figure,
  mebibytes,
  promise,
  type Finding,
  type Outcome,
  type Trial,
} from "./trial.ts";

/** Between the first and the last quarter of an upload; the collector's moods are below it. */
const growthMaxBytes = 64 * 2 ** 20;

type Upload = {
  readonly name: string;
  readonly events: number;
  readonly dataBytes: number;
  readonly minimal: boolean;
};

type Sizes = { events: number; largeEvents: number; lookMs: number };
const full: Sizes = { events: 1_000_000, largeEvents: 16_384, lookMs: 1_000 };
const small: Sizes = { events: 20_000, largeEvents: 100, lookMs: 50 };

const dataBytes = 200;
const largeDataBytes = 64 << 10;

export const ndjson: Trial = {
  name: "ndjson",
  what: "1,000,000 events, and 1 GiB, by NDJSON into one gateway",
  run,
};

async function run(stage: Stage): Promise<Outcome> {
  const { events, largeEvents, lookMs } = stage.small ? small : full;
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl);
  const sql = stage.connect(databaseUrl);
  const uploads: Upload[] = [
    { name: "events", events, dataBytes, minimal: false },
    { name: "events-minimal", events, dataBytes, minimal: true },
    { name: "large", events: largeEvents, dataBytes: largeDataBytes, minimal: false },
    { name: "large-minimal", events: largeEvents, dataBytes: largeDataBytes, minimal: true },
  ];
  const names = uploads.map(({ name }) => name);
  await createTenants(stage.openClient(gateway), sql, ["warm-up", ...names]);
  const uploader = stage.startWorker<UploaderOperations>("uploader");
  const site = { url: gateway.url, key: stage.key };
  const warmUp = { tenant: "warm-up", events: Math.ceil(events / 10), dataBytes, minimal: false };
  await uploader.call("upload", { ...site, ...warmUp });
  const rss = await watchRss(gateway.pid, lookMs);
  stage.defer(() => rss.stop());
  const findings: Finding[] = [];
  for (const upload of uploads) {
    stage.say(upload.name);
    findings.push(...(await tryUpload({ uploader, site, upload, rss })));
  }
  return { findings: [...findings, densePromise(await storedLogs(sql))] };
}

async function tryUpload(given: {
  uploader: Worker<UploaderOperations>;
  site: { url: string; key: string };
  upload: Upload;
  rss: RssWatch;
}): Promise<Finding[]> {
  const { uploader, site, upload, rss } = given;
  const target = { ...site, tenant: upload.name };
  rss.take();
  const uploaded = await uploader.call("upload", { ...target, ...upload });
  const samples = rss.take();
  const stored = await uploader.call("readBack", target);
  const { right, other, strange, seconds, bytes } = uploaded;
  const isWhole = stored.events === upload.events && stored.dense;
  const rate = `${count(upload.events / seconds)} events/s, ${mebibytes(bytes / seconds)}/s`;
  return [
    promise(
      `${upload.name}: every line was answered, in order`,
      right === upload.events && other === 0,
      `${count(right)}${other === 0 ? "" : `, and ${count(other)} others: ${strange.join(" ")}`}`,
    ),
    promise(
      `${upload.name}: all of it is stored, byte for byte`,
      isWhole && stored.checksum === uploaded.checksum,
      `${count(stored.events)} events, ${mebibytes(bytes)}`,
    ),
    figure(`${upload.name}: rate`, `${rate}, in ${seconds.toFixed(1)} s`),
    memoryFigure(upload.name, samples),
  ];
}

function memoryFigure(name: string, samples: readonly number[]): Finding {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const early = quantile(samples.slice(0, quarter), 0.5);
  const late = quantile(samples.slice(-quarter), 0.5);
  const [first = 0] = samples;
  const seen = [first, Math.max(...samples), samples.at(-1) ?? 0].map(mebibytes);
  return figure(
    `${name}: memory first, at most, last`,
    `${seen.join(", ")}; quarters ${mebibytes(early)}, ${mebibytes(late)}`,
    [`growth ≤ ${mebibytes(growthMaxBytes)}`, late - early <= growthMaxBytes],
  );
}
