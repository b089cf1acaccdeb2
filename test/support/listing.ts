import { createHash } from 'node:crypto';
import { openArchive } from '../../src/artifact/index.ts';
import { type BytePath, type Entry, type EntryType, readTar, toText } from '../../src/tar/index.ts';

const kinds: Readonly<Record<EntryType, string>> = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  hardlink: 'h',
  fifo: 'p',
  character: 'c',
  block: 'b',
};

/**
 * What an archive holds, as the conformance cases write it down: `KIND MODE UID:GID "PATH"` and then, for a file,
 * the first 16 hex digits of its SHA-256, for a symbolic link ` -> TARGET`, for a hard link ` == FIRST NAME`.
 * Sorted by path.
 */
export async function listArchive(file: string): Promise<string[]> {
  const lines: { path: BytePath; line: string }[] = [];
  for await (const { entry, content } of readTar(openArchive(file))) {
    const hash = createHash('sha256');
    for await (const chunk of content) hash.update(chunk);
    lines.push({ path: entry.path, line: line(entry, hash.digest('hex')) });
  }
  return lines.sort((a, b) => (a.path < b.path ? -1 : 1)).map((one) => one.line);
}

function line(entry: Entry, hash: string): string {
  const mode = entry.mode.toString(8).padStart(4, '0');
  const head = `${kinds[entry.type]} ${mode} ${entry.uid}:${entry.gid} "/${toText(entry.path)}"`;
  if (entry.type === 'file') return `${head} ${hash.slice(0, 16)}`;
  if (entry.type === 'symlink') return `${head} -> ${toText(entry.link ?? '')}`;
  if (entry.type === 'hardlink') return `${head} == /${toText(entry.link ?? '')}`;
  return head;
}

interface Row {
  readonly kind: string;
  readonly head: string;
  readonly path: string;
  readonly rest: string;
}

function parseLine(text: string): Row {
  const [, kind, head, path, rest] = /^(\S) (\S+ \S+) "(.*?)"(?: (.*))?$/s.exec(text) ?? [];
  if (kind === undefined || head === undefined || path === undefined)
    throw new Error(`not a line of a listing: ${JSON.stringify(text)}`);
  return { kind, head, path, rest: rest ?? '' };
}

/**
 * Where two listings differ, one line each: `-` what was expected and is not there, `+` what is there. A hash of `*`
 * equals every hash; which of a file's several names is the file is not compared, but which names are one file is.
 */
export function compareListings(expected: readonly string[], actual: readonly string[]): string[] {
  const found = normalise(actual);
  const differences: string[] = [];
  for (const [path, want] of normalise(expected)) {
    const have = found.get(path);
    found.delete(path);
    if (have !== undefined && isSame(want, have)) continue;
    differences.push(`- ${show(want)}`);
    if (have !== undefined) differences.push(`+ ${show(have)}`);
  }
  return [...differences, ...[...found.values()].map((have) => `+ ${show(have)}`)];
}

/** A row in which every name of a file tells the content, and the first of all its names where it has several. */
interface Meaning extends Row {
  readonly first: string;
}

function normalise(lines: readonly string[]): Map<string, Meaning> {
  const rows = lines.filter((one) => one !== '').map(parseLine);
  const byPath = new Map(rows.map((row) => [row.path, row]));
  const nameOf = (row: Row): string => (row.kind === 'h' ? row.rest.replace(/^== /, '') : row.path);
  const names = Map.groupBy(rows, nameOf);
  return new Map(
    rows.map((row) => {
      const { kind, rest } = byPath.get(nameOf(row)) ?? row;
      const all = (names.get(nameOf(row)) ?? []).map((one) => one.path).sort();
      const first = all.length > 1 ? (all[0] ?? '') : '';
      return [row.path, { kind, head: row.head, path: row.path, rest, first }];
    }),
  );
}

const isSame = (want: Meaning, have: Meaning): boolean =>
  show(want) === show(have.kind === 'f' && want.rest === '*' ? { ...have, rest: '*' } : have);

const show = ({ kind, head, path, rest, first }: Meaning): string =>
  `${kind} ${head} ${JSON.stringify(path)} ${rest}${first === '' ? '' : ` == ${first}`}`.trimEnd();
