/** The portal's page as browsers get it: what is sent, how, and how long it may be kept. */
import { once } from "node:events";
import { request, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodingFor, readPageFiles } from "../../src/portal/files.ts";
import { createPortalRoutes } from "../../src/portal/routes.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startApi } from "../support/http.ts";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ TIDEGATE_CORS_ORIGINS: "https://shop.example" });
});

afterAll(() => gateway?.stop());

type Got = { status: number | undefined; headers: IncomingHttpHeaders; bytes: Buffer };

/** With the bytes as they come: `fetch` would take their encoding off, and normalise the path. */
async function get(
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<Got> {
  const asked = request(gateway.url, { path, headers, method, agent: false }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode: status, headers: got } = response;
  return { status, headers: got, bytes: Buffer.concat(chunks) };
}

async function getText(path: string, headers?: Record<string, string>): Promise<string> {
  const got = await get(path, headers);
  expect([path, got.status]).toEqual([path, 200]);
  return got.bytes.toString();
}

/** The paths that the page loads. */
async function assetPaths(): Promise<string[]> {
  const html = await getText("/portal");
  const paths = [...html.matchAll(/(?:src|href)="(\/portal\/assets\/[^"]+)"/g)];
  expect(paths.length).toBeGreaterThan(0);
  return paths.map(([, path = ""]) => path);
}

async function scriptPath(): Promise<string> {
  return (await assetPaths()).find((path) => path.endsWith(".js")) ?? expect.fail("no script");
}

const security = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": expect.stringMatching(/^(?:[a-z-]+=\(\)(?:, |$))+$/),
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

describe("the page", () => {
  test("is sent to whoever asks, under a strict policy, and asked for again each time", async () => {
    const { status, headers, bytes } = await get("/portal");
    expect([status, headers]).toMatchObject([
      200,
      {
        ...security,
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
        vary: "origin, accept-encoding",
      },
    ]);
    expect(headers["content-encoding"]).toBeUndefined();
    // What the policy forbids is not in it.
    expect(bytes.toString()).not.toMatch(/<style|<base|\son\w+=|<script(?![^>]*\ssrc=)/);
  });

  test("is what every address below it gives, whatever its query", async () => {
    const page = await getText("/portal");
    const paths = [
      ...["/portal/", "/portal/tenants/acme", "/portal/tenants/acme/events/evt_2026-11-23_k3v0"],
      ...["/portal?typo=1", "/portal/tenants/acme/deliveries?status=dead&status=retrying"],
      ...["/portal/tenants/..", "/portal/..%2f..%2fpackage.json", "/portal/index.html"],
    ];
    for (const path of paths) expect([path, await getText(path)]).toEqual([path, page]);
    for (const path of ["/portals", "/portal.html"]) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
  });

  test("is not sent again to who has it, in this encoding", async () => {
    const tags = new Set<unknown>();
    for (const encoding of ["identity", "gzip", "br"]) {
      const asked = { "accept-encoding": encoding };
      const { etag = "" } = (await get("/portal/tenants/acme", asked)).headers;
      expect(etag).toMatch(/^"[\w-]{22}\.\w+"$/);
      tags.add(etag);
      for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
        const again = await get("/portal", { ...asked, "if-none-match": known });
        expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, etag]);
        expect(again.headers["cache-control"]).toBe("no-cache");
      }
      const other = await get("/portal", { ...asked, "if-none-match": '"other"' });
      expect([other.status, other.headers.etag]).toEqual([200, etag]);
    }
    expect(tags.size).toBe(3);
  });

  test("comes compressed for who takes that, page and assets alike", async () => {
    for (const path of ["/portal", await scriptPath()]) {
      const plain = await get(path);
      const gzip = await get(path, { "accept-encoding": "gzip, deflate" });
      const brotli = await get(path, { "accept-encoding": "gzip, deflate, br, zstd" });
      expect(gzip.headers["content-encoding"]).toBe("gzip");
      expect(brotli.headers["content-encoding"]).toBe("br");
      expect(gunzipSync(gzip.bytes)).toEqual(plain.bytes);
      expect(brotliDecompressSync(brotli.bytes)).toEqual(plain.bytes);
      expect(brotli.bytes.length).toBeLessThan(plain.bytes.length);
    }
  });

  test("answers HEAD with the head alone, and says what methods there are", async () => {
    for (const path of ["/portal", "/portal/tenants/acme", await scriptPath()]) {
      const whole = await get(path, { "accept-encoding": "br" });
      const head = await get(path, { "accept-encoding": "br" }, "HEAD");
      expect([head.status, head.bytes.length]).toEqual([200, 0]);
      expect(head.headers["content-length"]).toBe(String(whole.bytes.length));
      expect(head.headers["content-type"]).toBe(whole.headers["content-type"]);
      const posted = await get(path, {}, "POST");
      expect([posted.status, posted.headers.allow]).toEqual([405, "GET, HEAD, OPTIONS"]);
    }
  });
});

describe("an asset", () => {
  test("may be kept for ever, since its name is of its content", async () => {
    for (const path of await assetPaths()) {
      expect(path).toMatch(/^\/portal\/assets\/[\w.-]+-[\w-]{8}\.\w+$/);
      const { status, headers } = await get(path);
      expect([path, status, headers]).toMatchObject([
        path,
        200,
        {
          ...security,
          "cache-control": "public, max-age=31536000, immutable",
          vary: "origin, accept-encoding",
          "content-type": expect.stringMatching(/^(text\/(javascript|css); |image\/|font\/)/),
        },
      ]);
    }
  });

  test("that there is not is not found, nor is anything beside the page", async () => {
    const name = (await scriptPath()).slice("/portal/assets/".length);
    const paths = [
      ...["index-AAAAAAAA.js", "", `${name}.br`, `${name}.gz`, `${name}/`, `x/${name}`],
      ...["..%2f.built-from", "%2e%2e%2findex.html", "..%5cindex.html", "index.html", "__proto__"],
      ...["..%2f..%2f..%2fpackage.json", "%00", "constructor"],
    ];
    for (const path of paths) {
      const { status, headers, bytes } = await get(`/portal/assets/${path}`);
      expect([path, status]).toEqual([path, 404]);
      expect(headers["content-type"]).toBe("application/problem+json");
      expect(headers["cache-control"]).toBe("no-store");
      expect(bytes.toString()).toContain("/not-found");
    }
    // What a browser makes of it before it asks; others may not.
    for (const path of ["/portal/../package.json", "/portal/assets/%2e%2e/%2e%2e/package.json"]) {
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    }
  });
});

test("a page that was not built says how to build it, and the rest is served", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-page-"));
  expect(readPageFiles(folder)).toBeUndefined();
  const api = await startApi(createPortalRoutes(readPageFiles(folder)));
  for (const path of ["/portal", "/portal/tenants/acme", "/portal/assets/index.js"]) {
    const response = await fetch(`${api.url}${path}`);
    expect([response.status, response.headers.get("content-type")]).toEqual([
      503,
      "application/problem+json",
    ]);
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining("npm run build:portal"),
    });
  }
  await api.stop(0);
  await rm(folder, { recursive: true });
});

test.each([
  [undefined, undefined],
  ["", undefined],
  ["identity", undefined],
  ["gzip", "gzip"],
  ["gzip, deflate, br", "br"],
  ["GZIP;q=1.0, br;q=0.5", "gzip"],
  ["br;q=0, gzip", "gzip"],
  ["br;q=0", undefined],
  ["*", undefined],
  ["*;q=0, gzip;q=0.1", "gzip"],
  ["br;q=nonsense", undefined],
])("whoever accepts %j is sent %j", (accepted, encoding) => {
  const bytes = new Uint8Array(1);
  const encoded = new Map([["br", bytes] as const, ["gzip", bytes] as const]);
  expect(encodingFor(accepted, { encoded })).toBe(encoding);
  expect(encodingFor(accepted, { encoded: new Map() })).toBeUndefined();
});
