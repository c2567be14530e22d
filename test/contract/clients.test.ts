/**
 * Clients that common generators make from openapi.yaml compile under strict settings and do what
 * a consumer does. Each drives the same scenario, see test/support/clients; all that is generated
 * stands in a folder of its own outside the repository.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { succeed, startTestGateway, type TestGateway } from "../support/gateway.ts";

type Client = {
  /** Its driver in test/support/clients. */
  readonly name: string;
  /** Writes into `generated`. */
  readonly generate: readonly string[];
  readonly config?: { readonly file: string; readonly options: object };
  /** Beyond those of test/support/clients/tsconfig.json. */
  readonly compilerOptions?: readonly string[];
};

const jsonTypes = ["application/json", "application/problem+json"];

const exact = "--exactOptionalPropertyTypes";

const clients: readonly Client[] = [
  {
    name: "openapi-fetch",
    generate: ["openapi-typescript", "openapi.yaml", "--output", "generated/schema.ts"],
    compilerOptions: [exact],
  },
  {
    name: "hey-api",
    generate: ["openapi-ts"],
    config: {
      file: "openapi-ts.config.mjs",
      options: {
        input: "openapi.yaml",
        output: { path: "generated", module: { extension: ".js" } },
        logs: { file: false },
      },
    },
    // Not `exact`: the code that it brings along, the same for every document, breaks that.
  },
  {
    name: "orval",
    generate: ["orval", "--config", "orval.config.mjs", "--fail-on-warnings"],
    config: {
      file: "orval.config.mjs",
      options: {
        tidegate: {
          input: "openapi.yaml",
          output: {
            target: "generated/client.ts",
            client: "fetch",
            baseUrl: { runtime: "process.env.TARGET_URL" },
            // Without it, whatever can answer in lines of JSON gives back the bare response.
            override: { contentType: { include: jsonTypes } },
          },
        },
      },
    },
    compilerOptions: [exact],
  },
];

/** Many times what it takes: a generator, a compiler and a process, one after another. */
const clientTimeoutMs = 120_000;

const root = fileURLToPath(new URL("../..", import.meta.url));
const support = fileURLToPath(new URL("../support/clients", import.meta.url));

let gateway: TestGateway;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tidegate-clients-"));
  // Nobody answers where the endpoints of the scenario lead to.
  gateway = await startTestGateway({ TIDEGATE_ROLES: "api" });
});

afterAll(async () => {
  await gateway?.stop();
  await rm(folder, { recursive: true, force: true });
});

test.each(clients)(
  "a client made for $name appends, pulls and manages endpoints",
  {
    timeout: clientTimeoutMs,
  },
  async (client) => {
    const directory = await prepare(client);
    const [command = "", ...args] = client.generate;
    await run(directory, command, args);
    await run(directory, "tsc", client.compilerOptions ?? []);

    const tenant = await gateway.createTenant(client.name);
    const environment = { TARGET_URL: gateway.url, TARGET_KEY: await gateway.createKey(tenant) };
    await run(directory, "node", [`out/${client.name}.js`], environment);

    const { events } = await succeed(gateway.call("GET", `/events?tenant=${tenant}`));
    expect(events).toMatchObject([
      { type: "order.created", data: { amount: 4_200 } },
      { type: "order.paid", data: null },
      { type: "order.shipped", data: ["by", "sea"] },
    ]);
    const { endpoints } = await succeed(gateway.call("GET", `/endpoints?tenant=${tenant}`));
    expect(endpoints).toMatchObject([{ description: "The second" }]);
  },
);

/** A project of its own, as a consumer has one. */
async function prepare({ name, config }: Client): Promise<string> {
  const directory = join(folder, name);
  await mkdir(directory);
  const files = ["tsconfig.json", "scenario.ts", `${name}.ts`];
  await Promise.all([
    ...files.map((file) => cp(join(support, file), join(directory, file))),
    cp(join(root, "openapi.yaml"), join(directory, "openapi.yaml")),
    symlink(join(root, "node_modules"), join(directory, "node_modules")),
    writeFile(join(directory, "package.json"), '{"type":"module"}'),
  ]);
  if (config !== undefined) {
    const text = `export default ${JSON.stringify(config.options)};`;
    await writeFile(join(directory, config.file), text);
  }
  return directory;
}

/** Fails with all that the command said. */
async function run(
  cwd: string,
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const path = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const env = { ...process.env, ...environment, PATH: path };
  try {
    await promisify(execFile)(command, args, { cwd, env, timeout: clientTimeoutMs });
  } catch (error) {
    // Node puts what went to stderr into its message; compilers write to stdout.
    const { message, stdout = "" } = error as Error & { stdout?: string };
    throw new Error(`${message}\n${stdout}`);
  }
}
