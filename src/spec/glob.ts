/** A glob that names can be compared with, or why it is none. */
export type CompiledGlob =
  | {
      /** Whether a path, with `/` between its parts, is meant. */
      readonly matches: (path: string) => boolean;
    }
  | {
      /** What is wrong, as a sentence without a final full stop. */
      readonly error: string;
    };

/** One sign of a glob: any number of characters, one character, or one of some. */
type Sign = '*' | ((character: string) => boolean);

/** Whether a path is a glob: it has one of the four signs. */
export const isGlob = (path: string): boolean => /[*?[\\]/.test(path);

/**
 * A glob as Go's `filepath.Match` and `filepath.Glob` have it, which Luet and a Dockerfile's `COPY` use: `*` is any characters, `?` one, `[a-z]` one of
 * some and `[^a-z]` one of all others, none of them `/`, and a backslash makes the character behind it mean itself. All else is
 * itself, and names that begin with a dot are as others.
 */
export function compileGlob(glob: string): CompiledGlob {
  const parts: (readonly Sign[])[] = [];
  for (const part of partsOf(glob)) {
    const signs = signsOf(part);
    if (typeof signs === 'string') return { error: signs };
    parts.push(signs);
  }
  return {
    matches(path) {
      const names = path.split('/');
      return names.length === parts.length && names.every((name, at) => isMatch(parts[at] ?? [], name));
    },
  };
}

/** The parts between slashes. A backslash in front of a slash is the end of its part, and so an error there. */
const partsOf = (glob: string): string[] => glob.split('/');

function signsOf(part: string): Sign[] | string {
  const signs: Sign[] = [];
  const characters = [...part];
  for (let at = 0; at < characters.length; at++) {
    const c = characters[at] ?? '';
    if (c === '*') signs.push('*');
    else if (c === '?') signs.push(() => true);
    else if (c === '[') {
      const end = readClass(characters, at + 1);
      if (typeof end === 'string') return end;
      signs.push(end.sign);
      at = end.at;
    } else if (c === '\\') {
      const literal = characters[++at];
      if (literal === undefined) return 'nothing follows its last \\; write \\\\ for the character itself';
      signs.push((other) => other === literal);
    } else signs.push((other) => other === c);
  }
  return signs;
}

const NO_END = 'a [ has no ] behind it; write \\[ for the character itself';

/** Reads what stands behind a `[`; `at` of the answer is that of the `]`. */
function readClass(
  characters: readonly string[],
  start: number,
): { readonly sign: Sign; readonly at: number } | string {
  let at = start;
  const isNegated = characters[at] === '^';
  if (isNegated) at++;
  const ranges: (readonly [low: number, high: number])[] = [];
  const read = (): number | string => {
    let c = characters[at++];
    if (c === undefined) return NO_END;
    if (c === '-' || c === ']')
      return `${c} stands where a character between [ and ] is expected; write \\${c}`;
    if (c === '\\') c = characters[at++];
    return c?.codePointAt(0) ?? NO_END;
  };
  while (characters[at] !== ']' || ranges.length === 0) {
    const low = read();
    if (typeof low === 'string') return low;
    let high: number | string = low;
    if (characters[at] === '-') {
      at++;
      high = read();
      if (typeof high === 'string') return high;
    }
    ranges.push([low, high]);
    if (characters[at] === undefined) return NO_END;
  }
  return {
    at,
    sign: (character) => {
      const code = character.codePointAt(0) ?? 0;
      return ranges.some(([low, high]) => low <= code && code <= high) !== isNegated;
    },
  };
}

/** Compares in time that grows with the product of both lengths at most: after a `*`, only the last one is tried again. */
function isMatch(signs: readonly Sign[], name: string): boolean {
  const characters = [...name];
  let sign = 0;
  let back: { readonly sign: number; at: number } | undefined;
  for (let at = 0; at < characters.length || sign < signs.length; ) {
    const now = signs[sign];
    if (now === '*') {
      back = { sign: ++sign, at };
      continue;
    }
    const character = characters[at];
    if (now !== undefined && character !== undefined && now(character)) {
      sign++;
      at++;
      continue;
    }
    if (back === undefined || back.at >= characters.length) return false;
    at = ++back.at;
    sign = back.sign;
  }
  return true;
}
