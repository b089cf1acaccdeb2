/** Changes letter case as Go's unicode package does: one character always becomes exactly one character. */

const SPACE = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

/** Go's unicode.IsSpace. */
export const isSpace = (character: string): boolean => SPACE.test(character);

/** Go's strings.TrimSpace. */
export const trimSpace = (text: string): string =>
  text.replace(
    /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g,
    '',
  );

const one = (text: string): boolean =>
  text.length === 1 || (text.length === 2 && (text.codePointAt(0) ?? 0) > 0xffff);

/** Capital form of a Greek letter with iota subscript: one character that stands for both letters. */
function withIota(code: number): number | undefined {
  if (code >= 0x1f80 && code <= 0x1faf) return code | 8;
  return { 8115: 0x1fbc, 8131: 0x1fcc, 8179: 0x1ffc }[code];
}

/** Go's unicode.ToUpper. */
export function upperOf(character: string): string {
  const upper = character.toUpperCase();
  if (one(upper)) return upper;
  const iota = withIota(character.codePointAt(0) ?? 0);
  return iota === undefined ? character : String.fromCodePoint(iota);
}

/** Go's unicode.ToLower. */
export function lowerOf(character: string): string {
  if (character === '\u0130') return 'i';
  const lower = character.toLowerCase();
  return one(lower) ? lower : character;
}

/** Digraphs also have a title case form, in which only the first letter is a capital. */
const DIGRAPHS: Readonly<Record<string, string>> = {
  Ǆ: 'ǅ',
  ǅ: 'ǅ',
  ǆ: 'ǅ',
  Ǉ: 'ǈ',
  ǈ: 'ǈ',
  ǉ: 'ǈ',
  Ǌ: 'ǋ',
  ǋ: 'ǋ',
  ǌ: 'ǋ',
  Ǳ: 'ǲ',
  ǲ: 'ǲ',
  ǳ: 'ǲ',
};

/** Go's unicode.ToTitle. */
export function titleOf(character: string): string {
  // Georgian capitals are used only for words that are all capitals.
  if (/^[\u10d0-\u10ff]$/.test(character)) return character;
  return DIGRAPHS[character] ?? upperOf(character);
}

const map = (text: string, change: (character: string) => string): string =>
  Array.from(text, change).join('');

/** Go's strings.ToUpper. */
export const toUpper = (text: string): string =>
  /^[\x00-\x7f]*$/.test(text) ? text.toUpperCase() : map(text, upperOf);

/** Go's strings.ToLower. */
export const toLower = (text: string): string =>
  /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : map(text, lowerOf);

/** Go's strings.Title: puts the first letter of each word in title case. */
export function toTitle(text: string): string {
  let before = ' ';
  return map(text, (character) => {
    const separated =
      before.charCodeAt(0) < 0x80
        ? !/[A-Za-z0-9_]/.test(before)
        : !/[\p{L}\p{Nd}]/u.test(before) && isSpace(before);
    before = character;
    return separated ? titleOf(character) : character;
  });
}

/** Puts the first letter of each word in lower case. */
export function untitle(text: string): string {
  let start = true;
  return map(text, (character) => {
    if (isSpace(character)) {
      start = true;
      return character;
    }
    const result = start ? lowerOf(character) : character;
    start = false;
    return result;
  });
}

/** Swaps capitals and small letters. The first letter of a word becomes a capital. */
export function swapCase(text: string): string {
  let start = true;
  return map(text, (character) => {
    if (/[\p{Lu}\p{Lt}]/u.test(character)) {
      start = false;
      return lowerOf(character);
    }
    if (!/\p{Lowercase}/u.test(character) || !/\p{Ll}/u.test(character)) {
      start = isSpace(character);
      return character;
    }
    const result = start ? titleOf(character) : upperOf(character);
    start = false;
    return result;
  });
}

const isConnector = (character: string | undefined): boolean =>
  character === '-' || character === '_' || (character !== undefined && isSpace(character));

/** Converts `http_server` to `HttpServer`. */
export function camelCase(text: string): string {
  const all = Array.from(text);
  const lead = all.findIndex((c) => !isConnector(c));
  // The text has connectors only. sprig repeats the last one, and trees may rely on that.
  if (lead < 0) return text + (all.at(-1) ?? '');
  let result = all.slice(0, lead).join('');
  let pending = upperOf(all[lead] ?? '');
  let inCapitals = /\p{Lu}/u.test(all[lead] ?? '');
  for (const character of all.slice(lead + 1)) {
    let next = character;
    if (isConnector(pending) && isConnector(character)) result += pending;
    else if (isConnector(pending)) {
      inCapitals = /\p{Lu}/u.test(character);
      next = upperOf(character);
    } else {
      inCapitals &&= /\p{Lu}/u.test(character);
      if (inCapitals) next = lowerOf(character);
      result += pending;
    }
    pending = next;
  }
  return result + pending;
}

type Word = {
  readonly type: 'number' | 'upper' | 'letters' | 'connector' | 'punctuation' | 'other' | 'none';
  readonly text: string;
};

// Letters of the CJK blocks do not form words.
const LETTER = '(?:(?![\\u4e00-\\u9fcc\\u3400-\\u4d85\\u{20000}-\\u{2b81d}])\\p{L})';
const SMALL = `(?:(?!\\p{Lu})${LETTER})`;
const CONNECTOR =
  '[-_\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]';
const WORD = new RegExp(
  `(?<connector>${CONNECTOR}+)|(?<punctuation>\\p{P}+)|(?<upper>\\p{Lu}{2,}(?!${SMALL})|\\p{Lu}+(?=\\p{Lu}${SMALL})|\\p{Lu}${SMALL}*)|(?<letters>${SMALL}+)|(?<number>\\p{N}+)|(?<other>(?:(?!${CONNECTOR}|${LETTER}|\\p{N}|\\p{P})[^])+)`,
  'gu',
);

function wordsOf(text: string): Word[] {
  return Array.from(text.matchAll(WORD), (match) => {
    const [type = 'other'] =
      Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined) ?? [];
    return { type: type as Word['type'], text: match[0] };
  });
}

/** Converts `FirstName` to `first-name`, with any connector. Digits stay in the word before them. */
export function connectWords(text: string, connector: string): string {
  const words = wordsOf(text);
  let at = 0;
  let result = '';
  const none: Word = { type: 'none', text: '' };
  const here = (): Word => words[at] ?? none;
  const emit = (word: Word): void => {
    if (word.type === 'connector') result += connector.repeat(Array.from(word.text).length);
    else result += word.type === 'upper' ? map(word.text, lowerOf) : word.text;
  };
  /** Letters and digits after digits belong to the same word. */
  const emitJoined = (): void => {
    while (here().type === 'letters' || here().type === 'number') emit(words[at++] ?? none);
  };
  const separate = (): void => {
    if (!['none', 'connector', 'punctuation'].includes(here().type)) result += connector;
  };
  while (at < words.length - 1) {
    const word = here();
    emit(word);
    at++;
    if (word.type === 'connector' || word.type === 'punctuation') continue;
    if (word.type === 'number') {
      emitJoined();
      separate();
    } else if (here().type !== 'number') {
      separate();
    } else if (at < words.length - 1) {
      const number = here();
      at++;
      if (here().type === 'letters') {
        result += connector;
        emit(number);
        emitJoined();
      } else emit(number);
      separate();
    }
  }
  emit(here());
  return result;
}
