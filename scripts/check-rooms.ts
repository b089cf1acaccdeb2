/**
 * Checks what the house promises of its rooms (src/ROOM), on the syntax trees of the sources: a room imports only from rooms above it,
 * and of another room only its index; files do not import each other in a circle; what is clocked, random or environmental enters in
 * cli/ and library/ alone, and so do flags, commands and variables (check-words.ts). Prints findings and fails where there are any.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { checkWords, readOwnFlags } from './check-words.ts';
import { type ModuleFacts, readModule } from './module-facts.ts';

/** A rule that a file breaks. Lines count from 1. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** From top to bottom: a room imports from those above it. */
const order = [
  ...[
    'diagnostic',
    'async',
    'disk',
    'events',
    'version',
    'expression',
    'template',
    'tar',
    'image',
    'store',
    'engine',
  ],
  ...[
    'spec',
    'tree',
    'solver',
    'plan',
    'delta',
    'artifact',
    'resolve',
    'cache',
    'execute',
    'explain',
    'repository',
    'library',
    'cli',
  ],
];

/** What a room above knows nothing of, although it stands higher. */
const unknown: Readonly<Record<string, readonly string[]>> = {
  version: ['events'],
  expression: ['events', 'async', 'version', 'disk'],
  template: ['events', 'version'],
  tar: ['events', 'version', 'template'],
  image: ['version', 'template'],
  store: ['version', 'template'],
  engine: ['version', 'template'],
  spec: ['tar', 'image', 'store', 'engine'],
  tree: ['tar', 'image', 'store', 'engine'],
  solver: ['tar', 'image', 'store', 'engine', 'template'],
  delta: ['image', 'store', 'engine', 'tree', 'solver', 'plan'],
  artifact: ['store', 'engine', 'plan'],
  resolve: ['store', 'engine'],
  cache: ['store'],
  execute: ['store'],
  explain: ['execute', 'delta', 'store'],
  repository: ['execute', 'store', 'engine'],
};

/** Packages that one folder alone imports. */
const confined: Readonly<Record<string, string>> = { dockerode: 'engine/docker/', '@oclif/core': 'cli/' };

function checkImport(file: string, specifier: string): string | undefined {
  const [room = ''] = file.split('/');
  if (!specifier.startsWith('.')) {
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    const home = confined[name];
    return home === undefined || file.startsWith(home) ? undefined : `only src/${home} imports ${name}`;
  }
  const target = normalize(join(dirname(file), specifier));
  if (target === '../package.json' && room === 'cli') return undefined;
  if (target.startsWith('..')) return `${specifier} is outside src/`;
  const [other = ''] = target.split('/');
  if (other === room) return undefined;
  if (target !== `${other}/index.ts`)
    return `of ${other}/ other rooms import only its index.ts, not ${target}`;
  // The library's face at the top of src/ may name every room.
  if (!file.includes('/')) return undefined;
  if (!order.includes(other)) return `${other}/ is no room that scripts/check-rooms.ts knows`;
  if (order.indexOf(other) > order.indexOf(room))
    return `${room}/ is above ${other}/ and may not import from it`;
  if (unknown[room]?.includes(other)) return `${room}/ knows nothing of ${other}/`;
  return undefined;
}

/** Checks one file; `file` is its path from src/. */
export function checkFile(file: string, { imports, uses, recursive, wrappers }: ModuleFacts): Finding[] {
  const findings: Finding[] = [];
  const [room = ''] = file.split('/');
  const add = (line: number, message: string): void => {
    findings.push({ file: `src/${file}`, line, message });
  };
  if (file.includes('/') && !order.includes(room))
    add(1, `${room}/ is no room that scripts/check-rooms.ts knows`);
  for (const { specifier, line } of imports) {
    const message =
      specifier === undefined
        ? 'what is imported has to be written out, so that the bundle has it'
        : checkImport(file, specifier);
    if (message !== undefined) add(line, message);
  }
  for (const { line } of recursive)
    add(line, 'folders are made by makeFolder of disk/: a recursive mkdir of Node never ends below /proc');
  // An image has few methods, all of them required: the compiler finds one that is missing.
  if (room !== 'image')
    for (const { target, methods, line } of wrappers)
      add(
        line,
        `${methods.join(', ')} are listed only to call them on ${target}, which drops what is not listed: use overriding of engine/`,
      );
  if (room === 'cli' || room === 'library') return findings;
  for (const { what, text, line } of uses)
    add(line, `${what} enters in src/cli/ or src/library/ and is passed in from there (${text})`);
  return findings;
}

/** Finds files that import each other in a circle when they are loaded: types and imports at run time do not count. */
export function checkCircles(modules: ReadonlyMap<string, ModuleFacts>): Finding[] {
  const imports = new Map<string, readonly { readonly to: string; readonly line: number }[]>();
  for (const [file, facts] of modules) {
    const loaded = facts.imports.filter((one) => one.kind === 'loaded');
    const edges = loaded.flatMap(({ specifier = '', line }) => {
      const to = normalize(join(dirname(file), specifier));
      return specifier.startsWith('.') && modules.has(to) ? [{ to, line }] : [];
    });
    imports.set(file, edges);
  }
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    for (const { to, line } of imports.get(file) ?? []) {
      const at = path.indexOf(to);
      if (at >= 0) {
        const circle = [...path.slice(at), to].join(' → ');
        findings.push({
          file: `src/${file}`,
          line,
          message: `files import each other in a circle: ${circle}`,
        });
      } else if (!done.has(to)) visit(to, [...path, to]);
    }
    done.add(file);
  };
  for (const file of imports.keys()) if (!done.has(file)) visit(file, [file]);
  return findings;
}

/** Checks every source below `src`. */
export function checkRooms(src: string): Finding[] {
  const files = globSync('**/*.ts', { cwd: src }).sort();
  const modules = new Map(
    files.map((file) => [file, readModule(file, readFileSync(join(src, file), 'utf8'))]),
  );
  const flags = readOwnFlags(join(src, '..'));
  return [
    ...[...modules].flatMap(([file, facts]) => [
      ...checkFile(file, facts),
      ...checkWords(file, facts, flags),
    ]),
    ...checkCircles(modules),
  ];
}

if (import.meta.main) {
  const src = join(import.meta.dirname, '../src');
  const findings = checkRooms(src);
  for (const { file, line, message } of findings) process.stdout.write(`${file}:${line}: ${message}\n`);
  process.stdout.write(
    `${relative(process.cwd(), src)}: ${findings.length === 0 ? 'rooms are in order' : `${findings.length} findings`}\n`,
  );
  process.exitCode = findings.length === 0 ? 0 : 1;
}
