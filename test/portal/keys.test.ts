/** Keys that a customer makes in the portal, tried with the API; and what event types tell. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { succeed } from "../support/gateway.ts";
import { startPortal, type Portal } from "../support/portal.ts";

/** Each step is a look at a real page, and other tests run meanwhile. */
vi.setConfig({ testTimeout: 90_000 });

let portal: Portal;
let browser: Awaited<ReturnType<typeof startBrowser>>;

beforeAll(async () => {
  portal = await startPortal();
  browser = await startBrowser(portal.url);
  await portal.gateway.createTenant("acme");
});

afterEach(() => browser.closeAll());

afterAll(async () => {
  await browser.stop();
  await portal.stop();
});

test("a key is shown once, does what its scope allows, and nothing once it is revoked", async () => {
  const { gateway } = portal;
  const { page } = await browser.open(await portal.linkTo("acme", "/keys"));
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Create key" }).click();
  await dialog.getByText("choose at least one").waitFor();
  await dialog.getByLabel("Description").fill("The shop");
  await dialog.getByLabel("append", { exact: true }).check();
  await dialog.getByLabel("Ends").selectOption("In a day");
  await dialog.getByRole("button", { name: "Create key" }).click();

  await dialog.getByText("it is shown this once").waitFor();
  const key = await dialog.locator(".secret code").innerText();
  await dialog.getByRole("button", { name: "I have copied it" }).click();
  await page.locator("main table").getByText("The shop").waitFor();
  expect(await page.locator("body").innerText()).not.toContain(key);

  const append = { key, body: { type: "order.created", data: {} } };
  expect((await gateway.call("POST", "/events", append)).status).toBe(201);
  expect(await gateway.call("GET", "/events", { key })).toMatchObject({ slug: "scope-missing" });
  const made = (await keys()).find(({ description }) => description === "The shop");
  expect(made?.scopes).toEqual(["append"]);
  const hoursLeft = (Date.parse(made?.expires_at ?? "") - Date.now()) / 3_600_000;
  expect(hoursLeft).toBeGreaterThan(23);
  expect(hoursLeft).toBeLessThanOrEqual(24);

  await page.getByRole("button", { name: "Revoke The shop" }).click();
  await dialog.getByText(String(made?.id)).waitFor();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await page.getByText("The key is revoked").waitFor();
  await page.locator("main table").getByText("The shop").waitFor({ state: "detached" });
  expect((await gateway.call("POST", "/events", append)).status).toBe(401);
});

test("whoever revokes the key that they are here with is signed out", async () => {
  const key = await portal.gateway.createKey("acme");
  const { page } = await browser.open(`${portal.url}/portal/tenants/acme/keys#token=${key}`);
  const row = page.getByRole("row", { name: /this page's key/ });
  await row.getByRole("button", { name: "Revoke" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("it signs you out").waitFor();
  await dialog.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect((await portal.gateway.call("GET", "/keys", { key })).status).toBe(401);
});

test("an event type shows what it is, its schema digit for digit, and who receives it", async () => {
  const { gateway } = portal;
  const schema = '{"type":"object","properties":{"n":{"maximum":12345678901234567890}}}';
  const body = `{"description":"An order was paid","schema":${schema}}`;
  await succeed(gateway.call("PUT", "/event-types/order.paid", { body }));
  await succeed(gateway.call("PUT", "/event-types/order.lost", { body: {} }));
  const { url } = await portal.receiver();
  await portal.endpoint("acme", { url, types: ["order.paid"] });

  const { page } = await browser.open(await portal.linkTo("acme", "/event-types"));
  await page.locator("main table").getByText("An order was paid").waitFor();
  await page.getByLabel("Text").fill("lost");
  await page.locator("main table").getByText("order.paid").waitFor({ state: "detached" });
  await page.getByLabel("Text").fill("");
  await page.getByRole("link", { name: "order.paid" }).click();
  await page.getByText("An order was paid").waitFor();
  await page.getByLabel("the schema").getByText("12345678901234567890").waitFor();
  await page.getByRole("table").getByRole("link", { name: url }).waitFor();

  await page.goto(`${portal.url}/portal/tenants/acme/event-types/order.lost`);
  await page.getByText("“data” may be anything").waitFor();
  await page.getByRole("heading", { name: "None does" }).waitFor();

  // As the page says of the first.
  const wrong = { tenant: "acme", type: "order.paid", data: [] };
  expect((await gateway.call("POST", "/events", { body: wrong })).status).toBe(422);
});

type Key = { id: string; description: string | null; scopes: string[]; expires_at: string | null };

async function keys(): Promise<Key[]> {
  return (await succeed(portal.gateway.call("GET", "/keys?tenant=acme")))["keys"] as Key[];
}
