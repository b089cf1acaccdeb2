/** A version and its sort key. */
export interface Version {
  /** The text as written, without surrounding whitespace. */
  readonly text: string;
  /** Comparing keys with `<` compares the versions; equal keys mean equal versions (`1.0` and `v1.00`). */
  readonly key: string;
}

/** Ends a run of non-digits; sorts after `~` and before everything else. */
const END = '\x02';
const TILDE = '\x01';

/** Encodes a run of digits so that longer numbers sort after shorter ones; leading zeros are ignored. */
function numberKey(digits: string): string {
  const plain = digits.replace(/^0+/, '');
  // One code unit is enough for the length of any realistic number; the long form handles the others.
  const length =
    plain.length < 0xffff
      ? String.fromCharCode(plain.length)
      : `\uffff${String(plain.length).padStart(16, '0')}`;
  return length + plain;
}

/** Encodes a non-digit: `~` sorts before the end of the text, then letters, then all others by their code. */
function characterKey(code: number): string {
  if (code === 0x7e) return TILDE;
  if ((code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)) return String.fromCharCode(code);
  return code < 0xfeff ? String.fromCharCode(code + 0x100) : `\uffff${String.fromCharCode(code)}`;
}

/**
 * Encodes one part (upstream version or revision) as alternating runs of non-digits and digits. Debian
 * compares a part that ends as if empty runs and zeros followed. The END at the end does that, and no key is
 * a prefix of another key.
 */
function partKey(part: string): string {
  let key = '';
  let at = 0;
  while (at < part.length) {
    let code = part.charCodeAt(at);
    while (at < part.length && (code < 0x30 || code > 0x39)) {
      key += characterKey(code);
      code = part.charCodeAt(++at);
    }
    const from = at;
    while (at < part.length && code >= 0x30 && code <= 0x39) code = part.charCodeAt(++at);
    key += END + numberKey(part.slice(from, at));
  }
  // An empty part equals a part `0`.
  return key === '' ? END + numberKey('') + END : key + END;
}

/**
 * The sort key of a version: `versionKey(a) < versionKey(b)` exactly if a is older than b. Every text has a
 * key, so sorting never fails; use `versionProblem` to check whether a text is a valid version.
 */
export function versionKey(text: string): string {
  const plain = text
    .trim()
    .replace(/^v(?=\d)/, '')
    .replaceAll('_', '-');
  const epoch = /^\d+(?=:)/.exec(plain)?.[0];
  const rest = epoch === undefined ? plain : plain.slice(epoch.length + 1);
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  const revision = dash < 0 ? '' : rest.slice(dash + 1);
  return numberKey(epoch ?? '') + partKey(upstream) + partKey(revision);
}

/**
 * Compares two versions as Debian does, with `_` read as `-`, and a leading `v` before a digit ignored.
 * Negative if a is older, positive if a is newer, 0 if they are equal. Never fails.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const x = versionKey(a);
  const y = versionKey(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/**
 * Says why a text is not a valid version, as the end of a sentence that starts with the text ("is empty"), or
 * undefined if it is valid. Versions become part of file names, so characters that file names cannot hold are
 * refused.
 */
export function versionProblem(text: string): string | undefined {
  // Fast path: nearly all versions match this.
  if (text.length <= 100 && /^\w[\w.+~:-]*$/.test(text)) return undefined;
  const plain = text.trim();
  if (plain === '') return 'is empty';
  if (/[<>=]/.test(plain) || plain.startsWith('!')) return 'is a selector; expected a single version';
  if (/[\x00-\x1f\x7f-\x9f]/.test(plain)) return 'contains a control character';
  if (/\s/.test(plain)) return 'contains whitespace';
  if (plain.includes('/')) return 'contains a `/`, which file names cannot contain';
  if (/[,|]/.test(plain)) return 'contains a `,` or `|`; several conditions cannot be combined';
  const invisible = invisibleCharacterProblem(plain);
  if (invisible !== undefined) return invisible;
  if (!plain.isWellFormed()) return 'contains a lone surrogate (half of a UTF-16 character)';
  if (new TextEncoder().encode(plain).length > 200) return 'is longer than 200 bytes';
  return undefined;
}

/**
 * Finds characters that are invisible or change the direction of the text around them, so that a name looks
 * different from what it is. Returns the end of a sentence that starts with the name, or undefined if there
 * are none.
 */
export function invisibleCharacterProblem(text: string): string | undefined {
  const found = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/u.exec(text)?.[0];
  const code = found?.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  return code === undefined ? undefined : `contains an invisible character (U+${code})`;
}

/** Whether a text is a version. */
export const isVersion = (text: string): boolean => versionProblem(text) === undefined;

/** Parses a version. Returns an error message for an invalid one. */
export function parseVersion(text: string): Version | { readonly error: string } {
  const problem = versionProblem(text);
  if (problem !== undefined) return { error: `invalid version ${JSON.stringify(text)}: it ${problem}` };
  return { text: text.trim(), key: versionKey(text) };
}
