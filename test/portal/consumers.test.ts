/** Named consumers and limits, as a customer sees and changes them. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { succeed } from "../support/gateway.ts";
import { startPortal, type Portal } from "../support/portal.ts";

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

test("a consumer is created, falls behind, is put elsewhere and removed", async () => {
  const { gateway } = portal;
  await gateway.createTenant("reading");
  await gateway.append("reading", ...events(4), ...events(3, "invoice.paid"));
  const page = await open("reading", "/consumers");
  await page.getByText("No consumers").waitFor();
  await page.getByRole("button", { name: "Create a consumer" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("not a name");
  const create = dialog.getByRole("button", { name: "Create" });
  expect(await create.getAttribute("aria-disabled")).toBe("true");
  await dialog.getByLabel("Name").fill("warehouse");
  await dialog.getByLabel("Types").fill("order.*");
  await dialog.getByLabel("Starts with").selectOption("The oldest event there is");
  await create.click();
  await page.getByText("Created the consumer warehouse").waitFor();
  await page.getByRole("heading", { name: "warehouse", level: 1 }).waitFor();
  await toRead(page, (await consumer("warehouse")).lag.events);
  expect(await consumer("warehouse")).toMatchObject({ types: ["order.*"], position: zero });

  const before = (await consumer("warehouse")).lag.events;
  await gateway.append("reading", ...events(5));
  await toRead(page, before + 5);
  expect((await consumer("warehouse")).lag.events).toBe(before + 5);
  await page.getByRole("link", { name: "Consumers", exact: true }).first().click();
  const row = page.getByRole("row").filter({ hasText: "warehouse" });
  await row.getByText(`${before + 5} events`).waitFor();
  await row.getByRole("link", { name: "warehouse" }).click();

  await page.getByRole("button", { name: "Put it elsewhere" }).click();
  await dialog.getByLabel("Goes on with").selectOption({ index: 0 });
  await dialog.getByText("All events that it has not read are passed over.").waitFor();
  await dialog.getByRole("button", { name: "Put it there" }).click();
  await page.getByText("It has read all there is").waitFor();
  expect((await consumer("warehouse")).lag.events).toBe(0);

  await page.getByRole("button", { name: "Remove" }).click();
  await dialog.getByText("Its place in the log is forgotten").waitFor();
  await dialog.getByRole("button", { name: "Remove the consumer" }).click();
  await page.getByText("No consumers").waitFor();
  const { status } = await gateway.call("GET", "/consumers/warehouse?tenant=reading");
  expect(status).toBe(404);
});

test("a cursor that is none is refused where it was put, and nothing is moved", async () => {
  const { gateway } = portal;
  await gateway.createTenant("misplaced");
  await gateway.append("misplaced", ...events(2));
  await succeed(
    gateway.call("PUT", "/consumers/reader?tenant=misplaced", { body: { start: "earliest" } }),
  );
  const page = await open("misplaced", "/consumers/reader");
  await toRead(page, 2);
  await page.getByRole("button", { name: "Put it elsewhere" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Goes on with").selectOption("After a cursor");
  await dialog.getByLabel("Cursor").fill("a".repeat(64));
  await dialog.getByRole("button", { name: "Put it there" }).click();
  await dialog
    .getByRole("alert")
    .getByText(/cursor/i)
    .first()
    .waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
  const { lag } = await succeed(gateway.call("GET", "/consumers/reader?tenant=misplaced"));
  expect(lag).toMatchObject({ events: 2 });
});

test("limits show what is used of them", async () => {
  const { gateway } = portal;
  const limits = { appends_per_second: 1_500, pushes_per_second: 70, endpoints: 4 };
  await succeed(gateway.call("PUT", "/tenants/limited", { body: { limits } }));
  const { url } = await portal.receiver();
  for (const path of ["/a", "/b", "/c"]) await portal.endpoint("limited", { url: `${url}${path}` });
  const page = await open("limited", "/limits");
  await page.getByText("3 of 4 endpoints", { exact: true }).waitFor();
  await page.getByText("70 attempts a second", { exact: true }).waitFor();
  await page.getByText(/^\d+ of 1,500 events a second$/).waitFor();
  const told = await succeed(gateway.call("GET", "/limits?tenant=limited"));
  expect(told).toMatchObject({ limits, use: { endpoints: 3 } });

  // It follows what happens elsewhere.
  await portal.endpoint("limited", { url: `${url}/d` });
  await page.getByText("4 of 4 endpoints", { exact: true }).waitFor();
  const refused = await gateway.call("POST", "/endpoints", { body: { tenant: "limited", url } });
  expect(refused).toMatchObject({ status: 429, slug: "quota-exceeded" });
});

const zero = "0".repeat(20);

async function open(tenant: string, view: string): Promise<Page> {
  return (await browser.open(await portal.linkTo(tenant, view))).page;
}

function events(count: number, type = "order.created"): object[] {
  return Array.from({ length: count }, () => ({ type }));
}

/** Waits until the consumer's page says so. */
async function toRead(page: Page, count: number): Promise<void> {
  const shown = page
    .locator("main")
    .getByText("Events to read")
    .locator("xpath=following-sibling::dd[1]");
  await expect.poll(() => shown.innerText(), { timeout: 15_000 }).toBe(String(count));
}

type Consumer = { position: string; types: string[] | null; lag: { events: number } };

async function consumer(name: string): Promise<Consumer> {
  return (await succeed(
    portal.gateway.call("GET", `/consumers/${name}?tenant=reading`),
  )) as Consumer;
}
