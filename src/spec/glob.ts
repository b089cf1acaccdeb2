/** A compiled glob, or an error. */
export type CompiledGlob =
  | {
      /** Whether the glob matches a path with `/` between its parts. */
      readonly matches: (path: string) => boolean;
    }
  | {
      /** What is wrong: a sentence without a final full stop. */
      readonly error: string;
    };

/** One element of a glob: any number of characters, or a test for one character. */
type GlobToken = '*' | ((character: string) => boolean);

/** Whether a path contains any of the four special characters of globs. */
export const isGlob = (path: string): boolean => /[*?[\\]/.test(path);

/**
 * Compiles a glob with the syntax of Go's `filepath.Match` and `filepath.Glob`, which Luet and `COPY` in
 * Dockerfiles use: `*` matches any number of characters, `?` one character, `[a-z]` one of a set, `[^a-z]`
 * one outside a set; none of them matches `/`. A backslash escapes the next character. Names that start with
 * a dot are not special.
 */
export function compileGlob(glob: string): CompiledGlob {
  const parts: (readonly GlobToken[])[] = [];
  for (const part of partsOf(glob)) {
    const tokens = tokensOf(part);
    if (typeof tokens === 'string') return { error: tokens };
    parts.push(tokens);
  }
  return {
    matches(path) {
      const names = path.split('/');
      return names.length === parts.length && names.every((name, at) => isMatch(parts[at] ?? [], name));
    },
  };
}

/** Splits at slashes. A backslash before a slash ends its part, and is therefore an error. */
const partsOf = (glob: string): string[] => glob.split('/');

function tokensOf(part: string): GlobToken[] | string {
  const tokens: GlobToken[] = [];
  const characters = [...part];
  for (let at = 0; at < characters.length; at++) {
    const c = characters[at] ?? '';
    if (c === '*') tokens.push('*');
    else if (c === '?') tokens.push(() => true);
    else if (c === '[') {
      const end = readClass(characters, at + 1);
      if (typeof end === 'string') return end;
      tokens.push(end.sign);
      at = end.at;
    } else if (c === '\\') {
      const literal = characters[++at];
      if (literal === undefined) return 'unexpected end after \\; write \\\\ for a literal backslash';
      tokens.push((other) => other === literal);
    } else tokens.push((other) => other === c);
  }
  return tokens;
}

const NO_END = 'missing ] after [; write \\[ for a literal [';

/** Reads a character class after its `[`. `at` in the result is the index of the `]`. */
function readClass(
  characters: readonly string[],
  start: number,
): { readonly sign: GlobToken; readonly at: number } | string {
  let at = start;
  const isNegated = characters[at] === '^';
  if (isNegated) at++;
  const ranges: (readonly [low: number, high: number])[] = [];
  const read = (): number | string => {
    let c = characters[at++];
    if (c === undefined) return NO_END;
    if (c === '-' || c === ']') return `unexpected ${c} between [ and ]; write \\${c} for a literal ${c}`;
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

/**
 * Matches a name. When a match fails, only the last `*` is tried again, so the time is at most the product of
 * both lengths.
 */
function isMatch(tokens: readonly GlobToken[], name: string): boolean {
  const characters = [...name];
  let sign = 0;
  let back: { readonly sign: number; at: number } | undefined;
  for (let at = 0; at < characters.length || sign < tokens.length; ) {
    const now = tokens[sign];
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
