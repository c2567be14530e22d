/**
 * Certificates made on the spot, with the dates and names that a test needs: an authority and
 * what it signs. X.509 in the least of DER that TLS clients accept.
 */

import { generateKeyPairSync, randomBytes, sign, type KeyObject } from "node:crypto";

export type Certificate = { readonly cert: string; readonly key: string };

export type Authority = {
  readonly cert: string;
  issue(options: { host: string; notBefore?: Date; notAfter?: Date }): Certificate;
};

const dayMs = 24 * 60 * 60 * 1_000;

export function createAuthority(): Authority {
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = nameOf("Tidegate test authority");
  const ours = { issuer, signer: own.privateKey, ...validity() };
  return {
    cert: certificate({
      ...ours,
      subject: issuer,
      publicKey: own.publicKey,
      extension: isAuthority,
    }),
    issue({ host, notBefore, notAfter }) {
      const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const subject = nameOf(host);
      const dates = validity(notBefore, notAfter);
      const extension = namesHost(host);
      return {
        cert: certificate({ ...ours, ...dates, subject, publicKey, extension }),
        key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
      };
    },
  };
}

function validity(
  notBefore = new Date(Date.now() - dayMs),
  notAfter = new Date(Date.now() + dayMs),
): { notBefore: Date; notAfter: Date } {
  return { notBefore, notAfter };
}

function certificate(parts: {
  issuer: Buffer;
  subject: Buffer;
  publicKey: KeyObject;
  signer: KeyObject;
  notBefore: Date;
  notAfter: Date;
  extension: Buffer;
}): string {
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])), // serial number
    ecdsaWithSha256,
    parts.issuer,
    sequence(time(parts.notBefore), time(parts.notAfter)),
    parts.subject,
    parts.publicKey.export({ format: "der", type: "spki" }),
    der(0xa3, sequence(parts.extension)),
  );
  const signature = der(0x03, Buffer.from([0]), sign("sha256", body, parts.signer));
  const base64 = sequence(body, ecdsaWithSha256, signature).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const short = length < 0x80;
  // DER has one form for each length, and not every TLS library reads another.
  if (!short && length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([
    Buffer.from(short ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]),
    content,
  ]);
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents);
}

function objectId(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

const ecdsaWithSha256 = sequence(objectId("2a8648ce3d040302"));
const commonName = objectId("550403");
const basicConstraints = objectId("551d13");
const subjectAltName = objectId("551d11");

const isAuthority = sequence(basicConstraints, der(0x04, sequence(der(0x01, Buffer.from([0xff])))));

function nameOf(name: string): Buffer {
  return sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(name)))));
}

function namesHost(host: string): Buffer {
  return sequence(subjectAltName, der(0x04, sequence(der(0x82, Buffer.from(host)))));
}

/** GeneralizedTime: 20261123120000Z. */
function time(date: Date): Buffer {
  return der(0x18, Buffer.from(date.toISOString().replaceAll(/[-:T]|\.\d+/g, "")));
}
