/** What the portal says of a request that somebody pasted, for what goes wrong in receivers. */
import { describe, expect, test } from "vitest";
import { sign, signPlace } from "../../src/client/verify.ts";
import { check, parseRequest } from "../../src/portal/page/views/signatures/check.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const otherSecret = "whsec_AAKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const publicKey = "whpk_XQ8Qmt3oEM/ygon5jHfLE2AoH10dxngY+GPJnHV5QBM=";
const id = "evt_2026-11-23_6f1c2a520b7e4d7d4129b5a1c07";
const body = JSON.stringify({
  specversion: "1.0",
  id,
  source: "/tenants/acme",
  type: "order.created",
  time: "2026-11-23T12:00:00.000Z",
  datacontenttype: "application/json",
  dataversion: "1",
  tenant: "acme",
  sequence: "00000000000000001042",
  data: { note: "Größe ✓" },
});
const now = Date.parse("2026-11-23T12:00:01.000Z");
const signed = await sign(secret, id, body, { now });

function pasted(headers: Readonly<Record<string, string>>, text: string): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `POST /hook HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${text}`;
}

async function faults(text: string, { secrets = [secret], at = now } = {}): Promise<string> {
  const findings = await check(secrets, parseRequest(text), at);
  return findings
    .filter(({ ok }) => !ok)
    .map((finding) => finding.text)
    .join(" ");
}

describe("a request is read", () => {
  test("with its body as it is, whatever the headers' case", () => {
    const { headers, body: found } = parseRequest("Webhook-Id:  a \n\n{\n 1}\n");
    expect(headers).toEqual({ "webhook-id": "a" });
    expect(found).toBe("{\n 1}\n");
  });

  test("without an empty line, and as curl prints it", () => {
    const text = `> POST / HTTP/1.1\n> webhook-id: a\n-H 'webhook-timestamp: 5' \\\n${body}`;
    const { headers, body: found } = parseRequest(text);
    expect(headers).toEqual({ "webhook-id": "a", "webhook-timestamp": "5" });
    expect(found).toBe(body);
  });

  test("of nothing, as nothing", () => {
    expect(parseRequest("")).toEqual({ headers: {}, body: "" });
    expect(parseRequest("\n\n").headers).toEqual({});
  });
});

describe("a request is checked", () => {
  test("and found right, as long as it is fresh", async () => {
    expect(await faults(pasted(signed, body))).toBe("");
    expect(await faults(pasted(signed, body), { at: now + 301_000 })).toContain(
      "5\u00a0min 1\u00a0s ago",
    );
    expect(await faults(pasted(signed, body), { at: now - 301_000 })).toContain("in the future");
  });

  test("and what is missing is named", async () => {
    expect(await faults("webhook-id: a\n\n{}")).toMatch(
      /^webhook-timestamp and webhook-signature are missing/,
    );
  });

  test.each<[string, string, RegExp]>([
    ["white space around the body", `${body}\n`, /white space around it/],
    ["a body that was written anew", JSON.stringify(JSON.parse(body), null, 2), /written again/],
    ["half a body", body.slice(0, 90), /not whole JSON/],
    ["another body", body.replace(id, "evt_other"), /two pushes/],
    ["a changed body", body.replace("Größe", "Grösse"), /or the body or webhook-timestamp/],
  ])("and %s is told", async (_, changed, words) => {
    expect(await faults(pasted(signed, changed))).toMatch(words);
  });

  test("and a length that is another says that the body was changed", async () => {
    const length = String(new TextEncoder().encode(body).length);
    const text = pasted({ ...signed, "content-length": length }, body.replace("✓", "x"));
    expect(await faults(text)).toContain(`${length} bytes were sent`);
  });

  test("and a wrong secret is told by what is wrong with it", async () => {
    const text = pasted(signed, body);
    expect(await faults(text, { secrets: [otherSecret] })).toContain("secret of another endpoint");
    expect(await faults(text, { secrets: ["whsec_x"] })).toContain("The secret cannot be used");
    expect(await faults(text, { secrets: [publicKey] })).toContain("This is a public key");
    expect(await faults(text, { secrets: [] })).toContain("no secret");
    expect(await faults(text, { secrets: [otherSecret, secret] })).toBe("");
  });

  test("and a signature that the gateway left out is not called wrong", async () => {
    const text = pasted({ ...signed, "webhook-signature": "[redacted]" }, body);
    expect(await faults(text)).toContain("left out");
  });

  test("with the headers that tell its place", async () => {
    const place = { ...signed, "tidegate-endpoint": "ep_1", "tidegate-cursor": "abc" };
    const headers = { ...place, ...(await signPlace(secret, place)) };
    expect(await faults(pasted(headers, body))).toBe("");
    const changed = { ...headers, "tidegate-cursor": "abd" };
    expect(await faults(pasted(changed, body))).toContain("-cursor or -replay was changed");
    // Under no signature of its own, but in the body, which is.
    const moved = { ...headers, "tidegate-sequence": "00000000000000001043" };
    expect(await faults(pasted(moved, body))).toContain("tidegate-sequence was changed");
    const kept = { ...headers, "tidegate-sequence": "00000000000000001042" };
    expect(await faults(pasted(kept, body))).toBe("");
  });
});
