/**
 * The live feed, and the page of one event: what is appended shows up by itself, in order, once,
 * whatever the filter, the pause or the network does. What the page shows is held against what the
 * API says was appended.
 */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { succeed } from "../support/gateway.ts";
import { startPortal, type Portal } from "../support/portal.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";

/** As the page has it, in views/events/live.ts. */
const rowsMax = 500;

/** Pages ask again every 5 s, and on a busy machine a browser takes its time. */
vi.setConfig({ testTimeout: 60_000 });

let portal: Portal;
/** Between the browser and the gateway; the tests themselves speak to the gateway. */
let network: Proxy;
let origin: string;
let browser: Awaited<ReturnType<typeof startBrowser>>;

beforeAll(async () => {
  portal = await startPortal();
  network = await startProxy(portal.url);
  ({ origin } = new URL(network.url));
  browser = await startBrowser(origin);
});

afterEach(async () => {
  await network.restore();
  await browser.closeAll();
});

afterAll(async () => {
  await browser.stop();
  await network.stop();
  await portal.stop();
});

test("events show up as they are appended, in order and without a reload", async () => {
  const page = await openLive("flowing");
  await page.getByText("Nothing has come yet").waitFor();
  await page.evaluate(() => ((globalThis as { isFirstLoad?: true }).isFirstLoad = true));
  for (const subject of ["order_1", "order_2", "order_3"]) {
    await portal.gateway.append("flowing", { subject });
    await rows(page).first().getByText(subject, { exact: true }).waitFor();
  }
  await page.getByText(/^3 came since/).waitFor();
  expect(await shownSequences(page)).toEqual((await appended("flowing")).toReversed());
  expect(await page.evaluate(() => (globalThis as { isFirstLoad?: true }).isFirstLoad)).toBe(true);
});

test("a filter stands in the address, and only what matches shows up", async () => {
  const page = await openLive("filtered");
  await page.getByLabel("Types").fill("order.*");
  await page.getByText("Nothing that matches has come yet").waitFor();
  await isLive(page);
  expect(new URL(page.url()).searchParams.get("types")).toBe("order.*");
  await append("filtered", ["order.created", "invoice.paid", "order.paid"]);
  await rows(page).first().getByText("order.paid", { exact: true }).waitFor();
  const matching = (await appended("filtered", "order.*")).toReversed();
  expect(matching).toHaveLength(2);
  expect(await shownSequences(page)).toEqual(matching);

  // Somebody else gets the address.
  const { page: other } = await browser.open(await linkTo("filtered", new URL(page.url()).search));
  await isLive(other);
  expect(await other.getByLabel("Types").inputValue()).toBe("order.*");
  await append("filtered", ["invoice.sent", "order.shipped"]);
  await rows(other).first().getByText("order.shipped", { exact: true }).waitFor();
  expect(await shownSequences(other)).toEqual((await appended("filtered", "order.*")).slice(-1));
});

test("a pause counts what comes, and what came is shown when it goes on", async () => {
  const page = await openLive("paused");
  await append("paused", ["order.created"]);
  await rows(page).first().waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("None came meanwhile").waitFor();
  await append("paused", ["order.paid", "order.paid", "order.paid", "order.shipped"]);
  await page.getByText("4 came meanwhile").waitFor();
  expect(await shownSequences(page)).toHaveLength(1);
  await page.getByRole("button", { name: "Continue" }).click();
  await rows(page).nth(4).waitFor();
  expect(await shownSequences(page)).toEqual((await appended("paused")).toReversed());
});

test("after a cut nothing is missing and nothing is there twice", async () => {
  const page = await openLive("cut");
  await append("cut", ["order.created", "order.paid"]);
  await rows(page).nth(1).waitFor();
  await network.cut();
  await page.getByText("Reconnecting", { exact: true }).waitFor();
  await page.getByText("Nothing is missed: it goes on where it was cut.").waitFor();
  await append("cut", ["order.created", "order.paid", "order.shipped"]);
  expect(await shownSequences(page)).toHaveLength(2);
  await network.restore();
  await isLive(page);
  await rows(page).nth(4).waitFor();
  await append("cut", ["order.created"]);
  await page.getByText(/^6 came since/).waitFor();
  expect(await shownSequences(page)).toEqual((await appended("cut")).toReversed());
});

test("of a thousand events at once the newest are kept, and all are counted", async () => {
  const page = await openLive("flooded");
  await append("flooded", Array<string>(1_000).fill("order.created"));
  await page.getByText(/^1,000 came since .*; the newest 500 are shown$/).waitFor();
  const newest = (await appended("flooded")).toReversed().slice(0, rowsMax);
  expect(await shownSequences(page)).toEqual(newest);
});

test("an event's page tells of a delivery that fails, attempt by attempt", async () => {
  const { gateway } = portal;
  await gateway.createTenant("failing");
  const receiver = await portal.receiver({ kind: "answer", status: 422, body: "unknown order" });
  const endpoint = await portal.endpoint("failing", { url: receiver.url, retry_schedule: ["1s"] });
  const [event] = await gateway.append("failing", {
    type: "order.paid",
    subject: "Bestellung für Zoë",
  });
  const { page } = await browser.open(await linkTo("failing", "?from=earliest"));
  await rows(page, "Events in the order of the log").getByRole("button").click();
  await page.getByRole("link", { name: "What happened to this event" }).click();
  await page.getByRole("heading", { name: "order.paid", level: 1 }).waitFor();
  await page.getByText(/^Attempt 1: failed \(422\)/).waitFor();
  // By itself, while somebody looks.
  await page.getByText(/^Attempt 2, a retry: failed \(422\)/).waitFor();
  await page.getByText("Dead: it is not attempted any more").waitFor();
  await page.getByRole("link", { name: receiver.url }).first().waitFor();

  const { text } = await gateway.call("GET", `/events/${event?.id}?tenant=failing`);
  await page.getByText(`${Buffer.byteLength(text)} B`, { exact: true }).waitFor();
  const path = `/events/${event?.id}/timeline?tenant=failing`;
  const { endpoints, entries } = await succeed(gateway.call("GET", path));
  expect(endpoints).toMatchObject([{ id: endpoint, status: "dead", url: receiver.url }]);
  const kinds = (entries as { kind: string }[]).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "attempt")).toHaveLength(2);
  expect(kinds.at(-1)).toBe("dead_lettered");
  await page.getByRole("link", { name: "Requests and answers" }).click();
  await page.getByText("unknown order").first().waitFor();
});

/** The live feed of a new tenant, once it would miss nothing. */
async function openLive(tenant: string): Promise<Page> {
  await portal.gateway.createTenant(tenant);
  const { page } = await browser.open(await linkTo(tenant));
  await isLive(page);
  return page;
}

async function isLive(page: Page): Promise<void> {
  await page.getByRole("status").getByText("Live", { exact: true }).waitFor();
}

/** By way of the network that is cut. */
async function linkTo(tenant: string, search = ""): Promise<string> {
  const link = new URL(await portal.linkTo(tenant, "/events"));
  return `${origin}${link.pathname}${search}${link.hash}`;
}

function rows(page: Page, list = "The newest events") {
  return page.getByRole("list", { name: list }).getByRole("listitem");
}

/** From the top. */
async function shownSequences(page: Page): Promise<number[]> {
  const lines = await rows(page).allInnerTexts();
  return lines.map((line) => Number(line.split(/\s/, 1)[0]?.replaceAll(",", "")));
}

async function append(tenant: string, types: readonly string[]): Promise<void> {
  await portal.gateway.append(tenant, ...types.map((type) => ({ type })));
}

/** As the API tells them, the oldest first. */
async function appended(tenant: string, types?: string): Promise<number[]> {
  const filter = types === undefined ? "" : `&types=${types}`;
  const path = `/events?tenant=${tenant}&from=earliest&limit=1000${filter}`;
  const { events } = await succeed(portal.gateway.call("GET", path));
  return (events as { sequence: string }[]).map(({ sequence }) => Number(sequence));
}
