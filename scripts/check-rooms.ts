/**
 * Checks what the house promises of its rooms (src/ROOM): a room imports only from rooms above it, and of another room only
 * its index; what is clocked, random or environmental enters in cli/ alone. Prints findings and fails where there are any.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/** A rule that a file breaks. Lines count from 1. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** From top to bottom: a room imports from those above it. */
const order = [
  ...['diagnostic', 'disk', 'events', 'async', 'version', 'template', 'tar', 'image', 'engine'],
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
    'repository',
    'cli',
  ],
];

/** What a room above knows nothing of, although it stands higher. */
const unknown: Readonly<Record<string, readonly string[]>> = {
  version: ['events'],
  template: ['events', 'version'],
  tar: ['events', 'version', 'template'],
  image: ['version', 'template'],
  engine: ['version', 'template'],
  spec: ['tar', 'image', 'engine'],
  tree: ['tar', 'image', 'engine'],
  solver: ['tar', 'image', 'engine', 'template'],
  delta: ['image', 'engine', 'tree', 'solver', 'plan'],
  artifact: ['engine', 'plan'],
  resolve: ['engine'],
  repository: ['execute', 'engine'],
};

/** Packages that one folder alone imports. */
const confined: Readonly<Record<string, string>> = { dockerode: 'engine/docker/', commander: 'cli/' };

/** What enters at the edge. */
const edge: readonly (readonly [what: RegExp, name: string])[] = [
  [/\bprocess\.(?:env|cwd|argv|stdout|stderr|stdin|exit|on)\b/, 'process'],
  [/\bDate\.now\(|\bnew Date\(\)/, 'the clock (for a deadline: performance.now)'],
  [/\bMath\.random\(|\brandom(?:Bytes|UUID)\(/, 'randomness'],
  [/\b(?:homedir|tmpdir|hostname)\(\)/, "the machine's names"],
];

/** A source with its comments, and its strings but those of imports, blanked out; lines stay where they are. */
function blanked(source: string, keepStrings: boolean): string {
  const blank = (text: string): string => text.replace(/[^\n]/g, ' ');
  return source.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/(?![*/\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[dgimsuvy]*(?=[\s,;.)\]])/g,
    (match) => (match.startsWith('/*') || match.startsWith('//') || !keepStrings ? blank(match) : match),
  );
}

function lineOf(source: string, offset: number): number {
  return source.slice(0, offset).split('\n').length;
}

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
export function checkFile(file: string, source: string): Finding[] {
  const findings: Finding[] = [];
  const [room = ''] = file.split('/');
  const add = (offset: number, message: string): void => {
    findings.push({ file: `src/${file}`, line: lineOf(source, offset), message });
  };
  if (file.includes('/') && !order.includes(room))
    add(0, `${room}/ is no room that scripts/check-rooms.ts knows`);
  const imports = /\b(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/g;
  for (const found of blanked(source, true).matchAll(imports)) {
    const message = checkImport(file, found[2] ?? '');
    if (message !== undefined) add(found.index, message);
  }
  for (const found of blanked(source, false).matchAll(/\bmkdir(?:Sync)?\([^;]*?\brecursive: true/g))
    add(
      found.index,
      'folders are made by makeFolder of disk/: a recursive mkdir of Node never ends below /proc',
    );
  if (room === 'cli') return findings;
  const code = blanked(source, false);
  for (const [what, name] of edge) {
    for (const found of code.matchAll(new RegExp(what, 'g'))) {
      add(found.index, `${name} enters in src/cli/ and is passed in from there (${found[0]})`);
    }
  }
  return findings;
}

/** Checks every source below `src`. */
export function checkRooms(src: string): Finding[] {
  return globSync('**/*.ts', { cwd: src })
    .sort()
    .flatMap((file) => checkFile(file, readFileSync(join(src, file), 'utf8')));
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
