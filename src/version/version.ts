/** A version, with the key by which it orders. */
export interface Version {
  /** As it was written, without blanks around it. */
  readonly text: string;
  /** Versions order as their keys do under `<`; equal keys mean equal versions (`1.0` and `v1.00`). */
  readonly key: string;
}

/** Ends a run of characters that are no digits; sorts between `~` and everything else. */
const END = '\x02';
const TILDE = '\x01';

/** A run of digits so that longer numbers sort behind shorter ones; leading zeros mean nothing. */
function numberKey(digits: string): string {
  const plain = digits.replace(/^0+/, '');
  // One code unit holds any length that a sane version has; the longer form keeps the order total.
  const length =
    plain.length < 0xffff
      ? String.fromCharCode(plain.length)
      : `\uffff${String(plain.length).padStart(16, '0')}`;
  return length + plain;
}

/** A character that is no digit: `~` before the end, then letters, then all others by their code. */
function characterKey(code: number): string {
  if (code === 0x7e) return TILDE;
  if ((code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)) return String.fromCharCode(code);
  return code < 0xfeff ? String.fromCharCode(code + 0x100) : `\uffff${String.fromCharCode(code)}`;
}

/**
 * One part (upstream or revision) as alternating runs of characters and numbers. A part that ends behaves as
 * if empty runs and zeros followed, hence the trailing END, which also keeps keys free of common prefixes.
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
  // An empty part and a part `0` are the same version.
  return key === '' ? END + numberKey('') + END : key + END;
}

/**
 * The key by which a version orders: `versionKey(a) < versionKey(b)` exactly when a is older than b. Any text
 * has one, so that sorting never fails; `checkVersion` says whether it is a version at all.
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
 * Orders two versions as Debian does, with `_` read as `-` and a leading `v` before a digit dropped: negative
 * where a is older, positive where it is newer, 0 where they are the same version. Never fails.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0;
  const x = versionKey(a);
  const y = versionKey(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/**
 * What is wrong with a text that should be a version, as the rest of a sentence about it ("is empty"), or
 * undefined where it is one. Versions become part of file names, so what those cannot hold is refused.
 */
export function versionProblem(text: string): string | undefined {
  // Nearly all versions are like this.
  if (text.length <= 100 && /^\w[\w.+~:-]*$/.test(text)) return undefined;
  const plain = text.trim();
  if (plain === '') return 'is empty';
  if (/[<>=]/.test(plain) || plain.startsWith('!')) return 'is a selector, where one version was expected';
  if (/[\x00-\x1f\x7f-\x9f]/.test(plain)) return 'has a control character in it';
  if (/\s/.test(plain)) return 'has a blank in it';
  if (plain.includes('/')) return 'has a `/` in it, which cannot be in a file name';
  if (/[,|]/.test(plain)) return 'has a `,` or `|` in it; several conditions cannot be joined';
  const unseen = unseenIn(plain);
  if (unseen !== undefined) return unseen;
  if (!plain.isWellFormed()) return 'has half a character (a lone surrogate) in it';
  if (new TextEncoder().encode(plain).length > 200) return 'is longer than 200 bytes';
  return undefined;
}

/**
 * Characters that a name is not what it looks like with, in words; undefined where there is none: those that change the direction of the text around them, or are not
 * seen at all.
 */
export function unseenIn(text: string): string | undefined {
  const found = /[\p{Cf}\p{Default_Ignorable_Code_Point}]/u.exec(text)?.[0];
  const code = found?.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
  return code === undefined ? undefined : `has a character in it that is not seen (U+${code})`;
}

/** Whether a text is a version. */
export const isVersion = (text: string): boolean => versionProblem(text) === undefined;

/** Reads a version, or says what is wrong with the text as a sentence. */
export function parseVersion(text: string): Version | { readonly error: string } {
  const problem = versionProblem(text);
  if (problem !== undefined) return { error: `the version ${JSON.stringify(text)} ${problem}` };
  return { text: text.trim(), key: versionKey(text) };
}
