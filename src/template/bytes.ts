/**
 * A string in Go is a sequence of bytes. Here it is a JavaScript string in which each byte that is not part
 * of a valid UTF-8 character is stored as the lone surrogate U+DC00 + byte. Valid text needs no conversion,
 * and no byte is lost.
 */

const ESCAPE = 0xdc00;

/** Whether a UTF-16 unit stands for a raw byte. The unit must be a lone surrogate. */
const isRawByte = (unit: number): boolean => unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff;

/** Length of a string in bytes. */
export function byteLength(text: string): number {
  return text.isWellFormed() ? Buffer.byteLength(text) : toBytes(text).length;
}

/** Converts a string to its bytes. */
export function toBytes(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text);
  const parts: Buffer[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next < 0xe000) i++;
    } else if (isRawByte(unit)) {
      parts.push(Buffer.from(text.slice(start, i)), Buffer.of(unit - ESCAPE));
      start = i + 1;
    }
  }
  parts.push(Buffer.from(text.slice(start)));
  return Buffer.concat(parts);
}

/** Length in bytes of the UTF-8 character that starts at `at`, or 0 if none starts there. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return 0;
  const second = bytes[at + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Converts bytes to a string. */
export function fromBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  let start = 0;
  for (let i = 0; i < bytes.length; ) {
    const length = characterLength(bytes, i);
    if (length === 0) {
      text += buffer.toString('utf8', start, i) + String.fromCharCode(ESCAPE + (bytes[i] ?? 0));
      i++;
      start = i;
    } else i += length;
  }
  return start === 0 ? buffer.toString('utf8') : text + buffer.toString('utf8', start);
}

/** The bytes from `start` (inclusive) to `end` (exclusive). */
export function sliceBytes(text: string, start: number, end?: number): string {
  // In ASCII text, character offsets equal byte offsets.
  if (/^[\x00-\x7f]*$/.test(text)) return text.slice(start, end);
  return fromBytes(toBytes(text).subarray(start, end));
}

/** Joins raw bytes that form a character after strings were concatenated. */
export function normalize(text: string): string {
  return text.isWellFormed() ? text : fromBytes(toBytes(text));
}

/** Valid Unicode text, and a function that converts an offset in it to the offset in the original string. */
export interface UnicodeText {
  readonly text: string;
  before(offset: number): number;
}

/**
 * Converts a string to valid Unicode: raw bytes that form a character become that character, each other raw
 * byte becomes U+FFFD.
 */
export function toUnicode(text: string): UnicodeText {
  if (text.isWellFormed()) return { text, before: (offset) => offset };
  let result = '';
  let from = 0;
  /** For each run of raw bytes, the offset after it in the result and in the string. */
  const behind: (readonly [number, number])[] = [];
  for (const match of text.matchAll(/[\ud800-\udfff]+/gu)) {
    const end = match.index + match[0].length;
    result += text.slice(from, match.index) + normalize(match[0]).toWellFormed();
    behind.push([result.length, end]);
    from = end;
  }
  return {
    text: result + text.slice(from),
    before: (offset) => {
      const run = behind.findLast(([after]) => after <= offset);
      return run === undefined ? offset : run[1] + offset - run[0];
    },
  };
}

/** The characters of a string. A raw byte counts as one character. */
export const characters = (text: string): string[] => Array.from(text);

/** The raw byte that a character stands for, or undefined for an ordinary character. */
export function rawByte(character: string): number | undefined {
  const unit = character.charCodeAt(0);
  return character.length === 1 && isRawByte(unit) ? unit - ESCAPE : undefined;
}
