import { type Version, versionKey, versionProblem } from './version.ts';

/** Which versions are wanted: any at all, or those that stand in a relation to one version. */
export type Selector =
  | { readonly relation: 'any' }
  | { readonly relation: Relation; readonly version: string; readonly key: string };

/** How an admitted version stands to the one that is named. */
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
 * Reads `>=V`, `>V`, `<=V`, `<V`, `!=V` or `!V`, `=V`, `==V`, a bare `V` (equality), or nothing (any version).
 * Anything else, several conditions joined above all, gives the reason as a sentence.
 */
export function parseSelector(text: string): Selector | { readonly error: string } {
  const plain = text.trim();
  if (plain === '') return { relation: 'any' };
  const operator = /^(==?|!=?|>=?|<=?)?/.exec(plain)?.[0] ?? '';
  const version = plain.slice(operator.length).trim();
  const quoted = `the selector ${JSON.stringify(text)}`;
  if (version === '') return { error: `${quoted} has no version behind \`${operator}\`` };
  if (/[\s,|&][<>=!]/.test(version) || /[,|&]/.test(version)) {
    return { error: `${quoted} joins several conditions; one selector is one condition` };
  }
  if (/[<>=]|^!/.test(version)) {
    return {
      error: `${quoted} is none of \`>=V\`, \`>V\`, \`<=V\`, \`<V\`, \`!=V\`, \`!V\`, \`=V\`, \`==V\`, \`V\``,
    };
  }
  const problem = versionProblem(version);
  if (problem !== undefined) return { error: `${quoted}: its version ${problem}` };
  return { relation: OPERATORS.get(operator) ?? '=', version, key: versionKey(version) };
}

/** Whether a selector admits a version; a `Version` that was read before saves reading it again. */
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
 * Whether some version, existing or not, lies in both selectors. This is exact, because versions are dense and
 * have no ends: for x < y either `y~` lies between them (where something written in y decides) or `xA` does
 * (where a `~` in x decides), `V~` is older than V, and `VA` is newer.
 */
export function meets(a: Selector, b: Selector): boolean {
  if (a.relation === 'any' || b.relation === 'any') return true;
  if (a.relation === '=') return admits(b, { text: a.version, key: a.key });
  if (b.relation === '=') return admits(a, { text: b.version, key: b.key });
  // One missing point leaves the rest of a half line, and of the whole order.
  if (a.relation === '!=' || b.relation === '!=') return true;
  const upwards = (s: { readonly relation: Relation }): boolean => s.relation[0] === '>';
  if (upwards(a) === upwards(b)) return true;
  const [lower, upper] = upwards(a) ? [a, b] : [b, a];
  if (lower.key !== upper.key) return lower.key < upper.key;
  return lower.relation === '>=' && upper.relation === '<=';
}

/** A selector as it is written: equality as `=V`, any version as nothing. */
export function formatSelector(selector: Selector): string {
  return selector.relation === 'any' ? '' : `${selector.relation}${selector.version}`;
}
