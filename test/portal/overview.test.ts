/**
 * A tenant's overview: its numbers are the API's, follow what happens while somebody looks, and the
 * page stands still meanwhile.
 */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { succeed } from "../support/gateway.ts";
import { startPortal, type Portal } from "../support/portal.ts";
import { waitUntil } from "../support/wait.ts";

/** Pages ask again every 5 s, and on a busy machine a browser takes its time. */
vi.setConfig({ testTimeout: 60_000 });

let portal: Portal;
let browser: Awaited<ReturnType<typeof startBrowser>>;

beforeAll(async () => {
  portal = await startPortal();
  browser = await startBrowser(portal.url);
});

afterEach(() => browser.closeAll());

afterAll(async () => {
  await browser.stop();
  await portal.stop();
});

test("undelivered numbers are the API's, and fall as a receiver is mended", async () => {
  const { gateway, receiver, endpoint } = portal;
  await gateway.createTenant("mended");
  const failing = await receiver({ kind: "answer", status: 404 });
  const refusing = await receiver({ kind: "answer", status: 422 });
  // Often enough that it is still tried when the receiver is mended, on whatever machine.
  const soon = Array<string>(20).fill("3s");
  const endpoints = {
    failing: await endpoint("mended", { url: failing.url, retry_schedule: soon }),
    refusing: await endpoint("mended", {
      ...{ url: refusing.url, types: ["invoice.*"], retry_schedule: ["1s"] },
    }),
    paused: await endpoint("mended", { url: `${refusing.url}/paused` }),
  };
  await succeed(gateway.call("POST", `/endpoints/${endpoints.paused}/pause`));
  await gateway.append("mended", ...events(7), ...events(2, "invoice.paid"));
  await portal.deliveries("mended", "retrying", 9);
  await portal.deliveries("mended", "dead", 2);

  const page = await open("mended");
  await page.getByText(/: 20 deliveries are missing/).waitFor();
  const before = await undelivered("mended", "24h");
  expect(before).toMatchObject({ exact: true, undelivered: 9, deliveries: 20 });
  expect(await split(page)).toEqual(numbersOf(before));
  expect(await split(page)).toEqual({ retrying: 9, waiting: 9, dead: 2 });
  expect(await rowNumbers(page, failing.url)).toEqual([9, 0, 0]);
  expect(await rowNumbers(page, refusing.url)).toEqual([0, 0, 2]);

  const shown = page.locator("main").locator("table tbody tr, canvas, .split li");
  const marked = await mark(shown);
  await refetched(page);
  // What is marked is what was there: nothing was made anew, nothing left.
  expect(await page.locator("[data-seen]").count()).toBe(marked);
  expect(await shown.count()).toBe(marked);

  failing.behave({ kind: "answer", status: 204 });
  await table(page)
    .getByRole("link", { name: failing.url, exact: true })
    .waitFor({ state: "detached" });
  const after = await undelivered("mended", "24h");
  expect(after).toMatchObject({ retrying: 0, waiting: 9, dead: 2 });
  expect(await split(page)).toEqual(numbersOf(after));
  // The row that left took no other with it.
  expect(await page.locator("[data-seen]").count()).toBe(marked - 1);

  refusing.behave({ kind: "answer", status: 204 });
  await succeed(gateway.call("POST", `/endpoints/${endpoints.paused}/resume`));
  const replay = { status: "dead" };
  await succeed(gateway.call("POST", `/endpoints/${endpoints.refusing}/replays`, { body: replay }));
  await page.getByText("All delivered", { exact: true }).waitFor();
  expect(await undelivered("mended", "24h")).toMatchObject({ exact: true, deliveries: 0 });
});

test("how far to look back stands in the address, and is what is asked", async () => {
  await deliver("windows", 3);
  const page = await open("windows");
  await page.getByText(/^Every event of the last 24 hours/).waitFor();
  const asked = page.waitForRequest(/\/stats\/undelivered\?/);
  await page.getByRole("button", { name: "1h", exact: true }).click();
  expect(new URL((await asked).url()).searchParams.get("window")).toBe("1h");
  await page.getByText(/^Every event of the last hour/).waitFor();
  await page.getByRole("heading", { name: "Attempts of the last hour" }).waitFor();
  await page.reload();
  await page.getByText(/^Every event of the last hour/).waitFor();
  const chosen = page.getByRole("button", { name: "1h", exact: true });
  expect(await chosen.getAttribute("aria-pressed")).toBe("true");
  expect(new URL(page.url()).searchParams.get("window")).toBe("1h");
  expect(await undelivered("windows", "1h")).toMatchObject({ exact: true, deliveries: 0 });
});

test("charts say what they show: a sentence, and a table that adds up to the API's totals", async () => {
  const { gateway, receiver, endpoint } = portal;
  await deliver("charted", 5);
  const refusing = await receiver({ kind: "answer", status: 422 });
  const types = ["invoice.*"];
  await endpoint("charted", { url: refusing.url, types, retry_schedule: ["1s"] });
  await gateway.append("charted", ...events(2, "invoice.paid"));
  await portal.deliveries("charted", "dead", 2);
  const { totals, ...of } = await waitUntil(
    async () => {
      const found = await series("charted");
      return found.totals.count === 11 && found;
    },
    // Outcomes are counted a little after they are written.
    { deadlineMs: 20_000, what: "11 attempts are counted" },
  );
  expect(totals.failures).toBe(4);

  const page = await open("charted");
  await page.getByText("11 attempts in the last 24 hours; 4 failed.").waitFor();
  const chart = page.getByRole("figure").filter({ hasText: "11 attempts" });
  const slider = chart.getByRole("slider", { name: /^Attempts over time/ });
  await slider.focus();
  await slider.press("End");
  expect(await slider.getAttribute("aria-valuetext")).toMatch(/Accepted \d+, Failed \d+$/);
  await chart.getByRole("button", { name: "Show as a table" }).click();
  const values = chart.getByRole("region", { name: "Attempts over time, as a table" });
  const lines = await values.locator("tbody tr").all();
  const cells = await Promise.all(lines.map((line) => line.getByRole("cell").allInnerTexts()));
  const sum = (column: number) => cells.reduce((all, line) => all + Number(line[column]), 0);
  expect(cells).toHaveLength(of.series.length);
  expect({ accepted: sum(0), failed: sum(1) }).toEqual({
    ...{ accepted: totals.count - totals.failures, failed: totals.failures },
  });
});

test("a tenant in which nothing has happened is guided to its first event", async () => {
  const { gateway } = portal;
  await gateway.createTenant("empty");
  const page = await open("empty");
  await page.getByRole("heading", { name: "Nothing has happened here yet" }).waitFor();
  await page.getByText(`curl ${portal.url}/events`).waitFor();
  await page.getByText("Waiting for the first event …").waitFor();
  await page.getByRole("link", { name: "Create an endpoint" }).click();
  const receiver = await portal.receiver();
  await page.getByLabel("URL").fill(receiver.url);
  await page.getByRole("button", { name: /create/i }).click();
  await page.getByText(receiver.url).first().waitFor();
  await page.goto(`${portal.url}/portal/tenants/empty`);
  await page.getByRole("heading", { name: "Create an endpoint done" }).waitFor();
  await gateway.append("empty", {});
  await page.getByText("All delivered", { exact: true }).waitFor();
  expect(await receiver.received(1)).toHaveLength(1);
  const { endpoints } = await succeed(gateway.call("GET", "/endpoints?tenant=empty"));
  expect(endpoints).toMatchObject([{ url: receiver.url, status: "active" }]);
});

async function open(tenant: string): Promise<Page> {
  return (await browser.open(await portal.linkTo(tenant))).page;
}

function events(count: number, type = "order.created"): object[] {
  return Array.from({ length: count }, () => ({ type }));
}

/** A new tenant whose events have all arrived. */
async function deliver(tenant: string, count: number): Promise<void> {
  await portal.gateway.createTenant(tenant);
  const { url } = await portal.receiver();
  await portal.endpoint(tenant, { url });
  await portal.gateway.append(tenant, ...events(count));
  await portal.deliveries(tenant, "delivered", count);
}

type Numbers = { retrying: number; waiting: number; dead: number };

async function undelivered(tenant: string, window: string): Promise<Record<string, unknown>> {
  const path = `/stats/undelivered?tenant=${tenant}&window=${window}`;
  return succeed(portal.gateway.call("GET", path));
}

function numbersOf({ retrying, waiting, dead }: Record<string, unknown>): Numbers {
  return { retrying: Number(retrying), waiting: Number(waiting), dead: Number(dead) };
}

type Series = { totals: { count: number; failures: number }; series: unknown[] };

async function series(tenant: string): Promise<Series> {
  const path = `/stats/deliveries?tenant=${tenant}&window=24h&step=15m`;
  return (await succeed(portal.gateway.call("GET", path))) as Series;
}

/** In how far each way of not being delivered applies, as the page has it. */
/** What the page calls the API's words. */
const partNames: Readonly<Record<string, string>> = {
  Retrying: "retrying",
  Waiting: "waiting",
  "Dead letter": "dead",
};

async function split(page: Page): Promise<Record<string, number>> {
  const parts = await page.locator("main .split li").all();
  const pairs = await Promise.all(
    parts.map(async (part) => {
      const name = await part.locator(".badge").innerText();
      return [partNames[name] ?? name, Number(await part.locator("strong").innerText())] as const;
    }),
  );
  return Object.fromEntries(pairs);
}

function table(page: Page) {
  return page.getByRole("table", { name: "Endpoints with undelivered events" });
}

/** Retrying, waiting and dead, of the endpoint with this URL. */
async function rowNumbers(page: Page, url: string): Promise<number[]> {
  const link = page.getByRole("link", { name: url, exact: true });
  const row = table(page).getByRole("row").filter({ has: link });
  const texts = await row.locator("td.number").allInnerTexts();
  return texts.map(Number);
}

/** Marks these elements, to know them again. Gives how many. */
async function mark(elements: ReturnType<Page["locator"]>): Promise<number> {
  return elements.evaluateAll((all) => {
    for (const each of all) each.setAttribute("data-seen", "");
    return all.length;
  });
}

/** Waits until all that the overview shows has been asked for again, and shown. */
async function refetched(page: Page): Promise<void> {
  await Promise.all([
    page.waitForResponse(/\/stats\/undelivered\?/),
    page.waitForResponse(/\/stats\/deliveries\?/),
  ]);
  await page.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))");
}
