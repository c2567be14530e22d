import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { generateKeyRing, loadOrCreateKeys, open, parseKeyRing, seal } from "../../src/keyring.ts";

const oldKey = `1:${Buffer.alloc(32, 1).toString("base64")}`;
const newKey = `2:${Buffer.alloc(32, 2).toString("base64")}`;

describe("parseKeyRing", () => {
  test("the first key is the newest and all are found", () => {
    const ring = parseKeyRing(`${newKey}, ${oldKey}`);
    expect(ring.newest.kid).toBe(2);
    expect(ring.find(1)?.kid).toBe(1);
    expect(ring.find(3)).toBeUndefined();
  });

  test("both base64 alphabets give the same key, padded or not", () => {
    const bytes = Buffer.alloc(32, 0xfb);
    const derived = [bytes.toString("base64"), bytes.toString("base64url")].map((text) =>
      parseKeyRing(`1:${text}`).newest.derive("cursor"),
    );
    expect(derived[0]).toEqual(derived[1]);
  });

  test.each([
    ["", /entry 1 must have the form kid:base64/],
    [`${newKey},`, /entry 2 must have the form/],
    ["1:key with blanks", /entry 1 must have the form/],
    [`0:${newKey.slice(2)}`, /entry 1 must have a kid from 1 to 255/],
    [`256:${newKey.slice(2)}`, /entry 1 must have a kid from 1 to 255/],
    [`${newKey},2:${oldKey.slice(2)}`, /entry 2 repeats kid 2/],
    [`1:${Buffer.alloc(31).toString("base64")}`, /entry 1 has a key of 31 bytes; 32 are needed/],
    [`1:${"A".repeat(45)}`, /entry 1 is not base64/],
  ])("%s is refused", (text, message) => {
    expect(() => parseKeyRing(text)).toThrow(message);
  });

  test("an error never shows a key", () => {
    const secret = Buffer.alloc(31, 9).toString("base64");
    expect(() => parseKeyRing(`1:${secret}`)).not.toThrow(secret);
  });
});

describe("derive", () => {
  test("each purpose and each key has its own 32 bytes, always the same", () => {
    const ring = parseKeyRing(`${newKey},${oldKey}`);
    const cursor = ring.newest.derive("cursor");
    expect(cursor).toHaveLength(32);
    expect(parseKeyRing(newKey).newest.derive("cursor")).toEqual(cursor);
    expect(ring.newest.derive("endpoint secret")).not.toEqual(cursor);
    expect(ring.find(1)?.derive("cursor")).not.toEqual(cursor);
  });

  test("the result is the one every released version must give", () => {
    expect(parseKeyRing(oldKey).newest.derive("cursor").toString("hex")).toBe(
      "bd545bcb9c6dc099cf1cb9ddeb9e759e5e7383347d23de5e161d435c64708486",
    );
  });
});

describe("seal and open", () => {
  const ring = parseKeyRing(`${newKey},${oldKey}`);

  test("what was sealed is opened again", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (plaintext, context) => {
        const sealed = seal(ring, "endpoint secret", plaintext, context);
        expect(sealed[0]).toBe(2);
        expect(Uint8Array.from(open(ring, "endpoint secret", sealed, context))).toEqual(plaintext);
      }),
    );
  });

  test("equal values are sealed differently", () => {
    const plaintext = Buffer.from("whsec_…");
    expect(seal(ring, "p", plaintext, "c")).not.toEqual(seal(ring, "p", plaintext, "c"));
  });

  test("an older key still opens, a removed one does not", () => {
    const sealed = seal(parseKeyRing(oldKey), "p", Buffer.from("x"), "c");
    expect(open(ring, "p", sealed, "c").toString()).toBe("x");
    expect(() => open(parseKeyRing(newKey), "p", sealed, "c")).toThrow(/key 1.*not in the key/);
  });

  test("another purpose, another context or any changed byte is noticed", () => {
    const sealed = seal(ring, "p", Buffer.from("secret"), "ep_1");
    expect(() => open(ring, "q", sealed, "ep_1")).toThrow();
    expect(() => open(ring, "p", sealed, "ep_2")).toThrow();
    for (const index of sealed.keys()) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(sealed.readUInt8(index) ^ 3, index);
      expect(() => open(ring, "p", changed, "ep_1")).toThrow();
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => open(ring, "p", sealed.subarray(0, length), "ep_1")).toThrow();
    }
  });
});

describe("loadOrCreateKeys", () => {
  let parent: string;
  let dataDir: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), "tidegate-keys-"));
    dataDir = join(parent, "deep", "data");
  });

  afterEach(() => rm(parent, { recursive: true }));

  test("makes keys once, for the owner alone", async () => {
    const keys = await loadOrCreateKeys(dataDir);
    expect(keys.operatorKey).toMatch(/^tg_op_[\w-]{32}$/);
    expect(parseKeyRing(keys.secrets).newest.kid).toBe(1);
    expect(await loadOrCreateKeys(dataDir)).toEqual(keys);
    expect(await modes()).toEqual({ ".": 0o700, "operator-key": 0o600, secrets: 0o600 });
  });

  test("many processes that start at once get the same keys and leave no drafts", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => loadOrCreateKeys(dataDir)));
    expect(new Set(all.map((keys) => JSON.stringify(keys))).size).toBe(1);
    expect(await readdir(dataDir)).toEqual(["operator-key", "secrets"]);
  });

  test("a key file that others can read is tightened", async () => {
    const keys = await loadOrCreateKeys(dataDir);
    await chmod(join(dataDir, "secrets"), 0o644);
    expect(await loadOrCreateKeys(dataDir)).toEqual(keys);
    expect((await modes())["secrets"]).toBe(0o600);
  });

  test("an empty key file is refused, not replaced", async () => {
    await mkdir(dataDir, { recursive: true });
    await writeFile(join(dataDir, "operator-key"), "\n");
    await expect(loadOrCreateKeys(dataDir)).rejects.toThrow(/operator-key is empty/);
    expect(await readFile(join(dataDir, "operator-key"), "utf8")).toBe("\n");
  });

  async function modes(): Promise<Record<string, number>> {
    const names = [".", ...(await readdir(dataDir))];
    const stats = await Promise.all(names.map((name) => stat(join(dataDir, name))));
    return Object.fromEntries(
      names.map((name, index) => [name, (stats[index]?.mode ?? 0) & 0o777]),
    );
  }
});

test("a generated key ring is one that can be parsed", () => {
  expect(parseKeyRing(generateKeyRing()).newest.kid).toBe(1);
  expect(generateKeyRing()).not.toBe(generateKeyRing());
});
