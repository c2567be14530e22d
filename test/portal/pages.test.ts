/**
 * Every page of the portal, wide and on a phone, light and dark: it shows what it is for, without an
 * error on its console, without a serious finding of axe-core, and without scrolling sideways. Each
 * is left as a picture in screenshots/ for a person to look at.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  accessibilityFaults,
  sidewaysPixels,
  startBrowser,
  takePicture,
  type Look,
} from "../support/browser.ts";
import { createShowcase, startPortal, type Portal } from "../support/portal.ts";

let portal: Portal;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let showcase: Awaited<ReturnType<typeof createShowcase>>;
let dead: string;

beforeAll(async () => {
  portal = await startPortal();
  browser = await startBrowser(portal.url);
  showcase = await createShowcase(portal, "acme");
  dead = (await portal.deliveries("acme", "dead", 1))[0]?.id ?? "";
});

afterEach(() => browser.closeAll());

afterAll(async () => {
  await browser.stop();
  await portal.stop();
});

/** What each view has to show before it counts as there. */
const tenantViews: readonly { name: string; view: () => string; shows: string | RegExp }[] = [
  { name: "overview", view: () => "", shows: /attempts in the last/ },
  { name: "endpoints", view: () => "/endpoints", shows: "Warehouse" },
  { name: "new-endpoint", view: () => "/endpoints/new", shows: /URL/ },
  { name: "endpoint", view: () => `/endpoints/${showcase.endpoints.broken}`, shows: /503/ },
  { name: "deliveries", view: () => "/deliveries", shows: "order.created" },
  { name: "delivery", view: () => `/deliveries/${dead}`, shows: /422/ },
  { name: "missed", view: () => "/missed", shows: "invoice.paid" },
  { name: "replays", view: () => "/replays", shows: /replay/i },
  { name: "events", view: () => "/events?from=earliest", shows: "order.created" },
  { name: "event", view: () => `/events/${showcase.events[0]?.id}`, shows: "order_1000" },
  { name: "event-types", view: () => "/event-types", shows: "order.created" },
  { name: "consumers", view: () => "/consumers", shows: "analytics" },
  { name: "signatures", view: () => "/signatures", shows: "webhook-signature" },
  { name: "keys", view: () => "/keys", shows: "append" },
  { name: "limits", view: () => "/limits", shows: /endpoints/i },
];

const operatorViews = [
  { name: "operator", view: "", shows: "Failing endpoints" },
  { name: "tenants", view: "/tenants", shows: "acme" },
  { name: "search", view: "/search?q=acme", shows: "What it is" },
  { name: "system", view: "/system", shows: "Housekeeping" },
];

const looks: readonly Required<Look>[] = [
  { width: "wide", colours: "light" },
  { width: "wide", colours: "dark" },
  { width: "phone", colours: "light" },
  { width: "phone", colours: "dark" },
];

test.each(looks)("a customer's pages are sound, $width and $colours", async (look) => {
  const { page } = await browser.open(await portal.linkTo("acme"), look);
  for (const { name, view, shows } of tenantViews) {
    await page.goto(`${portal.url}/portal/tenants/acme${view()}`);
    await page.locator("main").getByText(shows).first().waitFor();
    await expectSound(page, look, name);
  }
});

test.each(looks)("an operator's pages are sound, $width and $colours", async (look) => {
  const { page } = await browser.open(portal.operatorLink, look);
  for (const { name, view, shows } of operatorViews) {
    await page.goto(`${portal.url}/portal${view}`);
    await page.locator("main").getByText(shows).first().waitFor();
    await expectSound(page, look, name);
  }
});

type Page = Awaited<ReturnType<typeof browser.open>>["page"];

async function expectSound(page: Page, { width, colours }: Required<Look>, name: string) {
  await takePicture(page, `${name}-${width}-${colours}`);
  expect.soft(await accessibilityFaults(page), `in ${name}`).toEqual([]);
  const sideways = await sidewaysPixels(page);
  expect.soft(sideways, `${name} scrolls sideways`).toBeLessThanOrEqual(0);
}
