/**
 * Writes `openapi.yaml` from the declared routes, and from it the types of the consumer's library.
 * With `--check` it writes nothing and fails when a file is not what the routes say.
 */
import { readFile, writeFile } from "node:fs/promises";
import openapiTypes, { astToString } from "openapi-typescript";
import { parse } from "yaml";
import { parseConfig } from "../src/config.ts";
import { describeApi } from "../src/gateway.ts";
import { openApiYaml } from "../src/http/openapi.ts";

const checks = process.argv.includes("--check");

const document = openApiYaml(await describeApi(parseConfig({})));
await bring("openapi.yaml", document);
await bring("src/client/api.ts", await typesOf(document));

async function bring(path: string, text: string): Promise<void> {
  const file = new URL(`../${path}`, import.meta.url);
  if (!checks) return await writeFile(file, text);
  if ((await readFile(file, "utf8").catch(() => "")) === text) return;
  process.stderr.write(`${path} is not what the routes say: run npm run generate\n`);
  process.exitCode = 1;
}

async function typesOf(yaml: string): Promise<string> {
  const nodes = await openapiTypes(withoutExamples(parse(yaml)) as string);
  const promise = "/** The API's types, written by `npm run generate` from openapi.yaml. */\n\n";
  return promise + astToString(nodes);
}

/** They are for readers of the document, and most of its text. */
function withoutExamples(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExamples);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([name]) => name !== "example");
  return Object.fromEntries(members.map(([name, member]) => [name, withoutExamples(member)]));
}
