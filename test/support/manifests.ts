/**
 * The Kubernetes manifests below `ops/kubernetes`, as the cluster would read them, and the faults that
 * its types find in them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { parse, parseAllDocuments } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "ops/kubernetes");

export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [member: string]: unknown;
};

/** Every object of every file, but for what is not the cluster's: kustomizations, Helm values. */
export function readManifests(): { readonly file: string; readonly manifest: Manifest }[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".yaml"))
    .filter((file) => !/kustomization\.yaml$|-values\.yaml$/.test(file))
    .flatMap((file) =>
      readYaml(file).map((manifest) => ({ file, manifest: manifest as Manifest })),
    );
}

/** The documents of one file; throws what the parser warns of, too. */
export function readYaml(file: string): unknown[] {
  const documents = parseAllDocuments(readFileSync(join(folder, file), "utf8"));
  return documents.map((document) => {
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw new Error(`${file}: ${fault.message}`);
    return document.toJS() as unknown;
  });
}

/** `NAME=value` lines, as kustomize reads them. */
export function readConfigEnv(): Record<string, string> {
  const lines = readFileSync(join(folder, "config.env"), "utf8").split("\n");
  const set = lines.filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(
    set.map((line): [string, string] => {
      const at = line.indexOf("=");
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** What each kustomization takes in, relative to `ops/kubernetes`. */
export function kustomizedFiles(): string[] {
  return ["", "monitoring"].flatMap((path) => {
    const text = readFileSync(join(folder, path, "kustomization.yaml"), "utf8");
    const { resources } = parse(text) as { resources: string[] };
    return resources.map((file) => join(path, file));
  });
}

/**
 * What is wrong with them by the types of the Kubernetes API: a member that does not exist, one that is
 * missing, a number where text belongs. Not what only a cluster knows, such as the form of a quantity.
 */
export function faultsOf(manifests: readonly Manifest[]): string[] {
  const typed = manifests.map((manifest, index) => {
    const [group = "", version = group] = manifest.apiVersion.split("/");
    const module = version === group ? "core" : (group.split(".")[0] ?? "");
    const type = `import("kubernetes-types/${module}/${version}.js").${manifest.kind}`;
    return `export const object${index}: ${type} = ${JSON.stringify(manifest)};`;
  });
  // Beside the tests, so that the package is found; it is never written.
  const name = join(root, "test/manifests.virtual.ts");
  const options: ts.CompilerOptions = {
    ...{ noEmit: true, strict: true, skipLibCheck: true, types: [], lib: ["lib.es5.d.ts"] },
    ...{ module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (file, languageVersion, ...rest) =>
    file === name
      ? ts.createSourceFile(file, typed.join("\n"), languageVersion)
      : read(file, languageVersion, ...rest);
  const program = ts.createProgram([name], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}
