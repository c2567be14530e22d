/** `tidegate endpoints …`: what can be done with one endpoint. */
import type { Command } from "commander";
import type { components } from "../client/api.ts";
import type { Json } from "./api.ts";
import { addCommand, openApi } from "./command.ts";
import {
  endpointPath,
  ownerQuery,
  showEndpoint,
  type Endpoint,
  type EndpointOptions,
} from "./endpoint.ts";
import { Failure } from "./failure.ts";
import { duration } from "./options.ts";
import { printFacts, printJson } from "./table.ts";
import type { Terminal } from "./terminal.ts";

type Tested = components["schemas"]["TestedPush"];

const example = "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c";

export function addEndpointActions(endpoints: Command, terminal: Terminal): void {
  addPause(endpoints, terminal);
  addResume(endpoints, terminal);
  addPoll(endpoints, terminal);
  addTest(endpoints, terminal);
  addSecret(endpoints, terminal);
  addRotate(endpoints, terminal);
  addDelete(endpoints, terminal);
}

function addPause(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "pause <id>", {
    summary: "Stop pushing for a while; the position stays",
    examples: [`npx tidegate endpoints pause ${example} --reason 'moving until Monday'`],
  })
    .option("--reason <text>", "shown as the reason of its status")
    .option("--json", "the endpoint as JSON")
    .action(async (id: string, options: EndpointOptions & { reason?: string }) => {
      await act(terminal, id, "pause", { reason: options.reason }, options);
    });
}

function addResume(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "resume <id>", {
    summary: "Push again, also to a disabled endpoint; an open circuit is probed at once",
    examples: [
      `npx tidegate endpoints resume ${example}`,
      `npx tidegate endpoints resume ${example} --from latest`,
    ],
  })
    .option("--from <place>", "position (unless given), latest, or a cursor")
    .option("--json", "the endpoint as JSON")
    .action(async (id: string, options: EndpointOptions & { from?: string }) => {
      const { from } = options;
      const isWord = from === undefined || from === "position" || from === "latest";
      await act(terminal, id, "resume", { from: isWord ? from : { cursor: from } }, options);
    });
}

function addPoll(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "poll <id>", {
    summary: "Stop pushing because the consumer polls; the position stays",
    examples: [`npx tidegate endpoints poll ${example}`],
  })
    .option("--json", "the endpoint as JSON")
    .action((id: string, options: EndpointOptions) =>
      act(terminal, id, "poll", undefined, options),
    );
}

function addTest(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "test <id>", {
    summary: "Push a test event and show what the receiver answers",
    about: "Exit code 1 when the receiver does not take it.",
    examples: [`npx tidegate endpoints test ${example}`],
  })
    .option("--json", "the attempt as JSON")
    .action(async (id: string, options: EndpointOptions) => {
      const api = await openApi(terminal, options);
      const query = ownerQuery(api);
      const tested = await api.call<Tested>("POST", endpointPath(id, "/test"), { query });
      const { delivered, attempt } = tested;
      if (options.json === true) await printJson(terminal, tested);
      else if (delivered) {
        const text = `delivered: ${attempt.status_code} in ${attempt.latency_ms} ms`;
        await terminal.print(terminal.paint("green", text));
      }
      if (delivered) return;
      const { error, response } = attempt;
      const said = response?.body ? `The receiver said: ${response.body}` : undefined;
      throw new Failure(`Not delivered: ${error?.message} (${error?.class})`, { hint: said });
    });
}

function addSecret(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "secret <id>", {
    summary: "Print the secret that pushes are verified with",
    examples: [`export SECRET=$(npx tidegate endpoints secret ${example})`],
  }).action(async (id: string, options: EndpointOptions) => {
    const api = await openApi(terminal, options);
    const query = ownerQuery(api);
    const found = await api.call<components["schemas"]["EndpointSecret"]>(
      "GET",
      endpointPath(id, "/secret"),
      { query },
    );
    await terminal.print(found.secret);
  });
}

function addRotate(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "rotate-secret <id>", {
    summary: "Give an endpoint a new secret; the old one signs too for a while",
    examples: [
      `npx tidegate endpoints rotate-secret ${example}`,
      `npx tidegate endpoints rotate-secret ${example} --overlap 1h`,
    ],
  })
    .option("--overlap <span>", "how long the old one signs too (a day unless given)", duration)
    .option("--json", "as JSON")
    .action(async (id: string, options: EndpointOptions & { overlap?: number }) => {
      const api = await openApi(terminal, options);
      const { overlap } = options;
      const body = overlap === undefined ? {} : { overlap_seconds: Math.round(overlap / 1_000) };
      const path = endpointPath(id, "/rotate-secret");
      type Rotated = components["schemas"]["RotatedSecret"];
      const rotated = await api.call<Rotated>("POST", path, { query: ownerQuery(api), body });
      if (options.json === true) return printJson(terminal, rotated);
      await printFacts(terminal, [
        ["secret", rotated.secret],
        ["the old one signs until", rotated.previous_expires_at],
      ]);
    });
}

function addDelete(endpoints: Command, terminal: Terminal): void {
  addCommand(endpoints, "delete <id>", {
    summary: "Remove an endpoint; the events stay in the log",
    examples: [`npx tidegate endpoints delete ${example}`],
  }).action(async (id: string, options: EndpointOptions) => {
    const api = await openApi(terminal, options);
    await api.call("DELETE", endpointPath(id), { query: ownerQuery(api) });
    await terminal.print(`${id} is removed`);
  });
}

async function act(
  terminal: Terminal,
  id: string,
  action: string,
  body: Json | undefined,
  options: EndpointOptions,
): Promise<void> {
  const api = await openApi(terminal, options);
  const endpoint = await api.call<Endpoint>("POST", endpointPath(id, `/${action}`), {
    query: ownerQuery(api),
    ...(body !== undefined && { body }),
  });
  await showEndpoint(terminal, endpoint, options);
}
