/** Deliveries are found, chosen and made again in the portal, and the replays are followed there. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../support/browser.ts";
import { startPortal, type Portal } from "../support/portal.ts";
import { waitUntil } from "../support/wait.ts";

const events = 6;

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

test("chosen deliveries are replayed one by one, and only those", async () => {
  const { receiver } = await deliver("chosen", { status: 200 });
  const page = await open("chosen", "/deliveries");
  const boxes = page.locator("main table").getByRole("checkbox");
  await boxes.nth(0).check();
  await boxes.nth(2).check();
  await page.getByRole("button", { name: "Replay 2 selected" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Replay 2 deliveries" }).click();
  await dialog.getByText("2 of 2 replays were started.").waitFor();
  await waitUntil(() => receiver.requests.length === events + 2);
  await dialog.getByRole("link", { name: "See the replays" }).click();
  await page.locator("main table").getByText("One delivery").nth(1).waitFor();
});

test("filters stand in the address, and what cannot be one is told at its field", async () => {
  const { endpoint } = await deliver("filters", { status: 200 });
  const page = await open("filters", "/deliveries");
  await page.locator("main table").getByText("Delivered").first().waitFor();
  await page.getByLabel("Event type").fill("order.");
  await page.getByText("A type, such as order.created").waitFor();
  await page.getByLabel("Event type").fill("nothing.*");
  await page.getByText("No delivery matches these filters").waitFor();
  await page.getByLabel("Event type").fill("");
  await page.getByLabel("Endpoint").selectOption(endpoint);
  await page.getByLabel("Status").selectOption("Delivered");
  await page.locator("main table").getByText("Delivered").first().waitFor();
  await page.reload();
  await page.locator("main table").getByText("Delivered").first().waitFor();
  expect(await page.getByLabel("Endpoint").inputValue()).toBe(endpoint);
  expect(new URL(page.url()).search).toContain("status=delivered");
});

test("a replay that waits tells for what, and can be cancelled", async () => {
  const { endpoint } = await deliver("waiting", { status: 200 });
  await portal.gateway.call("POST", `/endpoints/${endpoint}/pause`);
  const page = await open("waiting", `/deliveries?endpoint=${endpoint}`);
  await page.getByRole("button", { name: "Replay all that match" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(`${events} events would be sent again.`).waitFor();
  await dialog.getByRole("button", { name: "Start the replay" }).click();
  await page.getByRole("progressbar").waitFor();
  await page.getByText("The endpoint is paused. The replay goes on when it is resumed.").waitFor();
  await page.getByRole("button", { name: "Cancel the replay" }).click();
  await dialog.getByRole("button", { name: "Cancel the replay" }).click();
  await page.getByText("Cancelled after 0. What was sent stays sent.").waitFor();
});

test("the outcome of one replayed delivery shows up on its page", async () => {
  const { endpoint, receiver } = await deliver("one", { status: 422 });
  const [dead] = await portal.deliveries("one", "dead", events);
  const page = await open("one", `/deliveries/${dead?.id}`);
  await page.getByText("There is no attempt left").waitFor();
  receiver.behave({ kind: "answer", status: 204 });
  await page.getByRole("button", { name: "Replay" }).click();
  await page.getByText("The replay is over: the receiver accepted it.").waitFor();
  await page.getByText("Delivered: attempt 3 was accepted.").waitFor();
  expect(dead?.endpoint).toBe(endpoint);
});

async function open(tenant: string, view: string) {
  const { page } = await browser.open(await portal.linkTo(tenant));
  await page.goto(`${portal.url}/portal/tenants/${tenant}${view}`);
  return page;
}

/** An endpoint that has been sent all events of a new tenant. */
async function deliver(tenant: string, { status }: { status: number }) {
  await portal.gateway.createTenant(tenant);
  const receiver = await portal.receiver({ kind: "answer", status });
  const endpoint = await portal.endpoint(tenant, { url: receiver.url, retry_schedule: ["1s"] });
  await portal.gateway.append(tenant, ...Array.from({ length: events }, () => ({})));
  await portal.deliveries(tenant, status === 200 ? "delivered" : "dead", events);
  return { receiver, endpoint };
}
