/**
 * A path as the file system has it: any bytes except NUL, one byte a UTF-16 unit (the "latin1" view).
 * Relative to the root without a leading `/`, so `<` on two of them orders them by bytes.
 */
export type BytePath = string;

const ascii = /^[\x00-\x7f]*$/;

/** The bytes of a path. */
export function toBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** The path that these bytes are. */
export function fromBytes(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The path that this text names when it is written as UTF-8. */
export function fromText(text: string): BytePath {
  return ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * A path as text, for people and for filters: UTF-8 decoded, every byte that is no part of valid UTF-8 as one
 * U+FFFD, which is how Go's regular expressions see such a byte. Two paths may have the same text.
 */
export function toText(path: BytePath): string {
  if (ascii.test(path)) return path;
  const bytes = toBytes(path);
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? decodeByteWise(bytes) : text;
}

/** A path in quotation marks, for people; what a terminal would act on is left for whoever writes it there to escape. */
export const shownPath = (path: BytePath): string => JSON.stringify(toText(path));

/** UTF-8 with one U+FFFD for every bad byte; the platform's decoder merges bytes of a truncated sequence. */
function decodeByteWise(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? '\ufffd' : bytes.toString('utf8', at, at + length);
    at += length || 1;
  }
  return text;
}

/** The length of the valid UTF-8 sequence that starts at this byte, or 0 where none does. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  // Over-long forms, surrogates, and what lies beyond U+10FFFF.
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second > 0x9f) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second > 0x8f) return 0;
  return length;
}
