/**
 * What strangers write is shown as text and does nothing: events, descriptions, answers of
 * receivers, names. Each view is looked at on a desk's screen and on a phone's.
 */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { sidewaysPixels, startBrowser, type Tab } from "../support/browser.ts";
import { succeed } from "../support/gateway.ts";
import { startPortal, type Portal } from "../support/portal.ts";

type Page = Tab["page"];

const script = "<script>alert(1)</script>";
const image = "<img src=x onerror=alert(2)>";
const address = "javascript:alert(3)";
const markup = `${script}${image}<a href="${address}">here</a>`;

/** Turns around what follows it, if nothing isolates it. */
const turned = "\u202egnp.exe \u05e9\u05dc\u05d5\u05dd \u200b\u200d\ufeff\u{1f469}\u200d\u{1f680}";

const endless = "w".repeat(10_000);
const bigInteger = "12345678901234567890";

/** Legal, and no place in a path that anybody would expect. */
const tenant = "...";
const consumer = "a..b.-_";

/** Each step is a look at a real page, and other tests run meanwhile. */
vi.setConfig({ testTimeout: 90_000 });

let portal: Portal;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let made: Awaited<ReturnType<typeof createHostile>>;

beforeAll(async () => {
  portal = await startPortal();
  browser = await startBrowser(portal.url);
  made = await createHostile();
});

afterEach(() => browser.closeAll());

afterAll(async () => {
  await browser.stop();
  await portal.stop();
});

/** Where something hostile is to be seen, and which of it. */
const views: readonly { name: string; view: () => string; shows: string }[] = [
  { name: "feed", view: () => "/events?from=earliest", shows: script },
  { name: "event", view: () => `/events/${made.events.markup}`, shows: image },
  { name: "event with an extension", view: () => `/events/${made.events.extended}`, shows: markup },
  { name: "turned event", view: () => `/events/${made.events.turned}`, shows: turned },
  { name: "endless event", view: () => `/events/${made.events.endless}`, shows: "w".repeat(1_024) },
  { name: "deep event", view: () => `/events/${made.events.deep}`, shows: "the ground" },
  { name: "deliveries", view: () => "/deliveries", shows: "order.created" },
  { name: "delivery", view: () => `/deliveries/${made.delivery}`, shows: image },
  { name: "missed", view: () => "/missed", shows: "order.created" },
  { name: "endpoints", view: () => "/endpoints", shows: image },
  { name: "endpoint", view: () => `/endpoints/${made.endpoint}`, shows: image },
  { name: "settings", view: () => `/endpoints/${made.endpoint}?tab=settings`, shows: image },
  { name: "missed tab", view: () => `/endpoints/${made.endpoint}?tab=missed`, shows: script },
  { name: "paused endpoint", view: () => `/endpoints/${made.paused}`, shows: script },
  { name: "signatures", view: () => `/signatures?endpoint=${made.endpoint}`, shows: "Signed with" },
  { name: "consumers", view: () => "/consumers", shows: consumer },
  { name: "consumer", view: () => `/consumers/${consumer}`, shows: consumer },
  { name: "event types", view: () => "/event-types", shows: image },
  { name: "event type", view: () => "/event-types/order.created", shows: image },
  { name: "keys", view: () => "/keys", shows: image },
  { name: "overview", view: () => "", shows: tenant },
];

test.each(["wide", "phone"] as const)("a customer's pages show it as text, %s", async (width) => {
  const { page } = await browser.open(await portal.linkTo(tenant), { width });
  const dialogs = watchDialogs(page);
  for (const { name, view, shows } of views) {
    await page.goto(`${portal.url}/portal/tenants/${tenant}${view()}`);
    await page.locator("main").getByText(shows).first().waitFor();
    await expectHarmless(page, name);
  }
  expect(dialogs).toEqual([]);
});

test.each(["wide", "phone"] as const)("an operator's pages show it as text, %s", async (width) => {
  const { page } = await browser.open(portal.operatorLink, { width });
  const dialogs = watchDialogs(page);
  await page.goto(`${portal.url}/portal/tenants`);
  await page.locator("main").getByText(markup).waitFor();
  await expectHarmless(page, "tenants");
  const asked = encodeURIComponent(`${markup} ${turned} ${"w".repeat(1_500)}`);
  await page.goto(`${portal.url}/portal/search?q=${asked}`);
  await page.getByRole("heading", { name: "Nothing was found" }).waitFor();
  await expectHarmless(page, "an empty search");
  await page.goto(`${portal.url}/portal/search?q=${made.endpoint}`);
  await page.locator("main table").getByRole("link", { name: made.endpoint }).click();
  await page.locator("main").getByText(image).first().waitFor();
  await expectHarmless(page, "what was found");
  expect(dialogs).toEqual([]);
});

test("rows of the feed open to their data, digit for digit and sign for sign", async () => {
  const { page } = await browser.open(await portal.linkTo(tenant, "/events?from=earliest"));
  const rows = page.getByRole("list", { name: "Events in the order of the log" });
  await rows.getByRole("button", { name: /bank\.moved/ }).click();
  const data = dataOn(page);
  await data.getByText(bigInteger).waitFor();
  const shown = await data.innerText();
  expect(shown.replaceAll(/\s/g, "")).toBe(made.numbers);
  // What the API gives is what the page shows.
  const path = `/events/${made.events.numbers}?tenant=${tenant}`;
  expect((await portal.gateway.call("GET", path)).text).toContain(made.numbers);

  const subject = rows.locator("bdi.subject", { hasText: "gnp.exe" });
  expect(await subject.textContent()).toBe(turned);
  await expectHarmless(page, "the feed");
});

test("the live feed shows it as text while it comes", async () => {
  const { page } = await browser.open(await portal.linkTo(tenant, "/events"));
  const dialogs = watchDialogs(page);
  await page.getByText("Live", { exact: true }).waitFor();
  const subject = `${markup} ${turned}`;
  await portal.gateway.append(tenant, { type: "live.came", subject, data: { markup } });
  await page.getByRole("button", { name: /live\.came/ }).click();
  await dataOn(page).getByText(script).waitFor();
  await expectHarmless(page, "the live feed");
  expect(dialogs).toEqual([]);
});

test("900 KB of data are shown in part, whole when asked for, and nothing stops", async () => {
  const { page } = await browser.open(await portal.linkTo(tenant, `/events/${made.events.huge}`));
  const data = dataOn(page);
  await data.waitFor();
  expect((await data.innerText()).length).toBeLessThan(30_000);
  await page.getByRole("button", { name: /^Show all/ }).click();
  await page.getByText("the end of it").waitFor();
  expect((await data.innerText()).length).toBeGreaterThan(900_000);
  await expectHarmless(page, "a huge event");
  await page.getByRole("link", { name: "Deliveries" }).first().click();
  await page.getByRole("heading", { level: 1, name: "Deliveries" }).waitFor();
});

function dataOn(page: Page) {
  return page.getByLabel("the event's data", { exact: true });
}

/** What would have run, or stood in the page, if any of it had been taken for more than text. */
async function expectHarmless(page: Page, where: string): Promise<void> {
  const forms = ["script", "img", "iframe", "[onerror]", "a[href^='javascript:']", "a[href='x']"];
  const found = page.locator(forms.map((form) => `main ${form}`).join(", "));
  expect.soft(await found.count(), `elements of a payload in ${where}`).toBe(0);
  const sideways = await sidewaysPixels(page);
  expect.soft(sideways, `${where} scrolls sideways`).toBeLessThanOrEqual(0);
}

function watchDialogs(page: Page): string[] {
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  return dialogs;
}

async function createHostile() {
  const { gateway, receiver, endpoint } = portal;
  await succeed(gateway.call("PUT", `/tenants/${tenant}`, { body: { name: markup } }));
  const bad = await receiver({
    kind: "answer",
    status: 500,
    headers: { "content-type": "text/html", "x-markup": markup, "x-endless": endless },
    body: `${markup}${endless}`,
  });
  const broken = await endpoint(tenant, {
    url: `${bad.url}/${"p".repeat(1_000)}?q=${encodeURIComponent(markup)}`,
    description: `${markup} ${turned} ${"w".repeat(500)}`,
    metadata: { "<b>name</b>": markup, [`${"n".repeat(64)}`]: "v".repeat(512) },
    headers: { "x-own": markup },
    subjects: [script, "w".repeat(1_024)],
    retry_schedule: [],
  });
  const paused = await endpoint(tenant, { url: bad.url, description: turned });
  const reason = { body: { reason: markup } };
  await succeed(gateway.call("POST", `/endpoints/${paused}/pause`, reason));
  await succeed(gateway.call("PUT", `/consumers/${consumer}?tenant=${tenant}`, { body: {} }));
  const type = { description: markup, schema: { title: markup } };
  await succeed(gateway.call("PUT", "/event-types/order.created", { body: type }));
  const key = { tenant, scopes: ["append"], description: markup };
  await succeed(gateway.call("POST", "/keys", { body: key }));
  const { events, numbers } = await appendHostile();
  const [delivery] = await portal.deliveries(tenant, "dead", 2);
  return { ...{ events, numbers, endpoint: broken, paused }, delivery: delivery?.id ?? "" };
}

async function appendHostile() {
  const deep = `${'{"d":'.repeat(60)}"the ground"${"}".repeat(60)}`;
  const numbers = `{"id":${bigInteger},"one":1.0,"small":1e-400,"digits":0.1000}`;
  const [first, second, third, huge] = await portal.gateway.append(
    tenant,
    { subject: script, source: address, data: { [image]: markup, link: address } },
    { subject: turned, data: { [turned]: turned } },
    { type: "t".repeat(256), subject: "w".repeat(1_024), data: { [endless]: endless } },
    { type: "file.came", data: { text: "0123456789".repeat(90_000), end: "the end of it" } },
  );
  const extended = {
    ...{ specversion: "1.0", id: "1", source: "/here", type: "order.extended", data: {} },
    extended: markup,
  };
  const events = {
    ...{ markup: first?.id, turned: second?.id, endless: third?.id, huge: huge?.id },
    deep: await appendText(`{"tenant":"${tenant}","type":"well.dug","data":${deep}}`),
    numbers: await appendText(`{"tenant":"${tenant}","type":"bank.moved","data":${numbers}}`),
    extended: await appendText(JSON.stringify(extended), "application/cloudevents+json"),
  };
  return { events, numbers };
}

/** Its id. */
async function appendText(body: string, contentType = "application/json"): Promise<string> {
  const options = { body, headers: { "content-type": contentType } };
  const path = `/events?tenant=${tenant}`;
  return String((await succeed(portal.gateway.call("POST", path, options)))["id"]);
}
