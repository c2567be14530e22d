/** What a customer does with an endpoint, in the portal alone, and what the receiver gets of it. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { verify } from "../../src/client/verify.ts";
import { startBrowser, type Tab } from "../support/browser.ts";
import { succeed } from "../support/gateway.ts";
import { startPortal, type Portal } from "../support/portal.ts";
import type { Received } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Page = Tab["page"];

/** Long enough for a machine that does much else. */
const soonMs = 20_000;

/** Each step is a look at a real page, and other tests run meanwhile. */
vi.setConfig({ testTimeout: 90_000 });

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

test("an endpoint is created, after a refused address, and gets what it asked for", async () => {
  await portal.gateway.createTenant("created");
  const receiver = await portal.receiver();
  const page = await open("created", "/endpoints");
  await page.getByRole("heading", { name: "No endpoints yet" }).waitFor();
  await page.getByRole("link", { name: "New endpoint" }).first().click();
  await field(page, "URL").fill("http://169.254.169.254/hook");
  await page.keyboard.press("Enter");
  await page.getByText("The gateway does not send to this address").waitFor();
  expect(await errorOf(page, "URL")).toContain("does not send to this address");
  expect(await endpointsOf("created")).toEqual([]);

  await field(page, "URL").fill(receiver.url);
  await field(page, "Event types").fill("order.*");
  await page.keyboard.press("Enter");
  await field(page, "Description").fill("Warehouse");
  await page.getByText("Advanced").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Add a header" }).click();
  await page.getByLabel("Name of header 1").fill("x-warehouse");
  await page.getByLabel("Value of header x-warehouse").fill("north");
  await field(page, "Retries").selectOption("A schedule of its own");
  await field(page, "Schedule").fill("1s, 2m");
  await page.getByText("2 retries within").waitFor();
  await page.getByRole("button", { name: "Create endpoint" }).click();

  await page.getByRole("heading", { name: "The endpoint is ready" }).waitFor();
  const [endpoint] = await endpointsOf("created");
  expect(endpoint).toMatchObject({
    ...{ url: receiver.url, types: ["order.*"], description: "Warehouse" },
    ...{ header_names: ["x-warehouse"], retry_schedule: ["1s", "2m"] },
  });
  await page.getByRole("button", { name: "Copy the secret" }).click();
  await page.getByText("Copied the secret").waitFor();
  const secret = await secretOf(String(endpoint?.["id"]));

  await page.getByRole("button", { name: "Send a test event" }).click();
  await page.getByRole("heading", { name: "The receiver accepted it" }).waitFor();
  const [tested] = receiver.requests;
  expect(tested?.headers["x-warehouse"]).toBe("north");
  expect((await read(tested, secret)).type).toBe("tidegate.test");

  // What does not match the filter does not come.
  await portal.gateway.append("created", { type: "invoice.paid" }, { type: "order.paid" });
  const [, pushed] = await receiver.received(2, soonMs);
  expect((await read(pushed, secret)).type).toBe("order.paid");

  // It was shown this once, and what was copied is the whole of it.
  await page.getByRole("link", { name: "How to verify pushes" }).click();
  await page.getByRole("heading", { level: 1, name: "Signatures" }).waitFor();
  expect(await page.locator("body").innerText()).not.toContain(secret);
  await field(page, "Secret or public key").focus();
  await page.keyboard.press("Control+V");
  expect(await field(page, "Secret or public key").inputValue()).toBe(secret);
});

test("a test event that fails shows the answer, and what to do about it", async () => {
  const { receiver, view } = await createEndpoint("tested");
  receiver.behave({ kind: "answer", status: 401, body: "no such token: 4711" });
  const page = await open("tested", view);
  await page.getByRole("button", { name: "Send a test event" }).click();
  await page.getByRole("heading", { name: "The receiver did not accept it" }).waitFor();
  await page.getByText("check the secret with which it verifies").waitFor();
  await page.getByLabel("the response's body").getByText("no such token: 4711").waitFor();
  receiver.behave({ kind: "answer", status: 204, body: "" });
  await page.getByRole("button", { name: "Send another one" }).click();
  await page.getByRole("heading", { name: "The receiver accepted it" }).waitFor();
  await page.getByText("The response has no body.").waitFor();
  expect(receiver.requests).toHaveLength(2);
});

test("saving sends only what changed, and what is refused is told at its field", async () => {
  const { id, view } = await createEndpoint("edited", { description: "Old", types: ["order.*"] });
  const page = await open("edited", `${view}?tab=settings`);
  const patches: unknown[] = [];
  page.on("request", (request) => {
    if (request.method() === "PATCH") patches.push(request.postDataJSON());
  });
  await field(page, "Description").fill("New");
  await page.getByText("To be saved: description.").waitFor();
  await page.getByText("Advanced").click();
  await field(page, "Pushes at once").fill("0");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Nothing was saved: see the fields marked above.").waitFor();
  expect(await errorOf(page, "Pushes at once")).toMatch(/\b1\b/);
  expect(await endpointOf(id)).toMatchObject({ description: "Old", max_in_flight: 50 });

  await field(page, "Pushes at once").fill("7");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("The settings are saved").waitFor();
  await page.getByText("Nothing is changed.").waitFor();
  expect(patches.at(-1)).toEqual({ description: "New", max_in_flight: 7 });
  const saved = { description: "New", max_in_flight: 7, types: ["order.*"] };
  expect(await endpointOf(id)).toMatchObject(saved);
});

test("a paused endpoint gets nothing, and resumed at the latest it skips what waited", async () => {
  const { id, receiver, view } = await createEndpoint("paused");
  const page = await open("paused", view);
  await page.getByRole("button", { name: "Pause …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason").fill("A move of ours");
  await dialog.getByRole("button", { name: "Pause" }).click();
  await page.getByText("A move of ours").waitFor();
  expect(await endpointOf(id)).toMatchObject({ status: "paused", status_reason: "A move of ours" });

  await append("paused", 3);
  await page.reload();
  await page.getByRole("button", { name: "Resume …" }).click();
  await dialog.getByText("The 3 events after its position are pushed").waitFor();
  await dialog.getByLabel("Goes on").selectOption("With new events only: skip what waits");
  await dialog.getByText("Skips up to 3 events").waitFor();
  await dialog.getByRole("button", { name: "Resume" }).click();
  await page.getByText("The endpoint is active").waitFor();
  expect(await endpointOf(id)).toMatchObject({ status: "active" });
  const [after] = await append("paused", 1);
  await receiver.received(1, soonMs);
  expect(idsOf(receiver.requests)).toEqual([after?.id]);
});

test("an endpoint that is polled gets nothing until it is pushed to again", async () => {
  const { id, receiver, view } = await createEndpoint("polled");
  const page = await open("polled", view);
  await page.getByRole("button", { name: "Poll instead …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(`GET /endpoints/${id}/missed`).waitFor();
  await dialog.getByRole("button", { name: "Stop pushing" }).click();
  await page.locator(".badge", { hasText: "Polling" }).waitFor();
  expect(await endpointOf(id)).toMatchObject({ status: "polling" });

  const appended = await append("polled", 2);
  await page.getByRole("link", { name: "Missed", exact: true }).last().click();
  await page.getByText("Waits for its consumer, which polls").nth(1).waitFor();
  expect(receiver.requests).toHaveLength(0);
  await page.getByRole("button", { name: "Resume …" }).click();
  await dialog.getByRole("button", { name: "Resume" }).click();
  await receiver.received(2, soonMs);
  expect(new Set(idsOf(receiver.requests))).toEqual(new Set(appended.map((event) => event.id)));
});

test("an endpoint that a 410 has disabled says so, and is enabled again", async () => {
  const { id, receiver, view } = await createEndpoint("gone");
  receiver.behave({ kind: "answer", status: 410 });
  await append("gone", 1);
  const page = await open("gone", "/endpoints?status=disabled");
  await page.locator("main table").getByText("Disabled").waitFor();
  await page.goto(`${portal.url}/portal/tenants/gone${view}`);
  await page.getByText("Nothing is pushed until it is enabled again").waitFor();
  receiver.behave({ kind: "answer" });
  await page.getByRole("button", { name: "Enable …" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("It was disabled:").waitFor();
  await dialog.getByRole("button", { name: "Enable" }).click();
  await page.getByText("The endpoint is active").waitFor();
  expect(await endpointOf(id)).toMatchObject({ status: "active" });
  const [next] = await append("gone", 1);
  await waitUntil(() => idsOf(receiver.requests).includes(next?.id), { deadlineMs: soonMs });
});

test("a secret is shown, rotated with an overlap, and both sign meanwhile", async () => {
  const { id, receiver, view } = await createEndpoint("rotated");
  const old = await secretOf(id);
  const page = await open("rotated", `${view}?tab=secret`);
  await page.getByRole("heading", { name: "Secret" }).waitFor();
  expect(await page.locator("main").innerText()).not.toContain(old);
  await page.getByRole("button", { name: "Show the secret" }).click();
  await page.getByText(old).waitFor();
  await page.getByRole("button", { name: "Rotate …" }).click();
  await page.getByRole("dialog").getByLabel("Overlap").selectOption("An hour");
  await page.getByRole("dialog").getByRole("button", { name: "Rotate" }).click();
  await page.getByText("The overlap runs").waitFor();
  const fresh = await secretOf(id);
  expect(fresh).not.toBe(old);
  await page.getByText(fresh).waitFor();

  await append("rotated", 1);
  const [pushed] = await receiver.received(1, soonMs);
  expect(String(pushed?.headers["webhook-signature"]).split(" ")).toHaveLength(2);
  for (const secret of [old, fresh])
    expect((await read(pushed, secret)).type).toBe("order.created");

  // What was shown is gone with the page.
  await page.reload();
  await page.getByRole("button", { name: "Show the secret" }).waitFor();
  expect(await page.locator("main").innerText()).not.toContain(fresh);
});

test("an endpoint is deleted only when the question is answered with yes", async () => {
  const { id, receiver, view } = await createEndpoint("deleted");
  const page = await open("deleted", view);
  const ask = page.getByRole("button", { name: "Delete …" });
  await ask.focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Delete the endpoint" });
  await dialog.getByText(receiver.url).waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  expect(await endpointOf(id)).toMatchObject({ id });
  expect(await page.evaluate("document.activeElement?.textContent")).toBe("Delete …");

  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Delete" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "No endpoints yet" }).waitFor();
  expect(await endpointsOf("deleted")).toEqual([]);
  await append("deleted", 1);
  await page.goto(`${portal.url}/portal/tenants/deleted${view}`);
  await page.getByRole("heading", { name: "There is nothing here" }).waitFor();
  expect(receiver.requests).toHaveLength(0);
});

test("reload, back and forward keep the filter and the tab", async () => {
  const { id } = await createEndpoint("kept", { description: "Kept" });
  const other = await createEndpoint("kept", { description: "Other" });
  await succeed(portal.gateway.call("POST", `/endpoints/${id}/pause`));
  const page = await open("kept", "/endpoints");
  const list = page.locator("main table");
  await list.getByText("Other").waitFor();
  await field(page, "Status").selectOption("Paused");
  await list.getByText("Other").waitFor({ state: "detached" });
  await field(page, "Text").fill("kept");
  await page.getByText("1 of 2").waitFor();
  await page.reload();
  await list.getByText("Kept").waitFor();
  expect(await field(page, "Text").inputValue()).toBe("kept");
  expect(await field(page, "Status").inputValue()).toBe("paused");

  await list.getByRole("link").first().click();
  await page.getByRole("link", { name: "Settings" }).click();
  expect(await field(page, "Description").inputValue()).toBe("Kept");
  await page.reload();
  await field(page, "Description").waitFor();
  await page.goBack();
  await page.getByRole("button", { name: "Send a test event" }).waitFor();
  await page.goBack();
  await list.getByText("Kept").waitFor();
  expect(await field(page, "Text").inputValue()).toBe("kept");
  await page.goForward();
  await page.goForward();
  expect(await field(page, "Description").inputValue()).toBe("Kept");
  expect(new URL(page.url()).search).toBe("?tab=settings");
  expect(other.id).not.toBe(id);
});

async function open(tenant: string, view: string): Promise<Page> {
  return (await browser.open(await portal.linkTo(tenant, view))).page;
}

/** An endpoint with a receiver of its own, of a tenant that is made if it is not there. */
async function createEndpoint(tenant: string, wanted: object = {}) {
  await portal.gateway.createTenant(tenant);
  const receiver = await portal.receiver();
  const id = await portal.endpoint(tenant, { url: receiver.url, ...wanted });
  return { id, receiver, view: `/endpoints/${id}` };
}

function append(tenant: string, count: number) {
  return portal.gateway.append(tenant, ...Array.from({ length: count }, () => ({})));
}

function field(page: Page, label: string) {
  return page.getByLabel(label, { exact: true });
}

/** What stands at a field as wrong, as somebody hears it who does not see it. */
async function errorOf(page: Page, label: string): Promise<string> {
  const input = field(page, label);
  expect(await input.getAttribute("aria-invalid")).toBe("true");
  const ids = (await input.getAttribute("aria-describedby"))?.split(" ") ?? [];
  return page.locator(`[id="${ids.at(-1)}"]`).innerText();
}

async function endpointsOf(tenant: string): Promise<Record<string, unknown>[]> {
  const answer = await succeed(portal.gateway.call("GET", `/endpoints?tenant=${tenant}`));
  return answer["endpoints"] as Record<string, unknown>[];
}

function endpointOf(id: string) {
  return succeed(portal.gateway.call("GET", `/endpoints/${id}`));
}

async function secretOf(id: string): Promise<string> {
  const { secret } = await succeed(portal.gateway.call("GET", `/endpoints/${id}/secret`));
  return String(secret);
}

/** The event of a push, verified as a receiver does. */
function read(received: Received | undefined, secret: string) {
  if (received === undefined) throw new Error("nothing was received");
  return verify(secret, received.headers, received.body);
}

function idsOf(requests: readonly Received[]) {
  return requests.map(({ headers }) => headers["webhook-id"]);
}
