/**
 * Looks at a request that somebody pasted as the client library does in a receiver, and says in
 * words what is right and what is wrong with it. Nothing leaves the page.
 */
import { VerificationError, verify, verifyPlace } from "../../../../client/verify.ts";
import { showDuration } from "../../parts/duration.ts";

export type Request = {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type Finding = {
  readonly ok: boolean;
  readonly text: string;
  /** About the time alone: of a push of the past it is no fault. */
  readonly isAge?: boolean;
};

/** What receivers allow between the signing and their own clock. */
const toleranceSeconds = 300;

const needed = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/**
 * A request as tools print it: a request line or none, headers, an empty line, the body. Without
 * an empty line the body begins where JSON does.
 */
export function parseRequest(text: string): Request {
  const lines = text.split(/\r?\n/);
  const isBody = (line: string) => line.trim() === "" || line.trimStart().startsWith("{");
  const first = lines.findIndex((line) => line.trim() !== "");
  const end = lines.findIndex((line, at) => at >= first && isBody(line));
  const head = lines.slice(Math.max(first, 0), end === -1 ? undefined : end);
  const isBlank = lines[end]?.trim() === "";
  const headers: Record<string, string> = {};
  for (const line of head) {
    // `> ` and `-H '…'` are how curl shows and takes headers.
    const bare = line.replace(/^\s*(?:>|-H)\s*/, "").replace(/^(['"])(.*)\1\s*\\?$/, "$2");
    const [, name, value] = /^([A-Za-z0-9-]+)\s*:\s*(.*?)\s*$/.exec(bare) ?? [];
    if (name !== undefined && value !== undefined) headers[name.toLowerCase()] = value;
  }
  const body = end === -1 ? [] : lines.slice(isBlank ? end + 1 : end);
  return { headers, body: body.join("\n") };
}

/** What is found, in the order of a receiver's steps; `now` in milliseconds. */
export async function check(
  secrets: readonly string[],
  request: Request,
  now: number,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const missing = needed.filter((name) => (request.headers[name] ?? "") === "");
  if (missing.length > 0) {
    const names = new Intl.ListFormat("en").format(missing);
    const text = `${names} ${missing.length === 1 ? "is" : "are"} missing: this is no push, or something in between took headers away.`;
    return [{ ok: false, text }];
  }
  findings.push({ ok: true, text: "The headers of a push are there." });
  findings.push(...(await checkSignature(secrets, request)));
  if (findings.some(({ ok }) => !ok)) return findings;
  return [...findings, checkAge(request, now), ...(await checkPlace(secrets, request))];
}

async function checkSignature(secrets: readonly string[], request: Request): Promise<Finding[]> {
  if (secrets.length === 0) return [{ ok: false, text: "There is no secret to verify with." }];
  if (request.headers["webhook-signature"] === "[redacted]") {
    return [{ ok: false, text: "The signature is left out: paste the request as it came." }];
  }
  const reason = await faultOf(secrets, request);
  if (reason === undefined) {
    return [{ ok: true, text: "The signature is right: the body is as the gateway sent it." }];
  }
  return [{ ok: false, text: await faultInWords(reason, secrets, request) }];
}

async function faultInWords(
  fault: VerificationError,
  secrets: readonly string[],
  request: Request,
) {
  switch (fault.reason) {
    case "secret-malformed":
      return `The secret cannot be used: ${fault.message}.`;
    case "headers-malformed":
      return `A header is not as it should be: ${fault.message}.`;
    case "signature-mismatch":
      return mismatchInWords(secrets, request);
    case "body-malformed":
      return "The signature is right, but the body is no event of a gateway: somebody else signs with this secret.";
    case "id-mismatch":
      return "The signature is right, but webhook-id is not the id of the event: somebody else signs with this secret.";
    case "headers-missing":
    case "too-old":
    case "too-new":
      return `${fault.message}.`;
  }
}

/** Why it does not fit: what is tried here is what goes wrong in receivers. */
async function mismatchInWords(secrets: readonly string[], request: Request): Promise<string> {
  const { headers, body } = request;
  const fits = async (changed: string) =>
    (await faultOf(secrets, { headers, body: changed })) === undefined;
  if (body !== body.trim() && (await fits(body.trim()))) {
    return "The body has white space around it that was not sent; without it the signature is right. The body must be taken byte for byte.";
  }
  const event = parsed(body);
  if (event === undefined) {
    return "The signature does not match, and the body is not whole JSON: it was cut or changed.";
  }
  if (await fits(JSON.stringify(event))) {
    return "The body was parsed and written again: as the gateway sent it, without indentation, the signature is right. Verify the raw body, before anything parses it.";
  }
  const id = (event as { id?: unknown }).id;
  if (typeof id === "string" && id !== headers["webhook-id"]) {
    return "The headers and the body are of two pushes: webhook-id is not the id in the body.";
  }
  const length = Number(headers["content-length"]);
  const size = new TextEncoder().encode(body).length;
  if (length > 0 && length !== size) {
    return `The body was changed: ${length} bytes were sent (content-length), and ${size} are here.`;
  }
  return versionInWords(secrets, headers["webhook-signature"] ?? "");
}

function versionInWords(secrets: readonly string[], signatures: string): string {
  const isKey = secrets.every((secret) => secret.startsWith("whpk_"));
  const version = isKey ? "v1a" : "v1";
  if (!signatures.split(" ").some((each) => each.startsWith(`${version},`))) {
    const given = isKey ? "This is a public key" : "This is a shared secret";
    return `${given}, but the push is signed the other way: look at the endpoint's kind of signature.`;
  }
  return "The signature does not match. Either this is the secret of another endpoint, or one from before a rotation; or the body or webhook-timestamp was changed on the way.";
}

function checkAge({ headers }: Request, now: number): Finding {
  const ageMs = now - Number(headers["webhook-timestamp"]) * 1_000;
  const limit = `${toleranceSeconds / 60} min`;
  if (ageMs > toleranceSeconds * 1_000) {
    const text = `It was signed ${showDuration(ageMs)} ago: a receiver refuses what is older than ${limit}. That is right for a request of the past; if it has only just come, a clock is wrong.`;
    return { ok: false, text, isAge: true };
  }
  if (ageMs < -toleranceSeconds * 1_000) {
    const text = `It was signed ${showDuration(-ageMs)} in the future: a clock is wrong.`;
    return { ok: false, text, isAge: true };
  }
  return { ok: true, text: `It is fresh: signed less than ${limit} ago.` };
}

/** Of the `tidegate-*` headers only what is signed, here or in the body, can be vouched for. */
async function checkPlace(secrets: readonly string[], request: Request): Promise<Finding[]> {
  const { headers, body } = request;
  const { "tidegate-signature": signature, "tidegate-sequence": sequence } = headers;
  if (signature === undefined || signature === "[redacted]") return [];
  const event: { sequence?: unknown } | undefined = parsed(body);
  if (sequence !== undefined && sequence !== event?.sequence) {
    const text = "tidegate-sequence was changed on the way: take the sequence in the body.";
    return [{ ok: false, text }];
  }
  const ok = await verifyPlace(secrets, headers);
  const text = ok
    ? "What the headers say of its place is right too: the endpoint, the sequences, the cursor."
    : "tidegate-endpoint, -previous-sequence, -cursor or -replay was changed on the way, or is missing: do not trust them.";
  return [{ ok, text }];
}

/** Of any age. */
async function faultOf(secrets: readonly string[], { headers, body }: Request) {
  try {
    await verify(secrets, headers, body, { toleranceSeconds: Infinity });
    return undefined;
  } catch (error) {
    if (error instanceof VerificationError) return error;
    throw error;
  }
}

function parsed(body: string): object | undefined {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined; // It is said in words.
  }
}
