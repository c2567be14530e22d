/** The page on which somebody finds out why their receiver refuses a push, with real pushes. */
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { sign, verify } from "../../src/client/verify.ts";
import { startBrowser, type Tab } from "../support/browser.ts";
import { succeed } from "../support/gateway.ts";
import { startPortal, type Portal } from "../support/portal.ts";
import type { Received } from "../support/receiver.ts";

type Page = Tab["page"];

const hourMs = 3_600_000;

/** Each step is a look at a real page, and other tests run meanwhile. */
vi.setConfig({ testTimeout: 90_000 });

let portal: Portal;
let browser: Awaited<ReturnType<typeof startBrowser>>;
let endpoint: string;
let secret: string;
/** As its receiver has it. */
let push: Received;

beforeAll(async () => {
  portal = await startPortal();
  browser = await startBrowser(portal.url);
  await portal.gateway.createTenant("acme");
  const receiver = await portal.receiver();
  endpoint = await portal.endpoint("acme", { url: receiver.url });
  const answer = await succeed(portal.gateway.call("GET", `/endpoints/${endpoint}/secret`));
  secret = String(answer["secret"]);
  const data = { amount: 4_200, big: "ünï", note: "twö\r\nlines" };
  await portal.gateway.append("acme", { subject: "order_1042", data });
  const [received] = await receiver.received(1, 20_000);
  if (received === undefined) throw new Error("nothing was received");
  push = received;
});

afterEach(() => browser.closeAll());

afterAll(async () => {
  await browser.stop();
  await portal.stop();
});

test("a push that was really received is valid, by the endpoint's own secret", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Use the endpoint's own" }).click();
  await page.getByText("That of the endpoint above").or(page.getByText(secret)).first().waitFor();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(`${request.method()} ${request.url()}`));
  await check(page, asText(push));
  await page.getByRole("heading", { name: "A receiver accepts this push" }).waitFor();
  await page.getByText("the body is as the gateway sent it").waitFor();
  await page.getByText("What the headers say of its place is right too").waitFor();
  // What the page says is what the client library says, and it has asked nobody.
  expect((await verify(secret, push.headers, push.body)).subject).toBe("order_1042");
  expect(asked.filter((each) => each.startsWith("POST"))).toEqual([]);
});

test("what is wrong with a push is named", async () => {
  const page = await open();
  await page.getByLabel("Secret or public key").fill(secret);
  const text = asText(push);
  const refused = "A receiver refuses this push";

  await check(page, text.replace('"amount":4200', '"amount":4201'));
  await page.getByRole("heading", { name: refused }).waitFor();
  await page.getByText("The signature does not match").waitFor();

  await check(page, text.replace('"amount":4200', '"amount":1000000'));
  await page.getByText(/The body was changed: \d+ bytes were sent/).waitFor();

  const [head = "", body = ""] = text.split("\n\n");
  await check(page, `${head}\n\n${JSON.stringify(JSON.parse(body), null, 2)}`);
  await page.getByText("The body was parsed and written again").waitFor();

  await check(page, text.replace(/^webhook-timestamp: .*\n/m, ""));
  await page.getByText("webhook-timestamp is missing").waitFor();

  await check(page, text.replace(/^(tidegate-sequence: ).*$/m, "$1another"));
  await page.getByText("tidegate-sequence was changed on the way").waitFor();
  await check(page, text.replace(/^(tidegate-cursor: ).*$/m, "$1another"));
  await page.getByText("-cursor or -replay was changed on the way").waitFor();

  await page.getByLabel("Secret or public key").fill(`whsec_${btoa("another secret of 24 bytes")}`);
  await check(page, text);
  await page.getByText("Either this is the secret of another endpoint").waitFor();
  await page.getByLabel("Secret or public key").fill("whsec_no!");
  await check(page, text);
  await page.getByText("The secret cannot be used").waitFor();
  await page.getByRole("heading", { name: refused }).waitFor();
});

test("a push of long ago is told from one that is wrong", async () => {
  const page = await open();
  await page.getByLabel("Secret or public key").fill(secret);
  const id = String(push.headers["webhook-id"]);
  const signed = await sign(secret, id, push.body, { now: Date.now() - hourMs });
  await check(page, `${headLines(signed)}\n\n${push.body.toString()}`);
  await page.getByRole("heading", { name: "The signature is right, but not of now" }).waitFor();
  await page.getByText(/It was signed 1\sh.* ago/).waitFor();
  await expect(verify(secret, signed, push.body)).rejects.toMatchObject({ reason: "too-old" });
});

test("the last push of an endpoint is shown, signed again, and checks", async () => {
  const page = await open();
  await page.getByRole("button", { name: "Show the secret" }).click();
  await page.getByRole("button", { name: "Check it below" }).click();
  const pasted = await page.getByLabel("Request", { exact: true }).inputValue();
  expect(pasted).toContain(`webhook-signature: ${String(push.headers["webhook-signature"])}`);
  expect(pasted).toContain(push.body.toString());
  await page.getByRole("button", { name: "Check", exact: true }).click();
  await page.getByRole("heading", { name: "A receiver accepts this push" }).waitFor();
});

test("code is there in each language, with the secret where it is wanted, and is copied whole", async () => {
  const page = await open();
  const languages = page.getByRole("group", { name: "Language" }).getByRole("button");
  const seen = new Set<string>();
  for (const language of await languages.all()) {
    await language.focus();
    await page.keyboard.press("Enter");
    const name = await language.innerText();
    seen.add(await page.getByLabel(`the code for ${name}`, { exact: true }).innerText());
  }
  expect(seen.size).toBe(8);

  await page.getByRole("button", { name: "Go", exact: true }).click();
  await page.reload();
  const code = page.getByLabel("the code for Go", { exact: true });
  await code.getByText("package receiver").waitFor();
  await page.getByRole("button", { name: "Copy the code for Go" }).click();
  await page.getByText("Copied the code for Go").waitFor();
  await paste(page);
  const pasted = await page.getByLabel("Request", { exact: true }).inputValue();
  expect(pasted.trim()).toBe((await code.innerText()).trim());

  await page.getByRole("button", { name: "Show the secret" }).click();
  await page.getByText(`export TIDEGATE_SECRET='${secret}'`).waitFor();
});

async function open(): Promise<Page> {
  const { page } = await browser.open(await portal.linkTo("acme", "/signatures"));
  await page.getByRole("heading", { name: "Check a request" }).waitFor();
  return page;
}

async function check(page: Page, request: string): Promise<void> {
  await page.getByLabel("Request", { exact: true }).fill(request);
  await page.getByRole("button", { name: "Check", exact: true }).click();
}

async function paste(page: Page): Promise<void> {
  await page.getByLabel("Request", { exact: true }).focus();
  await page.keyboard.press("Control+V");
}

/** As a proxy or a log prints a request. */
function asText({ method, path, headers, body }: Received): string {
  return `${method} ${path} HTTP/1.1\n${headLines(headers)}\n\n${body.toString()}`;
}

function headLines(headers: object): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join("\n");
}
