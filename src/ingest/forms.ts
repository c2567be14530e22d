/** The forms that the CloudEvents specification gives to texts. */

/** RFC 3339. Without leap seconds, which few readers understand. */
const timeForm =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,32})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** In characters; the longest form has fewer. */
const timeMaxLength = 64;

/** RFC 3986, section 3.3: a character of a path; queries and fragments add `/` and `?`. */
const pathCharacter = "(?:[\\w.~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
const scheme = "[A-Za-z][A-Za-z0-9+.-]*:";
const authority = `//(?:${pathCharacter}|\\[[0-9A-Fa-f:.vV]*\\])*(?:/${pathCharacter}*)*`;
const path = `(?!//)(?:${pathCharacter}|/)*`;
const tail = `(?:\\?(?:${pathCharacter}|[/?])*)?(?:#(?:${pathCharacter}|[/?])*)?`;
const afterScheme = `(?:${authority}|${path})${tail}`;

const uriForm = new RegExp(`^${scheme}${afterScheme}$`);

/** The first segment of a relative reference has no colon, or it would be a scheme. */
const uriReferenceForm = new RegExp(`^(?:${scheme}|(?![^/?#]*:))${afterScheme}$`);

const token = "[\\w!#$%&'*+.^`|~-]+";

/** RFC 2045, with parameters. */
const mediaTypeForm = new RegExp(
  `^${token}/${token}(?:[ \\t]*;[ \\t]*${token}=(?:${token}|"(?:[^"\\\\]|\\\\.)*"))*$`,
);

/** What a text of a CloudEvent cannot hold. */
const forbidden = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

export function isTime(text: string): boolean {
  if (text.length > timeMaxLength) return false;
  const day = timeForm.exec(text)?.[1];
  if (day === undefined) return false;
  const date = new Date(`${day}T00:00:00Z`);
  // The calendar has no 30 February: it becomes another day.
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}

/** An absolute one; a fragment may follow. */
export function isUri(text: string): boolean {
  return uriForm.test(text);
}

export function isUriReference(text: string): boolean {
  return uriReferenceForm.test(text);
}

export function isMediaType(text: string): boolean {
  return mediaTypeForm.test(text);
}

/** No control characters, no halves of surrogate pairs, no noncharacters. */
export function isPlainText(text: string): boolean {
  return !forbidden.test(text);
}

/** The spelling that RFC 4648 gives to some bytes: padded, without spare bits. */
export function isBase64(text: string): boolean {
  return Buffer.from(text, "base64").toString("base64") === text;
}
