/**
 * A support case, done in the portal alone: a customer's endpoint broke an hour ago and 500 events
 * are missing. Find it, see why, mend the URL, replay, watch it drain.
 */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { startPortal, type Portal } from "../support/portal.ts";
import { waitUntil } from "../support/wait.ts";

const missing = 500;

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

test(
  "500 missing events are found, explained, mended and replayed",
  { timeout: 180_000 },
  async () => {
    const { gateway, receiver, endpoint } = portal;
    await gateway.createTenant("acme");
    // The customer has moved: the old address still answers, and refuses.
    const old = await receiver({ kind: "answer", status: 404, body: "no such route: /hook" });
    const moved = await receiver();
    await endpoint("acme", { url: (await receiver()).url, description: "Another, which is well" });
    const broken = await endpoint("acme", {
      url: old.url,
      description: "Warehouse",
      retry_schedule: ["1s"],
    });
    const events = Array.from({ length: missing }, (_, index) => ({ subject: `order_${index}` }));
    await gateway.append("acme", ...events);
    await portal.deliveries("acme", "dead", missing);

    // Which is it?
    const { page } = await browser.open(portal.operatorLink);
    await page.getByLabel(/find/i).fill("acme");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "acme", exact: true }).first().click();
    await page.getByText(String(missing)).first().waitFor();
    await page
      .locator("main")
      .getByRole("link", { name: new RegExp(`:${old.port}/`) })
      .first()
      .click();

    // Why?
    await page.locator("main").getByText(/404/).first().waitFor();
    await page
      .getByRole("link", { name: /deliveries/i })
      .last()
      .click();
    await page.locator("main table").getByRole("link").first().click();
    await page.getByText("no such route: /hook").first().waitFor();

    // Mend it.
    await page.goto(`${portal.url}/portal/tenants/acme/endpoints/${broken}?tab=settings`);
    await page.getByLabel("URL").fill(moved.url);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText(/saved/i).first().waitFor();

    // Replay, and watch.
    await page
      .getByRole("navigation", { name: "Views" })
      .getByRole("link", { name: "Missed" })
      .click();
    await page.getByRole("button", { name: /^replay/i }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Start the replay" }).click();
    await page.getByRole("heading", { level: 1, name: /replay/i }).waitFor();
    await page.getByRole("progressbar").waitFor();
    const completed = page.getByText(`Completed. All ${missing} were accepted.`);
    await completed.waitFor({ timeout: 60_000 });

    const arrived = new Set(moved.requests.map(({ headers }) => headers["webhook-id"]));
    expect(arrived.size).toBe(missing);
    await page.goto(`${portal.url}/portal/tenants/acme`);
    await page.getByText("All delivered").waitFor();
    await waitUntil(async () => {
      const { json } = await gateway.call("GET", "/stats/undelivered?tenant=acme");
      return json?.["undelivered"] === 0;
    });
  },
);
