import { relative } from 'node:path';
import { escapeTerminal, type Place } from '../diagnostic/index.ts';
import type { ExplainedPackage, KeyChange, Reason } from '../explain/index.ts';

/** Changes of one package that are named at most; the rest is counted. */
const NAMED = 6;

/** Characters of a command or value that are shown. */
const LONGEST = 60;

/** Numbers of a plan's packages, by what a build would do about them. */
export function countsOf(
  packages: readonly ExplainedPackage[],
): Readonly<Record<'build' | 'cached' | 'unchanged', number>> {
  const counts = { build: 0, cached: 0, unchanged: 0 };
  for (const { state } of packages) counts[state]++;
  return counts;
}

/** One line that says how many packages there are of which kind. */
export function headline(packages: readonly ExplainedPackage[]): string {
  const { build, cached, unchanged } = countsOf(packages);
  const all = `${packages.length} package${packages.length === 1 ? '' : 's'}`;
  if (build === 0 && cached === 0) return `${all}: unchanged here, nothing to build`;
  return `${all}: ${cached} in the cache, ${unchanged} unchanged here, ${build} to build`;
}

/** One line for a build that begins: how many packages are built, and why; undefined where none is. */
export function shortReport(packages: readonly ExplainedPackage[], cwd: string): string | undefined {
  const { build } = countsOf(packages);
  if (build === 0) return undefined;
  const [own, kinds] = [rootsOf(packages).filter(({ reason }) => !isPlain(reason)), plainKinds(packages)];
  const parts: string[] = [];
  const [first, ...more] = own;
  if (first !== undefined) parts.push(`${shortReason(first, cwd)}${followText(first.followers, ', ')}`);
  if (more.length > 0) parts.push(`${more.length} more with reasons of their own`);
  for (const [text, names] of kinds) parts.push(`${names.length} ${text}`);
  return `${build} to build: ${parts.join('; ')}`;
}

/** The whole report, a line each: what there is, then each package with a reason of its own, and how many follow it. */
export function reportLines(packages: readonly ExplainedPackage[], cwd: string): string[] {
  const lines = [headline(packages)];
  for (const one of rootsOf(packages)) {
    if (isPlain(one.reason)) continue;
    const [first = '', ...more] = reasonLines(one.reason, cwd);
    const follow = followText(one.followers, '       ');
    lines.push(`${escapeTerminal(one.package)}: ${first}${follow}`, ...more.map((line) => `    ${line}`));
  }
  for (const [text, names] of plainKinds(packages)) {
    const more = names.length - NAMES;
    const shown = names.slice(0, NAMES).map(escapeTerminal).join(', ');
    lines.push(`${text}: ${shown}${more > 0 ? ` and ${more} more` : ''}`);
  }
  return lines;
}

/** Names in one line, before the others are only counted. */
const NAMES = 8;

/** Reasons that are the same for every package that has them, in a few words. */
const plain: Readonly<Partial<Record<Reason['kind'], string>>> = {
  asked: 'built again, as asked',
  new: 'never built before, as far as the engine, the destination and registries tell',
  lost: 'as before, but their images are neither in the engine nor in a registry',
};

const isPlain = (reason: Reason | undefined): boolean =>
  reason !== undefined && plain[reason.kind] !== undefined;

/** The packages of each plain reason. */
function plainKinds(packages: readonly ExplainedPackage[]): [text: string, names: string[]][] {
  return Object.entries(plain).flatMap(([kind, text]): [string, string[]][] => {
    const names = packages.flatMap((one) => (one.reason?.kind === kind ? [one.package] : []));
    return names.length === 0 ? [] : [[text, names]];
  });
}

const followText = (count: number, before: string): string =>
  count === 0 ? '' : `${before}${count} follow${count === 1 ? 's' : ''}`;

/** The packages with reasons of their own: those that most others follow first. */
function rootsOf(packages: readonly ExplainedPackage[]): ExplainedPackage[] {
  return packages
    .filter(({ reason }) => reason !== undefined && reason.kind !== 'follows')
    .sort((a, b) => b.followers - a.followers);
}

function shortReason({ package: name, reason, state }: ExplainedPackage, cwd: string): string {
  const built = state === 'build' ? '' : ' (built already)';
  if (reason?.kind === 'changed') return `${escapeTerminal(name)} changed${built}`;
  return `${escapeTerminal(name)} ${reasonLines(reason, cwd)[0] ?? ''}${built}`;
}

function reasonLines(reason: Reason | undefined, cwd: string): string[] {
  switch (reason?.kind) {
    case 'asked':
    case 'new':
    case 'lost':
      return [plain[reason.kind] ?? ''];
    case 'waits':
      return [
        `known when ${reason.packages.map(escapeTerminal).join(', ')} is built: it takes a file of that`,
      ];
    case 'base':
      return [
        `image ${reason.references.map(escapeTerminal).join(', ')} is another one than for the build in ${escapeTerminal(reason.where)}`,
      ];
    case 'changed': {
      const lines = reason.changes.map((change) => changeLine(change, cwd));
      const left = lines.length - NAMED;
      return left > 0 ? [...lines.slice(0, NAMED), `and ${left} more`] : lines;
    }
    default:
      return [];
  }
}

/** What changed, with its place. */
function changeLine(change: KeyChange, cwd: string): string {
  switch (change.kind) {
    case 'scheme':
      return `built by another version of luet-ts: key scheme ${change.was}, now ${change.is}`;
    case 'version':
    case 'platform':
      return `${change.kind} was ${quoted(change.was)}, is ${quoted(change.is)}`;
    case 'command':
      return `${placeText(change.place, cwd)} changed: ${change.phase}[${change.index}] ${wasIs(change)}`;
    case 'variable':
      return `${placeText(change.place, cwd)} changed: env ${escapeTerminal(change.name)} ${wasIs(change)}`;
    case 'copy':
      return `${placeText(change.place, cwd)} changed: copy[${change.index}] ${wasIs(change)}`;
    case 'file':
    case 'retrieved': {
      const what = change.kind === 'file' ? 'file' : 'retrieved file';
      const how = {
        added: 'is new',
        removed: 'is gone',
        content: 'changed',
        type: 'has another type or mode',
      };
      return `${what} ${quoted(change.path)} ${how[change.how]}`;
    }
    case 'some-file':
      return 'a file beside build.yaml changed; which one was not recorded';
  }
}

function wasIs({ was, is }: { readonly was?: string; readonly is?: string }): string {
  if (was === undefined) return `is new: ${quoted(is ?? '')}`;
  return is === undefined ? `is gone: ${quoted(was)}` : `was ${quoted(was)}, is ${quoted(is)}`;
}

function quoted(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return escapeTerminal(JSON.stringify(short));
}

function placeText({ file, line }: Place, cwd: string): string {
  const near = relative(cwd, file);
  return escapeTerminal(`${near === '' || near.startsWith('..') ? file : near}:${line}`);
}

/** The report as data: what is said of each package, with places as text. */
export function jsonReport(packages: readonly ExplainedPackage[], cwd: string): readonly object[] {
  return packages.map(({ reason, ...rest }) => ({
    ...rest,
    ...(reason === undefined ? {} : { reason: { ...reason, text: reasonLines(reason, cwd) } }),
  }));
}
