/**
 * What `ops/kubernetes` says about Tidegate is true: its variables, ports, routes, times and versions
 * are those of the program, of the image and of each other. That the metrics exist by which it scales
 * is shown by test/integration/ops.test.ts.
 */
import { readFileSync } from "node:fs";
import type { Deployment } from "kubernetes-types/apps/v1.js";
import type { HorizontalPodAutoscaler } from "kubernetes-types/autoscaling/v2.js";
import type { Container, Secret, Service } from "kubernetes-types/core/v1.js";
import type { NetworkPolicy } from "kubernetes-types/networking/v1.js";
import type { PodDisruptionBudget } from "kubernetes-types/policy/v1.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/config.ts";
import { describeApi } from "../../src/gateway.ts";
import { generateKeyRing } from "../../src/keyring.ts";
import {
  faultsOf,
  kustomizedFiles,
  readConfigEnv,
  readManifests,
  type Manifest,
} from "../support/manifests.ts";

/** What main.ts gives itself beyond the grace time before it ends a process that does not drain. */
const closingSeconds = 10;

/** Readiness asks the database, which has two seconds. */
const probeSeconds = 2;

const manifests = readManifests();
const filled = {
  DATABASE_URL: "postgres://tidegate:secret@postgres.internal:5432/tidegate",
  NATS_URL: "nats://a:4222,nats://b:4222",
  TIDEGATE_SECRETS: generateKeyRing(),
  TIDEGATE_OPERATOR_KEY: "tg_op_0123456789",
  NATS_USER: "tidegate",
  NATS_PASSWORD: "secret",
};

function all<Kind>(kind: string): Kind[] {
  const found = manifests.filter(({ manifest }) => manifest.kind === kind);
  expect(found.length).toBeGreaterThan(0);
  return found.map(({ manifest }) => manifest as unknown as Kind);
}

function text(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

function readDockerfile(): { uid: number; env: Record<string, string> } {
  const env = Array.from(text("Dockerfile").matchAll(/(NODE_ENV|HOST|PORT)=(\S+)/g));
  expect(text("Dockerfile")).toMatch(/^USER node$/m);
  // The user `node` of the official image.
  return { uid: 1000, env: Object.fromEntries(env.map(([, name, value]) => [name, value])) };
}

const deployments = all<Deployment>("Deployment").map((deployment) => {
  const role = deployment.metadata?.labels?.["app.kubernetes.io/component"] ?? "";
  const pod = deployment.spec?.template.spec;
  const container = pod?.containers[0];
  if (pod === undefined || container === undefined) throw new Error(`${role} has no container`);
  return { role, deployment, pod, container, environment: environmentOf(container) };
});

/** As the kubelet puts it together: of the image, the config map, the secret, and its own. */
function environmentOf({ env = [], envFrom = [] }: Container): Record<string, string> {
  expect(envFrom).toEqual([
    { configMapRef: { name: "tidegate" } },
    { secretRef: { name: "tidegate" } },
  ]);
  const own = env.map(({ name, value = "" }): [string, string] => [name, value]);
  return { ...readDockerfile().env, ...readConfigEnv(), ...filled, ...Object.fromEntries(own) };
}

test("they are what the types of the Kubernetes API allow", () => {
  // Its types are the operator's; what is wrong with the only one is seen at its scrape.
  const known = manifests.filter(({ manifest }) => manifest.kind !== "PodMonitor");
  expect(faultsOf(known.map(({ manifest }) => manifest))).toEqual([]);
  const wrong = {
    ...{ apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "x" } },
    spec: { maxUnavailabel: 1 },
  };
  expect(faultsOf([wrong as Manifest])[0]).toMatch(/maxUnavailabel.* does not exist/);
});

test("kustomize takes in every file but the template of the secret, and none that is not there", () => {
  const files = new Set(manifests.map(({ file }) => file));
  files.delete("secret.example.yaml");
  expect(kustomizedFiles().toSorted()).toEqual([...files].toSorted());
});

test("there is a deployment for each role", () => {
  expect(deployments.map(({ role }) => role).toSorted()).toEqual(["api", "push"]);
});

test("the template of the secret has all that is needed, no value, and nothing else", () => {
  const [secret] = all<Secret>("Secret");
  expect(secret?.metadata?.name).toBe("tidegate");
  expect(Object.keys(secret?.stringData ?? {}).toSorted()).toEqual(Object.keys(filled).toSorted());
  expect(new Set(Object.values(secret?.stringData ?? {}))).toEqual(new Set([""]));
  const [{ environment } = { environment: {} }] = deployments;
  expect(() => parseConfig({ ...environment, ...secret?.stringData })).toThrow(
    /DATABASE_URL is required.*\n.*TIDEGATE_OPERATOR_KEY is required.*\n.*TIDEGATE_SECRETS is/,
  );
});

describe.each(deployments)("the deployment of $role", (each) => {
  const { role, deployment, pod, container, environment } = each;
  const config = parseConfig(environment);

  test("sets variables that the program knows, for its role, in production", () => {
    expect([...config.roles]).toEqual([role]);
    expect(config.production).toBe(true);
    expect(environment["HOST"]).toBe("0.0.0.0");
    // What is commented out is to be right too.
    for (const [, name, value] of text("ops/kubernetes/config.env").matchAll(
      /^#([A-Z_]+)=(.+)$/gm,
    )) {
      expect(() => parseConfig({ ...environment, [name ?? ""]: value })).not.toThrow();
    }
  });

  test("names the ports at which the process listens", () => {
    expect(container.ports).toEqual([
      { name: "http", containerPort: config.port },
      { name: "metrics", containerPort: config.metricsAddress?.port },
    ]);
    expect(config.metricsAddress?.host).toBe("0.0.0.0");
  });

  test("probes routes that a process of this role has", async () => {
    const { paths } = await describeApi(config);
    const { startupProbe, livenessProbe, readinessProbe } = container;
    for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
      expect(probe?.httpGet?.port).toBe("http");
      expect(Object.keys(paths ?? {})).toContain(probe?.httpGet?.path);
    }
    expect(livenessProbe?.httpGet?.path).toBe("/healthz");
    expect(readinessProbe?.httpGet?.path).toBe("/readyz");
    expect(readinessProbe?.timeoutSeconds).toBeGreaterThan(probeSeconds);
  });

  test("gives a process more time to drain than it takes", () => {
    const command = container.lifecycle?.preStop?.exec?.command ?? ["sleep", "0"];
    expect(command[0]).toBe("sleep");
    const drainSeconds = Number(command[1]) + config.shutdownMs / 1_000 + closingSeconds;
    expect(text("src/main.ts")).toContain(`closingMs = ${closingSeconds}_000`);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(drainSeconds);
  });

  test("runs as the image's user, and can do nothing that it need not", () => {
    const { uid } = readDockerfile();
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: uid });
    expect(container.securityContext).toEqual({
      ...{ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      capabilities: { drop: ["ALL"] },
    });
    expect(pod).toMatchObject({ enableServiceLinks: false, automountServiceAccountToken: false });
  });

  test("leaves Node's heap a part of the memory", () => {
    const heapMiB = Number(/=(\d+)$/.exec(environment["NODE_OPTIONS"] ?? "")?.[1]);
    expect(container.resources?.limits).toEqual({ memory: "1Gi" });
    // Request bodies alone may take 128 MiB.
    expect(heapMiB).toBeLessThan(1024 - 128 - 128);
    expect(container.resources?.limits?.["cpu"]).toBeUndefined();
  });

  test("has the image of this version, which is the one that compose makes", () => {
    const { version } = JSON.parse(text("package.json")) as { version: string };
    expect(container.image).toBe(`tidegate:${version}`);
    const compose = parse(text("docker-compose.yml"), { merge: true }) as {
      services: Record<string, { image: string }>;
    };
    expect(compose.services[role]?.image).toBe(container.image);
  });

  test("is what its budget, its autoscaler and its spread are about", () => {
    const labels = deployment.spec?.template.metadata?.labels ?? {};
    expect(deployment.spec?.selector.matchLabels).toEqual(labels);
    for (const { labelSelector } of pod.topologySpreadConstraints ?? []) {
      expect(labelSelector?.matchLabels).toEqual(labels);
    }
    const name = deployment.metadata?.name;
    const budgets = all<PodDisruptionBudget>("PodDisruptionBudget");
    const budget = budgets.find(({ metadata }) => metadata?.name === name);
    expect(budget?.spec?.selector?.matchLabels).toEqual(labels);
    const [scaler] = scalers().filter(({ spec }) => spec?.scaleTargetRef.name === name);
    expect(scaler?.spec?.minReplicas).toBeGreaterThan(1);
    // Else applying it anew would undo what the autoscaler does.
    expect(deployment.spec).not.toHaveProperty("replicas");
  });
});

test("the service and the policies are for pods and ports that there are", () => {
  const api = deployments.find(({ role }) => role === "api");
  const labels = api?.deployment.spec?.template.metadata?.labels ?? {};
  const [service] = all<Service>("Service");
  expect(service?.spec?.selector).toEqual(labels);
  const ports = (service?.spec?.ports ?? []).map(({ targetPort }) => targetPort);
  const policies = all<NetworkPolicy>("NetworkPolicy");
  for (const { spec } of policies) {
    expect(labels).toMatchObject(spec?.podSelector.matchLabels ?? {});
    for (const { ports: allowed = [] } of spec?.ingress ?? []) {
      ports.push(...allowed.map(({ port }) => port));
    }
  }
  const [monitor] = all<{
    spec: {
      selector: { matchLabels: object };
      podMetricsEndpoints: { port: string; path: string }[];
    };
  }>("PodMonitor");
  expect(labels).toMatchObject(monitor?.spec.selector.matchLabels ?? {});
  ports.push(...(monitor?.spec.podMetricsEndpoints ?? []).map(({ port }) => port));
  const named = (api?.container.ports ?? []).map(({ name }) => name);
  for (const port of ports) expect(named).toContain(port);
});

test("docs/operations.md has the number of connections that all pods together may open", () => {
  const pool = Math.max(
    ...deployments.map(({ environment }) => parseConfig(environment).databasePool),
  );
  // One more of each while an update goes on.
  const pods = scalers().reduce((sum, { spec }) => sum + (spec?.maxReplicas ?? 0) + 1, 0);
  expect(text("docs/operations.md")).toContain(`**${pods * pool} connections**`);
});

function scalers(): HorizontalPodAutoscaler[] {
  return all<HorizontalPodAutoscaler>("HorizontalPodAutoscaler");
}
