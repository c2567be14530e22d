/**
 * Prometheus' own programs: promtool, and a server on a free port that scrapes one process every
 * second. Where they are missing, Debian's package is unpacked below node_modules and not installed:
 * its service would be started and stay.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  access,
  constants,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { waitUntil } from "./wait.ts";

const howToInstall =
  "promtool and prometheus are not installed. Debian and Ubuntu: apt-get install prometheus; macOS: " +
  "brew install prometheus; elsewhere: https://prometheus.io/download/.";

const unpacked = fileURLToPath(new URL("../../node_modules/.cache/prometheus", import.meta.url));

const startTimeoutMs = 15_000;

let found: Promise<Record<Program, string>> | undefined;

type Program = "promtool" | "prometheus";

type Said = { readonly code: number; readonly output: string };

export type Sample = { readonly metric: Readonly<Record<string, string>>; readonly value: number };

/** What promtool says, and how it ended. */
export async function promtool(args: readonly string[], input = ""): Promise<Said> {
  const { promtool: program } = await ensurePrometheus();
  return run(program, args, { input });
}

/** Scrapes `target` (host:port) as one pod of the job `tidegate/tidegate`, and evaluates the rules. */
export async function startPrometheus(options: { target: string; rules: string }) {
  const { prometheus: program } = await ensurePrometheus();
  const directory = await mkdtemp(join(tmpdir(), "prometheus-"));
  const labels = { namespace: "tidegate", pod: "tidegate-0" };
  const config = {
    global: { scrape_interval: "1s", evaluation_interval: "1s" },
    rule_files: [options.rules],
    scrape_configs: [
      {
        job_name: "tidegate/tidegate",
        static_configs: [{ targets: [options.target], labels }],
      },
    ],
  };
  // JSON is YAML.
  await writeFile(join(directory, "prometheus.yaml"), JSON.stringify(config));
  const child = spawn(
    program,
    [
      ...["--config.file", join(directory, "prometheus.yaml")],
      ...["--storage.tsdb.path", join(directory, "data"), "--web.listen-address", "127.0.0.1:0"],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const kill = (): void => void child.kill("SIGKILL");
  process.prependOnceListener("exit", kill);
  const exited = once(child, "exit");
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  try {
    const address = await waitUntil(
      () => {
        if (child.exitCode !== null) throw new Error(`prometheus did not start:\n${said}`);
        const isReady = said.includes("ready to receive web requests");
        return isReady && /"?Listening on"? address=(\S+)/.exec(said)?.[1];
      },
      { deadlineMs: startTimeoutMs, what: "the start of prometheus" },
    );
    return { query, rules, stop, url: `http://${address}` };

    async function query(expr: string): Promise<Sample[]> {
      const data = await get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
      const { result } = data as {
        result: { metric: Sample["metric"]; value: [number, string] }[];
      };
      return result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
    }

    /** As it sees them after their last evaluation. */
    async function rules() {
      const { groups } = (await get("/api/v1/rules")) as {
        groups: { rules: { name: string; health: string; lastError?: string; state?: string }[] }[];
      };
      return groups.flatMap((group) => group.rules);
    }

    async function get(path: string): Promise<unknown> {
      const response = await fetch(`http://${address}${path}`);
      const answer = (await response.json()) as { data: unknown; error?: string };
      if (answer.error !== undefined) throw new Error(`${path}: ${answer.error}`);
      return answer.data;
    }
  } catch (error) {
    await stop();
    throw error;
  }

  async function stop(): Promise<void> {
    child.kill("SIGKILL");
    await exited;
    process.off("exit", kill);
    await rm(directory, { recursive: true, force: true });
  }
}

function ensurePrometheus(): Promise<Record<Program, string>> {
  return (found ??= find());
}

async function find(): Promise<Record<Program, string>> {
  const installed = await both();
  if (installed !== undefined) return installed;
  await unpack().catch((error: unknown) => {
    throw new Error(howToInstall, { cause: error });
  });
  const fetched = await both();
  if (fetched === undefined) throw new Error(howToInstall);
  return fetched;
}

async function both(): Promise<Record<Program, string> | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(":"), join(unpacked, "usr/bin")];
  const [tool, server] = await Promise.all([
    which("promtool", folders),
    which("prometheus", folders),
  ]);
  return tool && server ? { promtool: tool, prometheus: server } : undefined;
}

async function which(name: Program, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

/** Test files may come here at once: each does it in a folder of its own, and one of these stays. */
async function unpack(): Promise<void> {
  const parent = join(unpacked, "..");
  await mkdir(parent, { recursive: true });
  const own = await mkdtemp(join(parent, "prometheus-"));
  try {
    await download(own);
    const archive = (await readdir(own)).find((name) => name.endsWith(".deb"));
    if (archive === undefined) throw new Error("nothing was downloaded");
    await expectSuccess("dpkg-deb", ["--extract", join(own, archive), join(own, "files")]);
    await rename(join(own, "files"), unpacked).catch(async (error: unknown) => {
      if ((await both()) === undefined) throw error;
    });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function download(directory: string): Promise<void> {
  const fetched = await run("apt-get", ["-qq", "download", "prometheus"], { cwd: directory });
  if (fetched.code === 0) return;
  if (process.getuid?.() !== 0) throw new Error(fetched.output);
  await expectSuccess("apt-get", ["-o", "DPkg::Lock::Timeout=120", "-qq", "update"]);
  await expectSuccess("apt-get", ["-qq", "download", "prometheus"], { cwd: directory });
}

async function expectSuccess(...call: Parameters<typeof run>): Promise<void> {
  const { code, output } = await run(...call);
  if (code !== 0) throw new Error(`${call[0]} ended with ${code}: ${output}`);
}

/** Rejects only where there is no such program. */
function run(
  program: string,
  args: readonly string[],
  { cwd, input = "" }: { cwd?: string; input?: string } = {},
): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { cwd }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === "number") resolve({ code, output: stdout + stderr });
      else reject(error ?? new Error(`${program} ended without a code`));
    });
    // One that ends without reading says so by its code.
    child.stdin?.on("error", () => {}).end(input);
  });
}
