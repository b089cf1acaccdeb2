/** `npm run quickstart`: builds the sample tree in tree/ on an engine that is found or set up, and shows what came out. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { parseMetadata } from '../src/artifact/index.ts';
import { size } from '../src/cli/units.ts';
import { loadBase, setUpQuickly } from '../test/support/engines/setup.ts';
import { quickstartBase } from './base-image.ts';
import { root } from './tests.ts';

const destination = join(root, 'out/quickstart');
const began = performance.now();
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** Runs the command as a person would, showing what it writes; answers what it wrote. */
function build(words: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const shown = words.map((word) => (word.startsWith(root) ? relative(process.cwd(), word) || '.' : word));
  process.stdout.write(`\n$ ./bin/luet-ts ${shown.join(' ')}\n`);
  const child = spawn(join(root, 'bin/luet-ts'), words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  // Ctrl-C reaches the command as well; it cleans up and ends, and then so does this.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const said: string[] = [];
  for (const [from, to] of [
    [child.stdout, process.stdout],
    [child.stderr, process.stderr],
  ] as const) {
    from.on('data', (chunk: Buffer) => {
      to.write(chunk);
      said.push(chunk.toString());
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(said.join(''));
      else process.exit(code ?? 1);
    });
  });
}

/** What the command said of each package: `built in 1.2 s`, `unchanged`. */
function outcomes(output: string): Map<string, string> {
  const lines = stripVTControlCharacters(output).matchAll(
    /^(?:\S+ )?(\S+\/\S+): (built|cut|empty|unchanged)(?! on)(?: in ([\d.]+ \w+))?/gm,
  );
  return new Map(
    [...lines].map(([, name = '', how = '', time]) => [name, time === undefined ? how : `${how} in ${time}`]),
  );
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 1 || i === 2 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** The packages in a folder: name, files, size of the archive, what was done, and the files themselves. */
function packages(folder: string, done: ReadonlyMap<string, string>): string[][] {
  const rows = [['PACKAGE', 'FILES', 'ARCHIVE', 'TIME', 'HOLDS']];
  for (const file of readdirSync(folder)
    .filter((name) => name.endsWith('.metadata.yaml'))
    .sort()) {
    const metadata = parseMetadata(readFileSync(join(folder, file), 'utf8'));
    const { name, category, version } = metadata.runtime;
    const label = `${category}/${name}-${version}`;
    const { files } = metadata;
    const holds = `${files.slice(0, 2).join(', ')}${files.length > 2 ? ', …' : ''}`;
    const archive = statSync(join(folder, metadata.archive)).size;
    rows.push([label, String(files.length), size(archive), done.get(label) ?? '', holds]);
  }
  return rows;
}

/** Takes a program out of its package and runs it, which works because it is static. */
function tryProgram(archive: string, path: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-quickstart-'));
  try {
    execFileSync('tar', ['-xf', archive, '-C', folder, path]);
    return execFileSync(join(folder, path), { encoding: 'utf8' }).trimEnd();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

try {
  const engine = await setUpQuickly();
  const base = await quickstartBase();
  await loadBase(engine.url, base);
  process.stdout.write(
    `Engine: ${engine.description}\nBase image: ${base.reference} (set up in ${seconds(performance.now() - began)})\n`,
  );
  const words = ['build', '--tree', join(root, 'tree'), '--all', '--destination', destination];
  if (engine.url === 'native') words.splice(1, 0, '--engine', 'native');
  const output = await build(words, engine.url === 'native' ? {} : { DOCKER_HOST: engine.url });
  process.stdout.write(`\n${table(packages(destination, outcomes(output)))}`);
  const archive = join(destination, 'hello-apps-2.0.package.tar');
  if (process.platform === 'linux') {
    const shown = relative(process.cwd(), archive);
    process.stdout.write(
      `\nusr/bin/hello, taken out of ${shown}, says: ${tryProgram(archive, 'usr/bin/hello')}\n`,
    );
  }
  const stays = [
    `the packages in ${relative(process.cwd(), destination)}/`,
    `the images ${base.reference} and luet/cache:* in the engine`,
    'downloads in the cache folder',
    ...engine.stays,
  ];
  process.stdout.write(`Stays on this machine: ${stays.join('; ')}.\n`);
  process.exit(0);
} catch (error) {
  process.stderr.write(`quickstart: ${(error as Error).message}\n`);
  process.exit(1);
}
