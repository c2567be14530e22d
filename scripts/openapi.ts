/**
 * Writes `openapi.yaml` from the declared routes. With `--check` it writes nothing and fails when
 * the file is not what the routes say.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseConfig } from "../src/config.ts";
import { describeApi } from "../src/gateway.ts";
import { openApiYaml } from "../src/http/openapi.ts";

const file = new URL("../openapi.yaml", import.meta.url);

const text = openApiYaml(await describeApi(parseConfig({})));
if (!process.argv.includes("--check")) {
  await writeFile(file, text);
} else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
  process.stderr.write("openapi.yaml is not what the routes say: run npm run generate\n");
  process.exitCode = 1;
}
