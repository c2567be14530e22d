/**
 * The files of the built page, read once into memory: they are few and small, and a request chooses
 * among them by name, so no path that anybody sends reaches the file system.
 */
import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { acceptQuality } from "../http/preferences.ts";

/** Best first. */
const encodings = [
  { name: "br", suffix: ".br" },
  { name: "gzip", suffix: ".gz" },
] as const;

export type Encoding = (typeof encodings)[number]["name"];

export type PageFile = {
  readonly contentType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Those that are smaller. */
  readonly encoded: ReadonlyMap<Encoding, Uint8Array<ArrayBuffer>>;
  /** What tells these bytes from others, whatever they are called. */
  readonly hash: string;
};

export type PageFiles = {
  readonly index: PageFile;
  /** By name. Another content has another name. */
  readonly assets: ReadonlyMap<string, PageFile>;
};

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** Beside src, and beside what src is compiled to. */
export const pageFolder = fileURLToPath(new URL("../../dist/page", import.meta.url));

/** Undefined where the page was not built, see scripts/portal.ts. */
export function readPageFiles(folder: string): PageFiles | undefined {
  const index = join(folder, "index.html");
  if (!existsSync(index)) return undefined;
  const assets = globSync("assets/*", { cwd: folder }).filter(
    (path) => !encodings.some(({ suffix }) => path.endsWith(suffix)),
  );
  return {
    index: readPageFile(index),
    assets: new Map(assets.map((path) => [basename(path), readPageFile(join(folder, path))])),
  };
}

function readPageFile(path: string): PageFile {
  const bytes = readFileSync(path);
  const encoded = encodings.flatMap(({ name, suffix }) => {
    const variant = existsSync(path + suffix) ? readFileSync(path + suffix) : bytes;
    return variant.length < bytes.length ? [[name, variant] as const] : [];
  });
  return {
    contentType: contentTypes[extname(path)] ?? "application/octet-stream",
    bytes,
    encoded: new Map(encoded),
    hash: createHash("sha256").update(bytes).digest("base64url").slice(0, 22),
  };
}

/** The best that the caller takes, by its `Accept-Encoding`; undefined: as it is. */
export function encodingFor(
  accepted: string | undefined,
  { encoded }: Pick<PageFile, "encoded">,
): Encoding | undefined {
  const taken = encodings
    .map(({ name }) => ({ name, weight: acceptQuality(accepted, name) }))
    .filter(({ name, weight }) => weight > 0 && encoded.has(name))
    .toSorted((a, b) => b.weight - a.weight);
  return taken[0]?.name;
}
