import { expect, test } from "vitest";
import { parseServers } from "../../src/fanout/servers.ts";

test.each([
  ["nats://host", ["host:4222"]],
  ["nats://host:4333", ["host:4333"]],
  ["host", ["host:4222"]],
  ["host:4333", ["host:4333"]],
  ["nats://[::1]:4333", ["[::1]:4333"]],
  ["nats://a:1, nats://b:2,c", ["a:1", "b:2", "c:4222"]],
])("%s is the servers %j", (text, addresses) => {
  expect(parseServers([text])).toEqual({ addresses, encrypted: false, credentials: {} });
});

test.each([
  ["nats://tide:secret@host", { user: "tide", pass: "secret" }],
  ["nats://tide:p%40ss%3A1%2F@host:1", { user: "tide", pass: "p@ss:1/" }],
  ["nats://tide:100%@host", { user: "tide", pass: "100%" }],
  ["nats://s3cr3t@host", { token: "s3cr3t" }],
  ["nats://tide:secret@a,nats://b", { user: "tide", pass: "secret" }],
  ["nats://tide:secret@a,nats://tide:secret@b", { user: "tide", pass: "secret" }],
])("%s brings its credentials, apart from the address", (text, credentials) => {
  const servers = parseServers([text]);
  expect(servers.credentials).toEqual(credentials);
  expect(servers.addresses.join()).not.toMatch(/@|tide|s3cr3t/);
});

test("tls:// asks for an encrypted connection", () => {
  expect(parseServers(["tls://host"])).toMatchObject({ addresses: ["host:4222"], encrypted: true });
});

test.each([
  ["", "no server"],
  ["nats://", "valid URL"],
  ["nats://host:99999999", "valid URL"],
  ["http://host", "http://"],
  ["nats://a,tls://b", "mixed"],
  ["nats://one:pass-1@a,nats://two:pass-2@b", "same credentials"],
])("%s is refused without quoting it", (text, message) => {
  let thrown: unknown;
  try {
    parseServers([text]);
  } catch (error) {
    thrown = error;
  }
  expect(String(thrown)).toContain(message);
  expect(String(thrown)).not.toContain("pass-");
});
