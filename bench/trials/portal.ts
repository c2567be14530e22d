/**
 * Goal: the portal's pages are usable at once, also of a tenant with 1,000,000 deliveries. Method:
 * they are stored by SQL, of 50 endpoints, with their statistics; a gateway serves the page as it is
 * built for release, and Chromium opens it by a portal link, ten times each page: cold, in a new
 * context that has cached nothing, and warm, again in the same tab. Taken is the time from the
 * navigation until the frame after the number or the table has come into the document, by the
 * page's own clock, and that of each asset and call of the API, by the browser's. The gateway has no
 * push role, or what is counted would change.
 */
import { readFile } from "node:fs/promises";
import { globSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { buildPage } from "../../scripts/portal.ts";
import { pageFolder } from "../../src/portal/files.ts";
import { launchChromium } from "../../test/support/browser.ts";
import { quantile } from "../measure.ts";
import type { Client } from "./client.ts";
import { settleDatabase } from "./seed.ts";
import type { Stage } from "./stage.ts";
import { count, figure, ms, promise, type Finding, type Outcome, type Trial } from "./trial.ts";
import { seedDeliveries, seedStatistics } from "./undelivered-seed.ts";

/** What lasts longer interrupts the train of thought. */
const targetMs = 1_000;

const endpoints = 50;
const fullDeliveries = 1_000_000;
const smallDeliveries = 5_000;

const tenant = "tenant-1";

/** Of each page: what has to be there, by its name in the table. */
const views: readonly { view: string; path: string; shown: Readonly<Record<string, string>> }[] = [
  {
    ...{ view: "overview", path: "" },
    shown: { "what is undelivered": ".amount .large", charts: ".chart canvas" },
  },
  { view: "deliveries", path: "/deliveries", shown: { "the table": "main tbody tr" } },
  { view: "endpoints", path: "/endpoints", shown: { "the table": "main tbody tr" } },
];

export const portal: Trial = {
  name: "portal",
  what: "pages of the portal, of a tenant with 1,000,000 deliveries",
  run,
};

type Loaded = {
  /** When it was there, by what it is: milliseconds since the navigation. */
  readonly shown: Readonly<Record<string, number>>;
  readonly calls: readonly Call[];
};

type Call = { readonly name: string; readonly startTime: number; readonly duration: number };

async function run(stage: Stage): Promise<Outcome> {
  const deliveries = deliveriesOf(stage);
  const loads = stage.small ? 2 : 10;
  await buildPage();
  const databaseUrl = await stage.openPostgres();
  const gateway = await stage.startGateway(databaseUrl, { TIDEGATE_ROLES: "api" });
  const client = stage.openClient(gateway, 1);
  const events = Math.ceil(deliveries / endpoints);
  await seedDeliveries(databaseUrl, { tenants: 1, endpoints, events }, stage.say);
  await seedStatistics(databaseUrl);
  await settleDatabase(databaseUrl);
  const browser = await stage.open(launchChromium);
  stage.defer(() => browser.close());
  const link = async () => {
    const { url } = (await client.expect("POST", "/portal-links", JSON.stringify({ tenant }))) as {
      url: string;
    };
    return new URL(url);
  };

  const findings: Finding[] = [
    figure("stored", `${count(events * endpoints)} deliveries of ${endpoints} endpoints`),
    await numbersMatch(browser, client, await link()),
    ...(await bundleSizes()),
  ];
  const notes: string[] = [];
  for (const { view, path, shown } of views) {
    stage.say(view);
    const times = { cold: [] as Loaded[], warm: [] as Loaded[] };
    for (let nth = 0; nth < loads; nth += 1) {
      const address = await link();
      address.pathname += path;
      const { cold, warm } = await loadTwice(browser, address, shown);
      times.cold.push(cold);
      times.warm.push(warm);
    }
    for (const [how, loaded] of Object.entries(times)) {
      findings.push(
        ...Object.keys(shown).map((name) => shownAfter(`${view}, ${how}: ${name}`, name, loaded)),
      );
      notes.push(`${view}, ${how}: median start and duration of requests\n${callsText(loaded)}`);
    }
  }
  return { findings, notes };
}

function deliveriesOf({ shape, small }: Stage): number {
  if (shape === undefined) return small ? smallDeliveries : fullDeliveries;
  const deliveries = Number(shape);
  if (!Number.isSafeInteger(deliveries) || deliveries < endpoints) {
    throw new Error(`the shape is a number of deliveries, ${endpoints} at least`);
  }
  return deliveries;
}

/** The first load is not measured: connections are opened by it, and statements planned. */
async function numbersMatch(browser: Browser, client: Client, address: URL): Promise<Finding> {
  await using context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(address.href);
  const shown = (await page.locator(".amount .large").innerText()).replaceAll(/[^\d]/g, "");
  const path = `/stats/undelivered?tenant=${tenant}&window=24h`;
  const told = (await client.expect("GET", path)) as { undelivered: number };
  return promise(
    "the overview shows what the API tells",
    shown === String(told.undelivered),
    `${shown} of ${told.undelivered} events are undelivered`,
  );
}

async function loadTwice(
  browser: Browser,
  address: URL,
  shown: Readonly<Record<string, string>>,
): Promise<{ cold: Loaded; warm: Loaded }> {
  await using context = await browser.newContext();
  await context.addInitScript({ content: watching(shown) });
  const page = await context.newPage();
  const cold = await load(page, address.href, shown);
  // The tab has kept the key.
  address.hash = "";
  await page.goto("about:blank");
  return { cold, warm: await load(page, address.href, shown) };
}

async function load(
  page: Page,
  address: string,
  shown: Readonly<Record<string, string>>,
): Promise<Loaded> {
  await page.goto(address, { waitUntil: "commit" });
  for (const selector of Object.values(shown)) await page.locator(selector).first().waitFor();
  // Two frames later what was seen last has its time.
  return page.evaluate<Loaded>(`(async () => {
    for (const _ of [1, 2]) await new Promise((resolve) => requestAnimationFrame(resolve));
    const entries = performance.getEntriesByType("resource");
    const calls = entries.map(({ name, startTime, duration }) => ({ name, startTime, duration }));
    return { shown: whenShown, calls };
  })()`);
}

/** Runs in the page before anything of its own. */
function watching(shown: Readonly<Record<string, string>>): string {
  return `
    globalThis.whenShown = {};
    const selectors = Object.entries(${JSON.stringify(shown)});
    const look = () => {
      for (const [name, selector] of selectors) {
        if (name in whenShown || document.querySelector(selector) === null) continue;
        whenShown[name] = NaN;
        requestAnimationFrame(() => { whenShown[name] = performance.now(); });
      }
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });`;
}

function shownAfter(what: string, name: string, loaded: readonly Loaded[]): Finding {
  const times = loaded.map(({ shown }) => shown[name] ?? Number.NaN);
  const median = quantile(times, 0.5);
  const spread = `${ms(Math.min(...times))} – ${ms(Math.max(...times))}`;
  return figure(`${what}, median of ${times.length}`, `${ms(median)} (${spread})`, [
    `≤ ${count(targetMs)} ms`,
    median <= targetMs,
  ]);
}

function callsText(loaded: readonly Loaded[]): string {
  const calls = Map.groupBy(
    loaded.flatMap((each) => each.calls),
    ({ name }) => new URL(name).pathname,
  );
  const lines = [...calls].map(([path, each]) => {
    const median = (of: "startTime" | "duration") =>
      ms(
        quantile(
          each.map((call) => call[of]),
          0.5,
        ),
      );
    return `  ${path.padEnd(34)} at ${median("startTime").padStart(9)}, ${median("duration")}`;
  });
  return lines.join("\n");
}

/** Of all that the browser may have to fetch, as built. */
async function bundleSizes(): Promise<Finding[]> {
  const files = globSync(["index.html", "assets/*"], { cwd: pageFolder });
  const bytesOf = async (wanted: (file: string) => boolean) => {
    const read = files.filter(wanted).map((file) => readFile(join(pageFolder, file)));
    return (await Promise.all(read)).reduce((sum, { length }) => sum + length, 0);
  };
  const isEncoded = (file: string) => file.endsWith(".gz") || file.endsWith(".br");
  const sizes = {
    raw: await bytesOf((file) => !isEncoded(file)),
    gzip: await bytesOf((file) => file.endsWith(".gz")),
    brotli: await bytesOf((file) => file.endsWith(".br")),
  };
  return Object.entries(sizes).map(([how, bytes]) =>
    figure(`size of the page, ${how}`, `${(bytes / 1_024).toFixed(1)} KiB`),
  );
}
