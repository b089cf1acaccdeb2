/**
 * How wide text is on a terminal: the columns that Unicode's East Asian Width gives its characters. Where
 * terminals differ (sequences that join), the larger answer: a row that is too short does no harm.
 */

/** First and last code points of what takes two columns, beside characters that are shown as emoji. */
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], // Hangul initials
  [0x2329, 0x232a],
  [0x2e80, 0x303e], // radicals, punctuation
  [0x3041, 0x4dbf], // kana, compatibility, ideographs
  [0x4e00, 0xa4cf], // ideographs, Yi
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3], // Hangul syllables
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6b],
  [0xff01, 0xff60], // fullwidth forms
  [0xffe0, 0xffe6],
  [0x16fe0, 0x1b2fb], // Tangut, Khitan, Nushu, kana
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd], // ideographs
];

const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;
const emoji = /^\p{Emoji_Presentation}$/u;

/** Makes the character before it an emoji. */
const EMOJI_SELECTOR = '\ufe0f';

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return code === 0xad ? 0 : 1;
  if (character === EMOJI_SELECTOR) return 1;
  if (zeroWidth.test(character)) return 0;
  return wide.some(([first, last]) => code >= first && code <= last) || emoji.test(character) ? 2 : 1;
}

/** Columns of a text without control characters. */
export function displayWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

/**
 * The beginning of a text that fits into `columns`; where something is left out, it ends with an ellipsis.
 */
export function cutToWidth(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (text.length <= columns && displayWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  let total = 0;
  for (const character of text) {
    const more = characterWidth(character);
    total += more;
    // Marks belong to the character before them, and stay with it.
    if (total <= columns - 1) {
      kept += character;
      width = total;
    }
    if (total > columns) return width < columns ? `${kept}…` : kept;
  }
  return text;
}

/** A text in exactly `columns`: cut, or filled up with spaces behind it. */
export function fitToWidth(text: string, columns: number): string {
  const cut = cutToWidth(text, columns);
  return cut + ' '.repeat(Math.max(0, columns - displayWidth(cut)));
}
