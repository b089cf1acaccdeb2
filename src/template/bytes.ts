/**
 * Go's strings are bytes. Here they are text in which a byte that belongs to no UTF-8 character is the lone
 * surrogate U+DC00 + byte, so the usual case costs nothing and no byte is lost.
 */

const ESCAPE = 0xdc00;

/** Whether a UTF-16 unit, known to stand alone, is a raw byte. */
const isRawByte = (unit: number): boolean => unit >= ESCAPE + 0x80 && unit <= ESCAPE + 0xff;

/** The number of bytes of a string. */
export function byteLength(text: string): number {
  return text.isWellFormed() ? Buffer.byteLength(text) : toBytes(text).length;
}

/** The bytes of a string. */
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

/** The length of the UTF-8 character at `at`, or 0 where there is none. */
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

/** The string of these bytes. */
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

/** The bytes from `start` to before `end`. */
export function sliceBytes(text: string, start: number, end?: number): string {
  // ASCII is its own bytes.
  if (/^[\x00-\x7f]*$/.test(text)) return text.slice(start, end);
  return fromBytes(toBytes(text).subarray(start, end));
}

/** Joins raw bytes that have come to form a character, as concatenation can make them do. */
export function normalize(text: string): string {
  return text.isWellFormed() ? text : fromBytes(toBytes(text));
}

/** Text for the outside, and which offset of the string a given offset of the text had. */
export interface Settled {
  readonly text: string;
  before(offset: number): number;
}

/** Makes characters of bytes that form some, and U+FFFD of each that is part of none. */
export function settle(text: string): Settled {
  if (text.isWellFormed()) return { text, before: (offset) => offset };
  let result = '';
  let from = 0;
  /** Offsets in the result behind each run of bytes, and in the string. */
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

/** The characters of a string: a raw byte is one of them. */
export const characters = (text: string): string[] => Array.from(text);

/** The byte that this character stands for where it is no character. */
export function rawByte(character: string): number | undefined {
  const unit = character.charCodeAt(0);
  return character.length === 1 && isRawByte(unit) ? unit - ESCAPE : undefined;
}
