/** What the environment says of the broker, and what of it does not go together. */

/**
 * Who we are to the broker, and how we know it; what is not given here may stand in its URL. Files
 * are read at each connection.
 */
export type BrokerAccess = {
  readonly user?: string | undefined;
  /** Without it the user is a token. */
  readonly password?: string | undefined;
  /** A JWT and its seed. */
  readonly credsFile?: string | undefined;
  readonly nkeyFile?: string | undefined;
  /** PEM each. Authorities that are trusted instead of the system's. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
};

export type NatsConfig = BrokerAccess & {
  readonly servers: readonly string[];
  /** Undefined: as many as the cluster can hold, and what an operator has set stays. */
  readonly replicas?: number | undefined;
};

/** Those that say how to use the broker; most are known to the `nats` command line tool, too. */
const natsOptions = [
  "NATS_USER",
  "NATS_PASSWORD",
  "NATS_CREDS",
  "NATS_NKEY",
  "NATS_CA",
  "NATS_CERT",
  "NATS_KEY",
  "TIDEGATE_NATS_REPLICAS",
] as const;

/** The first says nothing without the second. */
const inseparable = [
  ["NATS_PASSWORD", "NATS_USER"],
  ["NATS_CERT", "NATS_KEY"],
  ["NATS_KEY", "NATS_CERT"],
] as const;

/** As they are parsed. */
type BrokerValues = {
  readonly NATS_URL?: readonly string[] | undefined;
  readonly TIDEGATE_NATS_REPLICAS?: number | undefined;
} & {
  readonly [name in Exclude<(typeof natsOptions)[number], "TIDEGATE_NATS_REPLICAS">]?:
    | string
    | undefined;
};

export function toNatsConfig(values: BrokerValues): NatsConfig | undefined {
  const servers = values.NATS_URL;
  if (servers === undefined) return undefined;
  return {
    servers,
    replicas: values.TIDEGATE_NATS_REPLICAS,
    user: values.NATS_USER,
    password: values.NATS_PASSWORD,
    credsFile: values.NATS_CREDS,
    nkeyFile: values.NATS_NKEY,
    caFile: values.NATS_CA,
    certFile: values.NATS_CERT,
    keyFile: values.NATS_KEY,
  };
}

/** What is not used would only seem to protect something, so it is refused. */
export function natsFaults(given: Readonly<Record<string, string>>): string[] {
  const isGiven = (name: string): boolean => given[name] !== undefined;
  const faults = natsOptions
    .filter((name) => isGiven(name) && !isGiven("NATS_URL"))
    .map((name) => `${name} is of use with NATS_URL only, for example NATS_URL=nats://a:4222`);
  for (const [one, other] of inseparable) {
    if (isGiven(one) && !isGiven(other)) faults.push(`${one} is of use with ${other} only`);
  }
  const ways = (["NATS_CREDS", "NATS_NKEY", "NATS_USER"] as const).filter(isGiven).map(String);
  if (given.NATS_URL?.includes("@") === true) ways.push("a user in NATS_URL");
  if (ways.length > 1) {
    faults.push(`${ways.join(" and ")} are more than one way to log in: set one of them`);
  }
  return faults;
}
