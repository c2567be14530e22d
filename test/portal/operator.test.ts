/** What operators see of all tenants, and how they get from a question to its page. */
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
let failing: Awaited<ReturnType<typeof createFailing>>;

beforeAll(async () => {
  portal = await startPortal();
  browser = await startBrowser(portal.url);
  failing = await createFailing();
});

afterEach(() => browser.closeAll());

afterAll(async () => {
  await browser.stop();
  await portal.stop();
});

test("the endpoint that fails stands first, with why, and leads to its page", async () => {
  const page = await open("");
  const told = await waitUntil(async () => {
    const { endpoints } = await succeed(portal.gateway.call("GET", "/system"));
    const { worst } = endpoints as { worst: { id: string; tenant: string }[] };
    return worst.length > 0 && worst;
  });
  expect(told[0]).toMatchObject({ id: failing.endpoint, tenant: "failing-inc" });
  const missing = page.getByRole("table", { name: "Endpoints with undelivered events" });
  const failed = page.getByRole("table", { name: "Failing endpoints" });
  for (const table of [missing, failed]) {
    const first = table.getByRole("row").nth(1);
    await first.getByRole("link", { name: failing.url, exact: true }).waitFor();
    await first.getByRole("link", { name: "failing-inc" }).waitFor();
  }
  await failed.getByText(/503/).first().waitFor();
  const { undelivered } = await succeed(portal.gateway.call("GET", "/stats/undelivered"));
  const stat = page.locator("dl").filter({ hasText: "Events undelivered" });
  expect(await stat.locator("dd").first().innerText()).toBe(String(undelivered));
  await failed.getByRole("link", { name: failing.url, exact: true }).click();
  await page.waitForURL(`**/portal/tenants/failing-inc/endpoints/${failing.endpoint}`);
  await page.locator("main").getByText(/503/).first().waitFor();
});

test.each([
  ["an event's id", () => failing.event, "Events", () => `/events/${failing.event}`],
  [
    "a delivery's id",
    () => failing.delivery,
    "Deliveries",
    () => `/deliveries/${failing.delivery}`,
  ],
  ["an endpoint's host", () => failing.host, "Endpoints", () => `/endpoints/${failing.endpoint}`],
  ["a tenant's name", () => "Failing, In", "Tenants", () => ""],
])("%s is found, and leads to its page", async (_, text, kind, leadsTo) => {
  const page = await open("");
  await page.getByRole("searchbox", { name: /^Find/ }).fill(text());
  await page.keyboard.press("Enter");
  await page.getByRole("table", { name: kind }).getByRole("link").first().click();
  await page.waitForURL(`${portal.url}/portal/tenants/failing-inc${leadsTo()}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await expect.poll(() => page.getByText("There is nothing here").count()).toBe(0);
  const { hits } = await succeed(
    portal.gateway.call("GET", `/search?q=${encodeURIComponent(text())}`),
  );
  expect(hits).toMatchObject([{ tenant: "failing-inc" }]);
});

test("what is nowhere is not found, and said so", async () => {
  const page = await open("/search?q=evt_nothing_like_it");
  await page.getByText("Nothing was found").waitFor();
  expect(await page.locator("main table").count()).toBe(0);
});

test("a tenant is created, and its empty overview is shown", async () => {
  const page = await open("/tenants");
  await page.getByRole("button", { name: "New tenant" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Tenant", { exact: true }).fill("no/slashes");
  const create = dialog.getByRole("button", { name: "Create" });
  expect(await create.getAttribute("aria-disabled")).toBe("true");
  await dialog.getByLabel("Tenant", { exact: true }).fill("new-ltd");
  await dialog.getByLabel("Name for people").fill("New Ltd.");
  await create.click();
  await page.waitForURL(`${portal.url}/portal/tenants/new-ltd`);
  await page.getByText("Nothing has happened here yet").waitFor();
  const { json } = await portal.gateway.call("GET", "/tenants/new-ltd");
  expect(json).toMatchObject({ tenant: "new-ltd", name: "New Ltd." });
  await page.getByRole("link", { name: "Tenants", exact: true }).click();
  const row = page.getByRole("row").filter({ hasText: "new-ltd" });
  await row.getByText("New Ltd.").waitFor();
});

test("the system's page tells of shards, the process, chores and a replay that runs", async () => {
  const { gateway } = portal;
  const replay = await startSlowReplay();
  const page = await open("/system");
  const system = await waitUntil(async () => {
    const found = (await succeed(gateway.call("GET", "/system"))) as unknown as System;
    return found.shards.unheld === 0 && found.replays.newest.length > 0 && found;
  });
  const main = page.locator("main");
  const { total, held } = system.shards;
  await main.getByText(`${held} of ${total} held by push processes`).first().waitFor();
  await main.getByText(system.process.id, { exact: true }).first().waitFor();
  await main.getByText(system.process.roles.join(", "), { exact: true }).waitFor();
  const chores = page.getByRole("table", { name: "Chores" });
  const names = await chores.locator("tbody tr td:first-child").allInnerTexts();
  expect(names.toSorted()).toEqual(system.housekeeping.chores.map(({ name }) => name).toSorted());
  expect(names.length).toBeGreaterThan(0);
  const running = page.getByRole("table", { name: "Replays that are running" });
  await running.getByRole("link", { name: replay, exact: true }).click();
  await page.getByRole("progressbar").waitFor();
  await page.getByRole("button", { name: "Cancel the replay" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Cancel the replay" }).click();
  await waitUntil(async () => {
    const { status } = await succeed(gateway.call("GET", `/replays/${replay}?tenant=slow-inc`));
    return status === "cancelled";
  });
});

type System = {
  shards: { total: number; held: number; unheld: number };
  process: { id: string; roles: string[] };
  housekeeping: { chores: { name: string }[] };
  replays: { newest: { id: string }[] };
};

async function open(view: string): Promise<Page> {
  const [address = "", key] = portal.operatorLink.split("#");
  const [path, search] = view.split("?");
  const query = search === undefined ? "" : `?${search}`;
  return (await browser.open(`${address}${path}${query}#${key}`)).page;
}

/** A tenant with an endpoint that fails, among tenants with some that do not. */
async function createFailing() {
  const { gateway } = portal;
  const well = await portal.receiver();
  for (const tenant of ["quiet-inc", "well-inc"]) {
    await gateway.createTenant(tenant);
    await portal.endpoint(tenant, { url: well.url });
    await gateway.append(tenant, {}, {});
  }
  const name = "Failing, Inc.";
  await succeed(gateway.call("PUT", "/tenants/failing-inc", { body: { name } }));
  const { url, port } = await portal.receiver({ kind: "answer", status: 503 });
  const endpoint = await portal.endpoint("failing-inc", { url });
  const appended = await gateway.append("failing-inc", {}, {}, {});
  await portal.deliveries("failing-inc", "retrying", 1);
  const [delivery] = await portal.deliveries("failing-inc", "retrying", 1);
  const event = String(appended[0]?.id);
  return { url, endpoint, event, delivery: String(delivery?.id), host: `127.0.0.1:${port}` };
}

/** The id of one that runs until it is cancelled. */
async function startSlowReplay(): Promise<string> {
  const { gateway } = portal;
  await gateway.createTenant("slow-inc");
  const receiver = await portal.receiver();
  const endpoint = await portal.endpoint("slow-inc", { url: receiver.url });
  await gateway.append("slow-inc", ...Array<object>(20).fill({}));
  await portal.deliveries("slow-inc", "delivered", 20);
  receiver.behave({ kind: "hang" });
  const path = `/endpoints/${endpoint}/replays`;
  const { id } = await succeed(gateway.call("POST", path, { body: { status: "all" } }));
  return String(id);
}
