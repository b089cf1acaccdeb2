/** One challenge of a `WWW-Authenticate` header (RFC 9110, 11.6.1). */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** By lower-case name, such as `realm`. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const parameter = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))/y;
const separator = /[ \t,]*/y;

/** Parses the challenges of a header. The first invalid part ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let at = 0;
  const take = (what: RegExp): RegExpExecArray | null => {
    what.lastIndex = at;
    const found = what.exec(header);
    if (found !== null) at = what.lastIndex;
    return found;
  };
  take(separator);
  while (at < header.length) {
    const scheme = take(token)?.[0];
    if (scheme === undefined) break;
    const parameters: Record<string, string> = Object.create(null) as Record<string, string>;
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    take(separator);
    for (let found = take(parameter); found !== null; found = take(parameter)) {
      const [, name = '', quoted, plain = ''] = found;
      parameters[name.toLowerCase()] ??= quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
      take(separator);
    }
  }
  return challenges;
}
