import { type Version, versionKey, versionProblem } from './version.ts';

/** A condition on versions: any version, or a relation to one version. */
export type Selector =
  | { readonly relation: 'any' }
  | { readonly relation: Relation; readonly version: string; readonly key: string };

/** The relation that an admitted version has to the version of the selector. */
export type Relation = '=' | '!=' | '>' | '>=' | '<' | '<=';

const OPERATORS: ReadonlyMap<string, Relation> = new Map<string, Relation>([
  ['', '='],
  ['=', '='],
  ['==', '='],
  ['!', '!='],
  ['!=', '!='],
  ['>', '>'],
  ['>=', '>='],
  ['<', '<'],
  ['<=', '<='],
]);

/**
 * Parses `>=V`, `>V`, `<=V`, `<V`, `!=V` or `!V`, `=V`, `==V`, a bare `V` (equality), or an empty text (any
 * version). Returns an error message for anything else, such as several conditions in one text.
 */
export function parseSelector(text: string): Selector | { readonly error: string } {
  const plain = text.trim();
  if (plain === '') return { relation: 'any' };
  const operator = /^(==?|!=?|>=?|<=?)?/.exec(plain)?.[0] ?? '';
  const version = plain.slice(operator.length).trim();
  const quoted = `invalid version selector ${JSON.stringify(text)}`;
  if (version === '') return { error: `${quoted}: expected a version after \`${operator}\`` };
  if (/[\s,|&][<>=!]/.test(version) || /[,|&]/.test(version)) {
    return { error: `${quoted}: it has several conditions, but only one is allowed` };
  }
  if (/[<>=]|^!/.test(version)) {
    return {
      error: `${quoted}: expected \`>=V\`, \`>V\`, \`<=V\`, \`<V\`, \`!=V\`, \`!V\`, \`=V\`, \`==V\`, or \`V\``,
    };
  }
  const problem = versionProblem(version);
  if (problem !== undefined) return { error: `${quoted}: the version ${problem}` };
  return { relation: OPERATORS.get(operator) ?? '=', version, key: versionKey(version) };
}

/** Whether a selector admits a version. Passing a parsed `Version` avoids parsing the text again. */
export function admits(selector: Selector, version: string | Version): boolean {
  if (selector.relation === 'any') return true;
  const key = typeof version === 'string' ? versionKey(version) : version.key;
  switch (selector.relation) {
    case '=':
      return key === selector.key;
    case '!=':
      return key !== selector.key;
    case '>':
      return key > selector.key;
    case '>=':
      return key >= selector.key;
    case '<':
      return key < selector.key;
    case '<=':
      return key <= selector.key;
  }
}

/**
 * Whether any version, existing or not, satisfies both selectors. The answer is exact, because there is
 * always another version between, below and above given ones: for x < y, either `y~` lies between them (if
 * the first difference is in y) or `xA` does (if it is a `~` in x); `V~` is older than V, and `VA` is newer.
 */
export function intersects(a: Selector, b: Selector): boolean {
  if (a.relation === 'any' || b.relation === 'any') return true;
  if (a.relation === '=') return admits(b, { text: a.version, key: a.key });
  if (b.relation === '=') return admits(a, { text: b.version, key: b.key });
  // `!=` excludes one version only, and every other condition except `=` admits infinitely many.
  if (a.relation === '!=' || b.relation === '!=') return true;
  const upwards = (s: { readonly relation: Relation }): boolean => s.relation[0] === '>';
  if (upwards(a) === upwards(b)) return true;
  const [lower, upper] = upwards(a) ? [a, b] : [b, a];
  if (lower.key !== upper.key) return lower.key < upper.key;
  return lower.relation === '>=' && upper.relation === '<=';
}

/** Formats a selector: equality as `=V`, any version as an empty text. */
export function formatSelector(selector: Selector): string {
  return selector.relation === 'any' ? '' : `${selector.relation}${selector.version}`;
}
