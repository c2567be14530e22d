/**
 * A nats-server's accounts in JWT mode, without its command line tools: an operator who signs two
 * accounts (the system's and one with JetStream), and users of the latter as `.creds` files.
 */

import { createHash } from "node:crypto";
import { nkeys } from "nats";

/** Of the library `nkeys.js`, which `nats` passes on without its types. */
type KeyPair = {
  getPublicKey(): string;
  getSeed(): Uint8Array;
  sign(bytes: Uint8Array): Uint8Array;
};

const keys = nkeys as Record<
  "createOperator" | "createAccount" | "createUser",
  (this: void) => KeyPair
>;

const unlimited = {
  ...{ subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1 },
  ...{ leaf: -1, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
};

export type NatsAccounts = {
  /** To be given to the server with `-c`. */
  readonly config: string;
  /** The text of a new user's file, which the server takes until it expires. */
  createCreds(expiresInSeconds?: number): string;
};

export function createNatsAccounts(): NatsAccounts {
  const operator = keys.createOperator();
  const system = keys.createAccount();
  const account = keys.createAccount();
  const accounts = [system, account].map((owner) => {
    // The system's account may not have JetStream.
    const limits =
      owner === account ? unlimited : { ...unlimited, mem_storage: 0, disk_storage: 0 };
    return `${owner.getPublicKey()}: ${signed(operator, owner, { type: "account", limits })}`;
  });
  return {
    config: [
      `operator: ${signed(operator, operator, { type: "operator" })}`,
      `system_account: ${system.getPublicKey()}`,
      "resolver: MEMORY",
      `resolver_preload: {\n${accounts.join("\n")}\n}`,
    ].join("\n"),
    createCreds(expiresInSeconds = 3_600) {
      const user = keys.createUser();
      const limits = { subs: -1, data: -1, payload: -1 };
      const jwt = signed(account, user, { type: "user", ...limits }, expiresInSeconds);
      return [
        "-----BEGIN NATS USER JWT-----",
        jwt,
        "------END NATS USER JWT------",
        "",
        "-----BEGIN USER NKEY SEED-----",
        Buffer.from(user.getSeed()).toString(),
        "------END USER NKEY SEED------",
        "",
      ].join("\n");
    },
  };
}

/** A key for `authorization.users` of a server, and the seed that proves it. */
export function createNkeyUser(): { publicKey: string; seed: string } {
  const user = keys.createUser();
  return { publicKey: user.getPublicKey(), seed: Buffer.from(user.getSeed()).toString() };
}

function signed(issuer: KeyPair, subject: KeyPair, nats: object, expiresInSeconds = 3_600): string {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iat: now,
    exp: now + expiresInSeconds,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: "test",
    nats: { version: 2, ...nats },
  };
  const jti = createHash("sha256").update(JSON.stringify(claims)).digest("hex");
  const parts = [
    { typ: "JWT", alg: "ed25519-nkey" },
    { ...claims, jti },
  ];
  const body = parts.map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signature = issuer.sign(Buffer.from(body.join(".")));
  return [...body, Buffer.from(signature).toString("base64url")].join(".");
}
