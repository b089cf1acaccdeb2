/** The variables that a text such as `PATH=$PATH:/x` sets, or what is wrong with it. */
export type Expansion =
  | { readonly ok: true; readonly pairs: readonly (readonly [name: string, value: string])[] }
  | { readonly ok: false; readonly reason: string };

/**
 * Expands one item of `env` as a Dockerfile does for an `ENV` line: one or more `NAME=value`, separated by
 * spaces. Quotes and escaping backslashes are removed. `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME-word}`,
 * `${NAME:+word}` and `${NAME+word}` are replaced, except in single quotes. Variables have their values from
 * before the item.
 */
export function expandEnvironment(item: string, environment: ReadonlyMap<string, string>): Expansion {
  const pairs: [string, string][] = [];
  let rest = item.trim();
  while (rest !== '') {
    const name = /^[^\s=]+=/.exec(rest)?.[0];
    if (name === undefined)
      return {
        ok: false,
        reason: `expected NAME=value, not ${JSON.stringify(rest.split(/\s/, 1)[0])}; put a value with spaces in quotes`,
      };
    const reader = new EnvReader(rest, name.length, environment);
    const value = reader.word(/\s/);
    if (reader.problem !== undefined) return { ok: false, reason: reader.problem };
    pairs.push([name.slice(0, -1), value]);
    rest = rest.slice(reader.at).trimStart();
  }
  return { ok: true, pairs };
}

/** Used for checking: invalid quotes and braces are invalid in every environment. */
const EMPTY: ReadonlyMap<string, string> = new Map();

/**
 * Finds errors in an item of `env` that do not depend on variables, with a corrected form if there is an
 * obvious one.
 */
export function environmentProblem(
  item: string,
): { readonly reason: string; readonly hint?: string } | undefined {
  const expansion = expandEnvironment(item, EMPTY);
  if (expansion.ok) return undefined;
  const { reason } = expansion;
  // The value contains spaces or an apostrophe, so most likely it should be taken literally.
  const [name = '', value = ''] = item.split(/=(.*)/s);
  const quoted = `${name}="${value.trimEnd()}"`;
  const one = expandEnvironment(quoted, EMPTY);
  const isMeant = !/["\\\n]/.test(value) && one.ok && one.pairs.length === 1;
  return { reason, ...(isMeant && { hint: `Write ${quoted}` }) };
}

class EnvReader {
  at: number;
  problem: string | undefined;
  readonly #text: string;
  readonly #environment: ReadonlyMap<string, string>;

  constructor(text: string, at: number, environment: ReadonlyMap<string, string>) {
    this.#text = text;
    this.at = at;
    this.#environment = environment;
  }

  /** Reads a word up to the first unquoted character that matches `end`, or to the end of the text. */
  word(end: RegExp): string {
    let value = '';
    while (this.at < this.#text.length) {
      const c = this.#text.charAt(this.at);
      if (end.test(c)) break;
      this.at++;
      if (c === "'") value += this.#until("'");
      else if (c === '"') value += this.#double();
      else if (c === '$') value += this.#variable();
      else if (c === '\\') value += this.#text.charAt(this.at++);
      else value += c;
    }
    return value;
  }

  #until(quote: string): string {
    const end = this.#text.indexOf(quote, this.at);
    if (end < 0) {
      this.problem ??= `missing closing quote ${quote}`;
      this.at = this.#text.length;
      return '';
    }
    const inside = this.#text.slice(this.at, end);
    this.at = end + 1;
    return inside;
  }

  #double(): string {
    let value = '';
    while (this.at < this.#text.length) {
      const c = this.#text.charAt(this.at++);
      if (c === '"') return value;
      const next = this.#text.charAt(this.at);
      if (c === '$') value += this.#variable();
      else if (c === '\\' && (next === '"' || next === '$' || next === '\\')) {
        value += next;
        this.at++;
      } else value += c;
    }
    this.problem ??= 'a quote " is never closed';
    return value;
  }

  #variable(): string {
    const plain = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?])/.exec(this.#text.slice(this.at))?.[0];
    if (plain !== undefined) {
      this.at += plain.length;
      return this.#environment.get(plain) ?? '';
    }
    if (this.#text.charAt(this.at) !== '{') return '$';
    const head = /^\{([A-Za-z_][A-Za-z0-9_]*)(:?[-+])?/.exec(this.#text.slice(this.at));
    if (head === null) {
      this.problem ??= `invalid \${…} at ${JSON.stringify(this.#text.slice(this.at - 1))}`;
      return '';
    }
    this.at += head[0].length;
    const [, name = '', operator] = head;
    const other = operator === undefined ? '' : this.word(/\}/);
    if (this.#text.charAt(this.at) !== '}') {
      this.problem ??= `invalid \${${name}…: expected }, :-word} or :+word}`;
      return '';
    }
    this.at++;
    const value = this.#environment.get(name);
    const counts = operator?.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
    if (operator?.endsWith('-')) return counts ? (value ?? '') : other;
    if (operator?.endsWith('+')) return counts ? other : '';
    return value ?? '';
  }
}
