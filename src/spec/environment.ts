/** What a text like `PATH=$PATH:/x` means, or what is wrong with it. */
export type Expansion =
  | { readonly ok: true; readonly pairs: readonly (readonly [name: string, value: string])[] }
  | { readonly ok: false; readonly reason: string };

/**
 * Reads one item of `env` as a Dockerfile reads the rest of an `ENV` line: one or more `NAME=value` separated by blanks;
 * quotes and escaping backslashes go away; `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME-word}`, `${NAME:+word}` and
 * `${NAME+word}` are replaced, but not between single quotes. All values see the environment as it was before the item.
 */
export function expandEnvironment(item: string, environment: ReadonlyMap<string, string>): Expansion {
  const pairs: [string, string][] = [];
  let rest = item.trim();
  while (rest !== '') {
    const name = /^[^\s=]+=/.exec(rest)?.[0];
    if (name === undefined)
      return {
        ok: false,
        reason: `expected NAME=value, not ${JSON.stringify(rest.split(/\s/, 1)[0])}; a value with blanks stands between quotes`,
      };
    const reader = new Reader(rest, name.length, environment);
    const value = reader.word(/\s/);
    if (reader.problem !== undefined) return { ok: false, reason: reader.problem };
    pairs.push([name.slice(0, -1), value]);
    rest = rest.slice(reader.at).trimStart();
  }
  return { ok: true, pairs };
}

/** The environment that an item is tried in: what is wrong with its quotes and braces is wrong in any. */
const EMPTY: ReadonlyMap<string, string> = new Map();

/** What is wrong with an item of `env`, whatever the environment holds, and how it is written where that is plain. */
export function environmentProblem(
  item: string,
): { readonly reason: string; readonly hint?: string } | undefined {
  const expansion = expandEnvironment(item, EMPTY);
  if (expansion.ok) return undefined;
  const { reason } = expansion;
  // A value with blanks, or an apostrophe in it, is most likely meant as it stands.
  const [name = '', value = ''] = item.split(/=(.*)/s);
  const quoted = `${name}="${value.trimEnd()}"`;
  const one = expandEnvironment(quoted, EMPTY);
  const isMeant = !/["\\\n]/.test(value) && one.ok && one.pairs.length === 1;
  return { reason, ...(isMeant && { hint: `Write ${quoted}` }) };
}

class Reader {
  at: number;
  problem: string | undefined;
  readonly #text: string;
  readonly #environment: ReadonlyMap<string, string>;

  constructor(text: string, at: number, environment: ReadonlyMap<string, string>) {
    this.#text = text;
    this.at = at;
    this.#environment = environment;
  }

  /** A word up to a character that ends it outside of quotes, or to the end of the text. */
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
      this.problem ??= `a quote ${quote} is never closed`;
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
      this.problem ??= `\${…} is not understood at ${JSON.stringify(this.#text.slice(this.at - 1))}`;
      return '';
    }
    this.at += head[0].length;
    const [, name = '', operator] = head;
    const other = operator === undefined ? '' : this.word(/\}/);
    if (this.#text.charAt(this.at) !== '}') {
      this.problem ??= `\${${name} is never closed, or uses a form that is not understood: expected }, :-word or :+word`;
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
