/** sprig's semantic version functions, by the rules of the Go library Masterminds/semver. */

import { fail, fn, type GoFunction, GoObject, Sized, type Value } from '../value.ts';

/** A semantic version. Missing numbers count as 0. */
export class SemanticVersion extends GoObject {
  readonly type = '*semver.Version';
  readonly kind = 'ptr';
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  readonly prerelease: string;
  readonly metadata: string;
  readonly original: string;

  constructor(
    numbers: readonly [bigint, bigint, bigint],
    prerelease: string,
    metadata: string,
    original?: string,
  ) {
    super();
    [this.major, this.minor, this.patch] = numbers;
    this.prerelease = prerelease;
    this.metadata = metadata;
    this.original = original ?? this.text();
  }

  text(): string {
    const pre = this.prerelease === '' ? '' : `-${this.prerelease}`;
    return `${this.major}.${this.minor}.${this.patch}${pre}${this.metadata === '' ? '' : `+${this.metadata}`}`;
  }

  equals(other: GoObject): boolean {
    return (
      other instanceof SemanticVersion && this.text() === other.text() && this.original === other.original
    );
  }

  json(): Value {
    return this.text();
  }

  method(name: string): GoFunction | undefined {
    return METHODS[name]?.(this);
  }
}

const get = (read: (version: SemanticVersion) => Value): ((version: SemanticVersion) => GoFunction) => {
  return (version) => fn([], () => read(version));
};
const unsigned = (value: bigint): Sized => new Sized('uint64', value);
const against = (test: (order: number) => boolean): ((version: SemanticVersion) => GoFunction) => {
  return (version) => fn(['version'], (other) => test(compareVersions(version, other as SemanticVersion)));
};

function next(version: SemanticVersion, ...numbers: [bigint, bigint, bigint]): SemanticVersion {
  const made = new SemanticVersion(numbers, '', '');
  return version.original.startsWith('v') ? new SemanticVersion(numbers, '', '', `v${made.text()}`) : made;
}

const METHODS: Readonly<Record<string, (version: SemanticVersion) => GoFunction>> = {
  Major: get((v) => unsigned(v.major)),
  Minor: get((v) => unsigned(v.minor)),
  Patch: get((v) => unsigned(v.patch)),
  Prerelease: get((v) => v.prerelease),
  Metadata: get((v) => v.metadata),
  Original: get((v) => v.original),
  String: get((v) => v.text()),
  IncMajor: get((v) => next(v, v.major + 1n, 0n, 0n)),
  IncMinor: get((v) => next(v, v.major, v.minor + 1n, 0n)),
  IncPatch: get((v) => next(v, v.major, v.minor, v.prerelease === '' ? v.patch + 1n : v.patch)),
  Compare: (version) =>
    fn(['version'], (other) => BigInt(compareVersions(version, other as SemanticVersion))),
  Equal: against((order) => order === 0),
  LessThan: against((order) => order < 0),
  LessThanEqual: against((order) => order <= 0),
  GreaterThan: against((order) => order > 0),
  GreaterThanEqual: against((order) => order >= 0),
};

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = new RegExp(
  `^v?([0-9]+)(?:\\.([0-9]+))?(?:\\.([0-9]+))?(?:-(${IDENTIFIERS}))?(?:\\+(${IDENTIFIERS}))?$`,
);

/** Parses a version. Fails if it is invalid. */
export function parseVersion(text: string): SemanticVersion {
  const match = VERSION.exec(text);
  if (match === null) fail(`invalid semantic version ${JSON.stringify(text)}`);
  const numbers = [match[1], match[2], match[3]].map((digits) => BigInt(digits ?? '0'));
  if (numbers.some((n) => n >= 2n ** 64n))
    fail(`invalid semantic version ${JSON.stringify(text)}: a number is too large`);
  const prerelease = match[4] ?? '';
  if (prerelease.split('.').some((part) => /^0[0-9]+$/.test(part))) {
    fail(`invalid semantic version ${JSON.stringify(text)}: a pre-release number starts with 0`);
  }
  const [major = 0n, minor = 0n, patch = 0n] = numbers;
  return new SemanticVersion([major, minor, patch], prerelease, match[5] ?? '', text);
}

const order = (a: bigint | string, b: bigint | string): number => (a < b ? -1 : a > b ? 1 : 0);

function compareIdentifier(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined || b === undefined) return a === undefined ? -1 : 1;
  const x = /^[0-9]+$/.test(a) && BigInt(a) < 2n ** 64n ? BigInt(a) : undefined;
  const y = /^[0-9]+$/.test(b) && BigInt(b) < 2n ** 64n ? BigInt(b) : undefined;
  if (x === undefined && y === undefined) return order(a, b);
  if (x === undefined || y === undefined) return x === undefined ? 1 : -1;
  return order(x, y);
}

function comparePrerelease(a: string, b: string): number {
  if (a === '' || b === '') return a === b ? 0 : a === '' ? 1 : -1;
  const x = a.split('.');
  const y = b.split('.');
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const result = compareIdentifier(x[i], y[i]);
    if (result !== 0) return result;
  }
  return 0;
}

/** Compares semantic versions. Build metadata is ignored. */
export function compareVersions(a: SemanticVersion, b: SemanticVersion): number {
  return (
    order(a.major, b.major) ||
    order(a.minor, b.minor) ||
    order(a.patch, b.patch) ||
    comparePrerelease(a.prerelease, b.prerelease)
  );
}

/** One condition: an operator and a version, and which numbers of that version are wildcards or missing. */
interface Constraint {
  readonly operator: string;
  readonly version: SemanticVersion;
  readonly open: 'none' | 'patch' | 'minor' | 'all';
}

const NUMBER = '[0-9|xX*]+';
const LOOSE = `v?(?:${NUMBER})(?:\\.${NUMBER})?(?:\\.${NUMBER})?(?:-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`;
// The first matching alternative is used, as in the library: "=" before "", and "~" before "~>".
const OPERATORS = '=||!=|>|<|>=|=>|<=|=<|~|~>|\\^';
const RANGE = new RegExp(`\\s*(${LOOSE})\\s+-\\s+(${LOOSE})\\s*`, 'g');
const ALL = new RegExp(
  `^(?:\\s*(?:${OPERATORS})\\s*(?:${LOOSE})\\s*)(?:(?:\\s+|,\\s*)(?:${OPERATORS})\\s*(?:${LOOSE})\\s*)*$`,
);
const EACH = new RegExp(`(?:${OPERATORS})\\s*(?:${LOOSE})`, 'g');
const PARTS = new RegExp(
  `^\\s*(${OPERATORS})\\s*v?(${NUMBER})(?:\\.(${NUMBER}))?(?:\\.(${NUMBER}))?(-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?\\s*$`,
);

const isOpen = (part: string | undefined): boolean => part === undefined || /^[xX*]$/.test(part);

function parseConstraint(text: string): Constraint {
  const match = PARTS.exec(text);
  if (match === null) fail(`invalid version constraint ${JSON.stringify(text)}`);
  const [, operator = '', major = '0', minor, patch, pre = ''] = match;
  const open = isOpen(major) ? 'all' : isOpen(minor) ? 'minor' : isOpen(patch) ? 'patch' : 'none';
  const numbers = {
    all: '0.0.0',
    minor: `${major}.0.0`,
    patch: `${major}.${minor}.0`,
    none: `${major}.${minor}.${patch}`,
  };
  return { operator, version: parseVersion(numbers[open] + pre), open };
}

function sameOrNewer(v: SemanticVersion, c: Constraint): boolean {
  if (compareVersions(v, c.version) < 0) return false;
  const { major, minor, patch } = c.version;
  if (major === 0n && minor === 0n && patch === 0n && c.open !== 'minor' && c.open !== 'patch') return true;
  return v.major === major && (v.minor === minor || c.open === 'minor');
}

function compatible(v: SemanticVersion, c: Constraint): boolean {
  const { major, minor, patch } = c.version;
  if (compareVersions(v, c.version) < 0 || v.major !== major) return false;
  if (major > 0n || c.open === 'minor') return true;
  if (v.minor !== minor) return false;
  return minor > 0n || c.open === 'patch' || v.patch === patch;
}

function newer(v: SemanticVersion, c: Constraint): boolean {
  if (c.open === 'none' || c.open === 'all') {
    const exact = c.open === 'none' || v.major === c.version.major;
    return exact ? compareVersions(v, c.version) > 0 : v.major > c.version.major;
  }
  if (v.major !== c.version.major) return v.major > c.version.major;
  return c.open === 'patch' && v.minor > c.version.minor;
}

function different(v: SemanticVersion, c: Constraint): boolean {
  if (c.open !== 'none') {
    if (c.version.major !== v.major) return true;
    if (c.version.minor !== v.minor && c.open !== 'minor') return true;
    if (c.open === 'minor') return false;
    if (c.version.patch !== v.patch && c.open !== 'patch') return true;
    if (c.open === 'patch') return comparePrerelease(v.prerelease, c.version.prerelease) !== 0;
  }
  return compareVersions(v, c.version) !== 0;
}

function notNewer(v: SemanticVersion, c: Constraint): boolean {
  if (c.open === 'none') return compareVersions(v, c.version) <= 0;
  if (v.major !== c.version.major) return v.major < c.version.major;
  return v.minor <= c.version.minor || c.open === 'minor';
}

function admits(c: Constraint, v: SemanticVersion): boolean {
  // Only constraints that name a pre-release admit pre-releases.
  const wild = v.prerelease !== '' && c.version.prerelease === '';
  if (wild && (c.operator !== '!=' || c.open !== 'none')) return false;
  switch (c.operator) {
    case '!=':
      return different(v, c);
    case '>':
      return newer(v, c);
    case '<':
      return compareVersions(v, c.version) < 0;
    case '>=':
    case '=>':
      return compareVersions(v, c.version) >= 0;
    case '<=':
    case '=<':
      return notNewer(v, c);
    case '~':
    case '~>':
      return sameOrNewer(v, c);
    case '^':
      return compatible(v, c);
    default:
      return c.open === 'none' ? compareVersions(v, c.version) === 0 : sameOrNewer(v, c);
  }
}

/**
 * Whether a version satisfies constraints. `||` separates alternatives; within one, all conditions must hold.
 */
export function meets(constraints: string, text: string): boolean {
  const alternatives = constraints
    .replace(RANGE, (_whole, from: string, to: string) => `>= ${from}, <= ${to} `)
    .split('||')
    .map((alternative) => {
      if (!ALL.test(alternative)) fail(`invalid version constraint ${JSON.stringify(alternative)}`);
      return (alternative.match(EACH) ?? [alternative]).map(parseConstraint);
    });
  const version = parseVersion(text);
  return alternatives.some((conditions) => conditions.every((c) => admits(c, version)));
}

export const semverFunctions: Readonly<Record<string, GoFunction>> = {
  semver: fn(['string'], parseVersion),
  semverCompare: fn(['string', 'string'], meets),
};
