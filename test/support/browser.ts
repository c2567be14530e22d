/**
 * Chromium, driven as a person would: by what stands on the page and by its keyboard. A page that
 * logs an error, breaks its policy or asks any other server for something fails the test that has
 * opened it.
 */
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type * as Axe from "axe-core";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { ensureInstalled, which } from "./installed.ts";

export type Look = {
  /** `wide` is a desk's screen, `phone` a phone's. */
  readonly width?: "wide" | "phone";
  readonly colours?: "light" | "dark";
};

export type Tab = {
  readonly page: Page;
  /** What has gone wrong on the page so far; the test that expects some of it takes it. */
  takeFaults(): string[];
};

const howToInstall =
  "Chromium is not installed. Debian: apt-get install chromium; elsewhere set CHROMIUM_PATH to the " +
  "program of a Chromium or Chrome.";

/** For a person to look at; not kept in the repository. */
const pictures = fileURLToPath(new URL("../../screenshots", import.meta.url));

const sizes = {
  wide: { width: 1_280, height: 860 },
  phone: { width: 390, height: 844 },
};

/** In a container it runs as root, without a graphics card, and has nobody to call. */
const flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"];

const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

let found: Promise<string> | undefined;

/** The path of a Chromium. On Debian, as root, it installs one if there is none. */
export function ensureChromium(): Promise<string> {
  return (found ??= ensureInstalled({
    find: async () =>
      process.env["CHROMIUM_PATH"] ?? (await which("chromium")) ?? (await which("google-chrome")),
    package: "chromium",
    howToInstall,
  }));
}

export async function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: await ensureChromium(), args: flags });
}

/** One for a test file; each `open` has its own storage, like a window of its own. */
export async function startBrowser(origin: string) {
  const browser = await launchChromium();
  const opened: { context: BrowserContext; faults: string[] }[] = [];
  return { open, closeAll, stop: () => browser.close() };

  async function open(address: string, look: Look = {}): Promise<Tab> {
    const faults: string[] = [];
    const context = await newContext(browser, look);
    opened.push({ context, faults });
    const page = await context.newPage();
    watch(page, origin, faults);
    await page.goto(address);
    return { page, takeFaults: () => faults.splice(0) };
  }

  /** After each test: throws what nobody took. */
  async function closeAll(): Promise<void> {
    const all = opened.splice(0);
    await Promise.all(all.map(({ context }) => context.close()));
    const faults = all.flatMap((each) => each.faults);
    if (faults.length > 0) throw new Error(`the page did wrong:\n${faults.join("\n")}`);
  }
}

async function newContext(browser: Browser, look: Look): Promise<BrowserContext> {
  const { width = "wide", colours = "light" } = look;
  const context = await browser.newContext({
    viewport: sizes[width],
    colorScheme: colours,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  context.setDefaultTimeout(15_000);
  return context;
}

function watch(page: Page, origin: string, faults: string[]): void {
  page.on("console", (message) => {
    // A refused request is the page's to explain, and it is checked where that is the test's matter.
    const isAnswer = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isAnswer) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    const isOurs = request.url().startsWith(`${origin}/`) || request.url().startsWith("data:");
    if (!isOurs) faults.push(`asked for ${request.url()}`);
  });
}

/** What axe-core finds serious or worse, by WCAG 2.2 AA: a line each. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  // Not as a script of the page, which its policy refuses, but by the browser itself.
  if (!(await page.evaluate(() => "axe" in globalThis))) await addAxe(page);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof Axe };
    const { violations } = await axe.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    });
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
      );
  });
}

async function addAxe(page: Page): Promise<void> {
  const { readFile } = await import("node:fs/promises");
  await page.evaluate(await readFile(axePath, "utf8"));
}

/** Writes `screenshots/<name>.png`, the whole page. */
export async function takePicture(page: Page, name: string): Promise<void> {
  await mkdir(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** By how much the page is wider than the window, in CSS pixels. */
export async function sidewaysPixels(page: Page): Promise<number> {
  const root = "document.documentElement";
  return Number(await page.evaluate(`${root}.scrollWidth - ${root}.clientWidth`));
}
