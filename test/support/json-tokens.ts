/** JSON as the tokens that somebody wrote, in spellings that JSON.parse would change. */
import fc from "fast-check";

const number = fc.constantFrom(
  ..."0 1 -0 -0.0 1.0 -1.50 1e21 1E+2 1e400 -1E-400 12345678901234567890 0.1000 5e-324".split(" "),
);

const pieces = [
  ...['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0061", "\\u000a", "\\u2028"],
  ...["\\u0000", "\\ud800", "\\udfff", "\\ud83d\\ude80", "\\\\n", "\\\\u0000"],
  ...["a", " ", "  ", "é", "→", "🚀", "\u007f", "\u0085", "\u2028", "\u2029", "\ufeff", "\uffff"],
  ...["[", "]", "{", "}", ",", ":", "'", "<", "&", "data: x", "id: x", "event: x", "evt_"],
];

const string = fc
  .array(fc.constantFrom(...pieces), { maxLength: 8 })
  .map((all) => `"${all.join("")}"`);

/** Few names, so that repeated ones are common. */
const name = fc.oneof(
  fc.constantFrom('"a"', '"data"', '"d\\u0061ta"', '""', '"__proto__"', '"constructor"', '"id"'),
  string,
);

const plain = fc.oneof(number, string, fc.constantFrom("true", "false", "null"));

const { value } = fc.letrec<Record<"value" | "list" | "member" | "object", string[]>>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    plain.map((token) => [token]),
    tie("list"),
    tie("object"),
  ),
  list: fc.array(tie("value"), { maxLength: 4 }).map((all) => enclosed("[", all, "]")),
  member: fc.tuple(name, tie("value")).map(([key, tokens]) => [key, ":", ...tokens]),
  object: fc.array(tie("member"), { maxLength: 4 }).map((all) => enclosed("{", all, "}")),
}));

function enclosed(open: string, parts: readonly string[][], close: string): string[] {
  return [open, ...parts.flatMap((part, at) => (at === 0 ? part : [",", ...part])), close];
}

/** One value. */
export const jsonTokens: fc.Arbitrary<readonly string[]> = value;

/** What may stand between tokens on one line, mostly nothing; drawn anew for each place. */
export const whiteSpace = fc.array(fc.constantFrom("", "", "", " ", "\t", "      "), {
  minLength: 1,
  maxLength: 16,
});

/** The tokens with white space around them. */
export function spread(tokens: readonly string[], spaces: readonly string[]): string {
  return tokens.map((token, at) => `${token}${spaces[at % spaces.length] ?? ""}`).join("");
}
