/** Who gets in, with what, and what stays of it in the browser. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { startPortal, type Portal } from "../support/portal.ts";

let portal: Portal;
let browser: Awaited<ReturnType<typeof startBrowser>>;

beforeAll(async () => {
  portal = await startPortal();
  browser = await startBrowser(portal.url);
  for (const tenant of ["acme", "globex"]) await portal.gateway.createTenant(tenant);
});

afterEach(() => browser.closeAll());

afterAll(async () => {
  await browser.stop();
  await portal.stop();
});

test("a link opens its tenant's portal, and its token is in no address and no history", async () => {
  const link = await portal.linkTo("acme");
  const token = link.split("token=")[1] ?? "";
  expect(token.length).toBeGreaterThan(20);
  const { page } = await browser.open(link);
  await page.getByRole("heading", { name: "acme" }).waitFor();
  expect(page.url()).toBe(`${portal.url}/portal/tenants/acme`);
  await page.getByRole("link", { name: "Endpoints", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Endpoints" }).waitFor();
  await page.goBack();
  expect(page.url()).toBe(`${portal.url}/portal/tenants/acme`);
  await page.goBack();
  expect(page.url()).not.toContain(token);
  await page.goForward();
  await page.reload();
  await page.getByRole("heading", { name: "acme" }).waitFor();
});

test("signing out forgets the key, and what it had shown", async () => {
  const { page } = await browser.open(await portal.linkTo("acme", "/keys"));
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.evaluate("JSON.stringify(sessionStorage)")).toBe("{}");
});

test("an operator signs in with a key, by keyboard alone", async () => {
  const { page, takeFaults } = await browser.open(`${portal.url}/portal`);
  await page.getByLabel("Key").fill("tg_op_wrong");
  await page.keyboard.press("Enter");
  await page
    .getByText(/not valid|over/)
    .first()
    .waitFor();
  await page.getByLabel("Key").fill(portal.gateway.operatorKey);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  await page.getByRole("link", { name: "Tenants" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "globex" }).waitFor();
  expect(takeFaults()).toEqual([]);
});

test("with a link of one tenant there is nothing of another", async () => {
  const { url } = await portal.receiver();
  const endpoint = await portal.endpoint("globex", { url });
  const [event] = await portal.gateway.append("globex", {
    type: "secret.plan",
    data: { planted: "planted" },
  });
  const [delivery] = await portal.deliveries("globex", "delivered", 1);
  const { page } = await browser.open(await portal.linkTo("acme"));
  await page.getByRole("heading", { name: "acme" }).waitFor();
  const ids = [`endpoints/${endpoint}`, `events/${event?.id}`, `deliveries/${delivery?.id}`];
  for (const tenant of ["acme", "globex"]) {
    for (const view of ["", "endpoints", "deliveries", "events?from=earliest", ...ids]) {
      if (tenant === "acme" && !view.includes("_")) continue; // its own
      await page.goto(`${portal.url}/portal/tenants/${tenant}/${view}`);
      await page
        .getByText(/nothing here/i)
        .first()
        .waitFor();
      expect(await page.locator("body").innerText(), `in ${view}`).not.toMatch(
        /planted|secret\.plan|hook/,
      );
    }
  }
  await page.goto(`${portal.url}/portal/system`);
  await page
    .getByText(/nothing here/i)
    .first()
    .waitFor();
});

test("a link that is over says so, and the next one opens in the same tab", async () => {
  const { page } = await browser.open(`${portal.url}/portal/tenants/acme#token=tg_pl_over`);
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page
    .getByRole("alert")
    .getByText(/not valid, or over/)
    .waitFor();
  expect(page.url()).toBe(`${portal.url}/portal/tenants/acme`);
  // All but what follows the # is as it was, so the browser loads nothing anew.
  await page.goto(await portal.linkTo("acme"));
  await page.getByRole("heading", { name: "acme" }).waitFor();
  expect(page.url()).toBe(`${portal.url}/portal/tenants/acme`);
});

test("signing out is no refusal", async () => {
  const { page } = await browser.open(await portal.linkTo("acme", "/keys"));
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
});

test("an address that is no address shows that there is nothing", async () => {
  const { page } = await browser.open(await portal.linkTo("acme"));
  await page.getByRole("heading", { name: "acme" }).waitFor();
  await page.goto(`${portal.url}/portal/tenants/%E0%A4%A`);
  await page
    .getByText(/nothing here/i)
    .first()
    .waitFor();
});
