import { rawByte } from '../bytes.ts';

const NAMED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Whether Go prints this character without escaping it. */
export const isPrintable = (character: string): boolean => PRINTABLE.test(character);

const hex = (value: number, width: number): string => value.toString(16).padStart(width, '0');

function escapeCharacter(character: string, quote: string, ascii: boolean): string {
  const named = NAMED[character];
  if (named !== undefined) return named;
  if (character === quote) return `\\${character}`;
  const byte = rawByte(character);
  if (byte !== undefined) return `\\x${hex(byte, 2)}`;
  const code = character.codePointAt(0) ?? 0xfffd;
  if (code >= 0xd800 && code < 0xe000) return ascii ? '\\ufffd' : '\ufffd';
  if (isPrintable(character) && (!ascii || code < 0x80)) return character;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

/** The text as a Go string literal. With `ascii`, all non-ASCII characters are escaped. */
export function quote(text: string, ascii = false): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  let result = '"';
  for (const character of text) result += escapeCharacter(character, '"', ascii);
  return `${result}"`;
}

/** The code point as a Go character constant. */
export function quoteRune(code: bigint, ascii = false): string {
  const valid = code >= 0n && code <= 0x10ffffn && !(code >= 0xd800n && code < 0xe000n);
  const character = valid ? String.fromCodePoint(Number(code)) : '\ufffd';
  return `'${escapeCharacter(character, "'", ascii)}'`;
}

/** Whether a text can be written between back quotes without changes. */
export function canBackquote(text: string): boolean {
  return text.isWellFormed() && !/[\x00-\x08\x0a-\x1f\x7f`\ufeff]/.test(text);
}
