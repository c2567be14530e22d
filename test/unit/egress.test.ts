import type { LookupAddress } from "node:dns";
import { isIPv4 } from "node:net";
import { describe, expect, test } from "vitest";

import { createEgressPolicy, EgressError, hostOf } from "../../src/push/egress.ts";

const strict = createEgressPolicy({ allow: [], resolve: answering() });

/** A name service that gives these addresses for every name. */
function answering(...addresses: string[]): (host: string) => Promise<LookupAddress[]> {
  return async () => addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 }));
}

function failing(code: string): () => Promise<never> {
  return async () => {
    throw Object.assign(new Error(code), { code });
  };
}

describe("permits", () => {
  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:80b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
  ])("%s", (address) => {
    expect(strict.permits(address)).toBe(true);
  });

  test.each([
    ["this network", "0.0.0.0"],
    ["this network", "0.1.2.3"],
    ["private", "10.0.0.1"],
    ["private", "172.16.0.1"],
    ["private", "172.31.255.255"],
    ["private", "192.168.1.1"],
    ["carrier-grade NAT", "100.64.0.1"],
    ["carrier-grade NAT", "100.127.255.255"],
    ["loopback", "127.0.0.1"],
    ["loopback", "127.255.255.255"],
    ["link-local, cloud metadata", "169.254.169.254"],
    ["Azure's host agent", "168.63.129.16"],
    ["Azure's host agent, mapped", "::ffff:168.63.129.16"],
    ["Alibaba's metadata", "100.100.100.200"],
    ["protocol assignments, Oracle's metadata", "192.0.0.192"],
    ["documentation", "192.0.2.1"],
    ["documentation", "198.51.100.1"],
    ["documentation", "203.0.113.1"],
    ["6to4 relays", "192.88.99.1"],
    ["benchmarks", "198.18.0.1"],
    ["multicast", "224.0.0.1"],
    ["reserved", "240.0.0.1"],
    ["broadcast", "255.255.255.255"],
    ["unspecified", "::"],
    ["loopback", "::1"],
    ["IPv4-compatible loopback", "::127.0.0.1"],
    ["IPv4-compatible loopback in hex", "::7f00:1"],
    ["IPv4-compatible of a public address", "::8.8.8.8"],
    ["IPv4-compatible of a public address in hex", "::808:808"],
    ["mapped loopback", "::ffff:127.0.0.1"],
    ["mapped loopback in hex", "::ffff:7f00:1"],
    ["mapped private", "::ffff:10.0.0.1"],
    ["mapped metadata", "::ffff:a9fe:a9fe"],
    ["translated loopback", "::ffff:0:127.0.0.1"],
    ["NAT64 of loopback", "64:ff9b::127.0.0.1"],
    ["NAT64 of private", "64:ff9b::a00:1"],
    ["NAT64 of metadata", "64:ff9b::a9fe:a9fe"],
    ["local NAT64", "64:ff9b:1::8.8.8.8"],
    ["local NAT64 of private", "64:ff9b:1::10.0.0.1"],
    ["beside NAT64", "64:ff9b:0:1::8.8.8.8"],
    ["6to4", "2002:7f00:1::"],
    ["6to4 of a public address", "2002:808:808::"],
    ["6to4 of private", "2002:a00:1::1"],
    ["Teredo", "2001::1"],
    ["Teredo of private", "2001:0:a00:1::f5ff:fffe"],
    ["ORCHID", "2001:20::1"],
    ["documentation", "2001:db8::1"],
    ["documentation", "3fff::1"],
    ["unique local", "fc00::1"],
    ["unique local, cloud metadata", "fd00:ec2::254"],
    ["link-local", "fe80::1"],
    ["link-local with a zone", "fe80::1%eth0"],
    ["site-local", "fec0::1"],
    ["multicast", "ff02::1"],
    ["discard", "100::1"],
    ["segment routing", "5f00::1"],
    ["unassigned", "4000::1"],
    ["not an address", "example.com"],
    ["not an address", ""],
    ["an address in another notation", "0x7f.1"],
    ["an address in brackets", "[2606:4700:4700::1111]"],
  ])("not %s: %s", (_kind, address) => {
    expect(strict.permits(address)).toBe(false);
  });

  test("the allow-list adds networks and single addresses, in whatever form they arrive", () => {
    const policy = createEgressPolicy({
      allow: ["127.0.0.0/8", "::1/128", "fd00::/8", "10.1.2.3"],
      resolve: answering(),
    });
    const allowed = ["127.0.0.1", "127.9.9.9", "::1", "fd12::1", "10.1.2.3", "::ffff:127.0.0.1"];
    expect(allowed.filter((address) => !policy.permits(address))).toEqual([]);
    expect(["10.1.2.4", "192.168.0.1", "fe80::1"].filter(policy.permits)).toEqual([]);
    expect(policy.permits("8.8.8.8")).toBe(true);
  });

  test("the allow-list does not reach through an address that only looks like an IPv4 one", () => {
    const policy = createEgressPolicy({ allow: ["10.0.0.0/8"], resolve: answering() });
    const reached = ["10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1"];
    expect(reached.filter((address) => !policy.permits(address))).toEqual([]);
    const lookalikes = ["::10.0.0.1", "2002:a00:1::", "64:ff9b:1::10.0.0.1"];
    expect(lookalikes.filter(policy.permits)).toEqual([]);
  });

  test("an allow-list with something else than networks is refused at once", () => {
    expect(() => createEgressPolicy({ allow: ["10.0.0.0/33"] })).toThrow();
    expect(() => createEgressPolicy({ allow: ["localhost"] })).toThrow();
  });
});

describe("lookup", () => {
  type Looked = { error: Error | null; addresses: string | LookupAddress[] };

  function look(addresses: string[], all = true): Promise<Looked> {
    const { lookup } = createEgressPolicy({ allow: [], resolve: answering(...addresses) });
    return new Promise((resolve) => {
      lookup("hooks.example", { all }, (error, found) => resolve({ error, addresses: found }));
    });
  }

  test("every permitted answer is handed on and no other", async () => {
    expect(await look(["10.0.0.1", "8.8.8.8", "::1", "2606:4700:4700::1111"])).toEqual({
      error: null,
      addresses: [
        { address: "8.8.8.8", family: 4 },
        { address: "2606:4700:4700::1111", family: 6 },
      ],
    });
  });

  test("a socket that asks for one address gets a permitted one", async () => {
    expect(await look(["10.0.0.1", "8.8.8.8"], false)).toMatchObject({ addresses: "8.8.8.8" });
  });

  test("a name with refused addresses only is an error that does not tell them", async () => {
    const { error } = await look(["10.20.30.40", "fd00::1"]);
    expect(error).toBeInstanceOf(EgressError);
    expect(error).toMatchObject({ class: "address" });
    expect(error?.message).toContain("hooks.example");
    expect(error?.message).not.toMatch(/10\.20|fd00/);
  });

  test.each([
    ["ENOTFOUND", "no such host"],
    ["ENODATA", "no such host"],
    ["ETIMEOUT", "the name server did not answer"],
    ["EAI_AGAIN", "the name server did not answer"],
    ["ESERVFAIL", "the host could not be resolved (ESERVFAIL)"],
  ])("a name service that fails with %s is told as %j", async (code, message) => {
    const { lookup } = createEgressPolicy({ allow: [], resolve: failing(code) });
    const error = await new Promise((resolve) => lookup("hooks.example", {}, resolve));
    expect(error).toMatchObject({ class: "dns", message });
  });

  test("a name without addresses is no such host", async () => {
    expect((await look([])).error).toMatchObject({ class: "dns", message: "no such host" });
  });
});

describe("checkUrl", () => {
  const publicNames = createEgressPolicy({ allow: [], resolve: answering("8.8.8.8") });

  test.each([
    "https://hooks.example/",
    "http://hooks.example:8080/a/b?c=d",
    "https://8.8.8.8/hook",
    "https://[2606:4700:4700::1111]/hook",
    "https://grüße.example/hook",
    `https://hooks.example/${"a".repeat(2_000)}`,
  ])("accepts %s", async (url) => {
    expect(await publicNames.checkUrl(url)).toEqual({ kind: "accepted" });
  });

  test.each([
    ["", "not an absolute URL"],
    ["hooks.example", "not an absolute URL"],
    ["/hook", "not an absolute URL"],
    ["https://", "not an absolute URL"],
    ["ftp://hooks.example/", "must be http or https"],
    ["javascript:alert(1)", "must be http or https"],
    ["file:///etc/passwd", "must be http or https"],
    ["https://user:pass@hooks.example/", "credentials"],
    ["https://user@hooks.example/", "credentials"],
    ["https://hooks.example/#part", "fragment"],
    ["https://hooks.example/#", "fragment"],
    ["https://hooks.example:0/", "port 0"],
    ["https://hooks.example:65536/", "not an absolute URL"],
    ["https://hooks.example/ hook", "white space"],
    ["https://hooks\n.example/", "white space"],
    ["https://hooks.example/\ud83d", "surrogate"],
    ["https://1.2.3.4.5/", "not an absolute URL"],
    [`https://hooks.example/${"a".repeat(2_048)}`, "longer than"],
  ])("refuses %j in words", async (url, words) => {
    const check = await publicNames.checkUrl(url);
    expect(check).toMatchObject({ kind: "invalid", detail: expect.stringContaining(words) });
  });

  test.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127.0.0.1./",
    "http://%31%32%37.0.0.1/",
    "http://[::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2002:a00:1::]/",
    "http://168.63.129.16/",
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[fd00:ec2::254]/latest/meta-data",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1:8080/",
  ])("does not allow the literal address in %s", async (url) => {
    expect(await publicNames.checkUrl(url)).toMatchObject({ kind: "address-not-allowed" });
  });

  test("says which literal address it does not allow and why", async () => {
    expect(await publicNames.checkUrl("http://0xa9fea9fe/")).toEqual({
      kind: "address-not-allowed",
      detail: "169.254.169.254 is not allowed (link local address)",
    });
  });

  test("does not allow a host that resolves to refused addresses only", async () => {
    const policy = createEgressPolicy({ allow: [], resolve: answering("10.0.0.1", "::1") });
    expect(await policy.checkUrl("https://internal.example/")).toEqual({
      kind: "address-not-allowed",
      detail: "internal.example resolves to an address that is not allowed",
    });
  });

  test.each(["localhost", "localhost.", "LOCALHOST", "shop.localhost", "a.shop.localhost."])(
    "does not allow %s, whatever the name servers know of it",
    async (host) => {
      const policy = createEgressPolicy({ allow: [] });
      const check = await policy.checkUrl(`http://${host}/`);
      expect(check).toMatchObject({ kind: "address-not-allowed" });
      const local = createEgressPolicy({ allow: ["127.0.0.0/8", "::1/128"] });
      expect(await local.checkUrl(`http://${host}/`)).toEqual({ kind: "accepted" });
    },
  );

  test("accepts a host that also resolves to a permitted address", async () => {
    const policy = createEgressPolicy({ allow: [], resolve: answering("10.0.0.1", "8.8.8.8") });
    expect(await policy.checkUrl("https://both.example/")).toEqual({ kind: "accepted" });
  });

  test.each(["ENOTFOUND", "ETIMEOUT", "ESERVFAIL"])(
    "accepts a host that does not resolve yet (%s)",
    async (code) => {
      const policy = createEgressPolicy({ allow: [], resolve: failing(code) });
      expect(await policy.checkUrl("https://later.example/")).toEqual({ kind: "accepted" });
    },
  );

  test("accepts what is on the allow-list", async () => {
    const policy = createEgressPolicy({ allow: ["127.0.0.0/8"], resolve: answering("127.0.0.1") });
    expect(await policy.checkUrl("http://localhost:3000/hook")).toEqual({ kind: "accepted" });
    expect(await policy.checkUrl("http://127.0.0.1:3000/hook")).toEqual({ kind: "accepted" });
  });
});

test("the host of a URL has no brackets", () => {
  expect(hostOf(new URL("https://[::1]:8443/"))).toBe("::1");
  expect(hostOf(new URL("https://hooks.example/"))).toBe("hooks.example");
});
