/**
 * A path as raw bytes: any bytes except NUL, one byte in each UTF-16 unit (latin1). Relative to the root,
 * without a leading `/`. Comparing two paths with `<` compares their bytes.
 */
export type BytePath = string;

const ascii = /^[\x00-\x7f]*$/;

/** Converts a path to its bytes. */
export function toBytes(path: BytePath): Buffer {
  return Buffer.from(path, 'latin1');
}

/** Converts bytes to a path. */
export function fromBytes(bytes: Uint8Array): BytePath {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The path of a UTF-8 file name. */
export function fromText(text: string): BytePath {
  return ascii.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/**
 * Decodes a path as UTF-8, for messages and filters. Each byte that is not part of valid UTF-8 becomes one
 * U+FFFD, as in Go's regular expressions. Different paths can give the same text.
 */
export function toText(path: BytePath): string {
  if (ascii.test(path)) return path;
  const bytes = toBytes(path);
  const text = bytes.toString('utf8');
  return text.includes('\ufffd') ? decodeByteWise(bytes) : text;
}

/**
 * A path in quotation marks, for messages. The caller must escape control characters before writing it to a
 * terminal.
 */
export const shownPath = (path: BytePath): string => JSON.stringify(toText(path));

/**
 * Decodes UTF-8 with one U+FFFD for each invalid byte. Node's decoder uses one for a whole truncated
 * sequence.
 */
function decodeByteWise(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    text += length === 0 ? '\ufffd' : bytes.toString('utf8', at, at + length);
    at += length || 1;
  }
  return text;
}

/** Length of the valid UTF-8 sequence that starts at this byte, or 0 if there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  for (let i = 1; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1] ?? 0;
  // Reject overlong forms, surrogates, and code points above U+10FFFF.
  if (lead === 0xe0 && second < 0xa0) return 0;
  if (lead === 0xed && second > 0x9f) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  if (lead === 0xf4 && second > 0x8f) return 0;
  return length;
}
