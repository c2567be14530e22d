/**
 * `npm run build:portal`: builds src/portal/page into dist/page, from where the gateway serves it.
 * Does nothing when what it would read is the same as last time, so that it can be run before
 * everything that needs the page. `--if-possible` leaves it out where Vite is not installed: the
 * gateway starts without its page and says what is missing.
 */
import { createHash } from "node:crypto";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "dist/page");

/** In the built folder: the hash of what it was built from. */
const stamp = ".built-from";

const inputs = [
  "src/portal/page/**/*.*",
  "src/client/**/*.ts",
  "package-lock.json",
  "vite.config.ts",
  "scripts/portal.ts",
];

/** What is not compressed already by its format. */
const compressible = "**/*.{css,html,js,json,svg,txt,webmanifest}";

if (import.meta.main) {
  const ifPossible = process.argv.includes("--if-possible");
  if (ifPossible && !isInstalled("vite")) {
    console.log("the portal is not built: that takes the development dependencies (vite)");
  } else {
    await buildPage();
  }
}

/** Brings dist/page up to date. */
export async function buildPage(): Promise<void> {
  const hash = hashOfInputs();
  if (builtFrom() === hash) return;
  const { build } = await import("vite");
  // Beside it and then in its place, so that no gateway ever starts with half a page.
  mkdirSync(join(root, "dist"), { recursive: true });
  const beside = mkdtempSync(join(root, "dist/.page-"));
  const outDir = join(beside, "page");
  try {
    await build({
      configFile: join(root, "vite.config.ts"),
      logLevel: "warn",
      build: { outDir, emptyOutDir: false },
    });
    compress(outDir);
    writeFileSync(join(outDir, stamp), hash);
    replacePage(outDir, hash);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

/** Another process may have built the same one meanwhile: then that stays. */
function replacePage(outDir: string, hash: string): void {
  try {
    rmSync(page, { recursive: true, force: true });
    renameSync(outDir, page);
  } catch (error) {
    if (builtFrom() !== hash) throw error;
  }
}

function hashOfInputs(): string {
  const hash = createHash("sha256");
  for (const file of globSync(inputs, { cwd: root }).toSorted()) {
    const text = readFileSync(join(root, file));
    hash.update(`${file.replaceAll("\\", "/")} ${text.length}\n`).update(text);
  }
  return hash.digest("hex");
}

function builtFrom(): string | undefined {
  try {
    return readFileSync(join(page, stamp), "utf8");
  } catch {
    return undefined; // never built
  }
}

/** Once here, as well as it can be done, and not whenever a gateway starts. */
function compress(folder: string): void {
  for (const file of globSync(compressible, { cwd: folder })) {
    const path = join(folder, file);
    const text = readFileSync(path);
    const params = { [constants.BROTLI_PARAM_SIZE_HINT]: text.length };
    writeFileSync(`${path}.br`, brotliCompressSync(text, { params }));
    writeFileSync(`${path}.gz`, gzipSync(text, { level: constants.Z_BEST_COMPRESSION }));
  }
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}
