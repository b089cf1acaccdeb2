import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { writeTree } from '../../support/site.ts';
import { programOf, without } from '../../support/tool.ts';
import { notHere } from '../native/support.ts';

const root = join(import.meta.dirname, '../../..');

/** A user for the test file that runs: files run beside each other. */
const USER = `luet-ts-t${process.pid}`;

/** A way of the native engine to work, for attacks. */
export interface AttackedWay {
  /** For people: `as a user with one id, by runc`. */
  readonly name: string;
  /** As in the engine's address. */
  readonly by: 'bwrap' | 'runc' | 'crun' | 'chroot' | 'copy' | 'bare';
  /** Whether steps are root of the machine, or of a user namespace. */
  readonly isRoot: boolean;
  readonly skip: string | false;
  /** Words that the command is run under. */
  readonly under: readonly string[];
}

const asUser = ['runuser', '-u', USER, '--'];
const namespace = ['unshare', '-Ur', '-m', '--propagation', 'private'];

const rootless = (by: 'bwrap' | 'runc' | 'chroot'): AttackedWay[] => {
  const skip = notHere || without('newuidmap') || without('useradd') || without(by);
  const common = { by, isRoot: false, skip } as const;
  return [
    { ...common, name: `as a user with a range of ids, by ${by}`, under: asUser },
    { ...common, name: `as a user with one id, by ${by}`, under: [...asUser, ...namespace] },
  ];
};

/** All ways of working. Crun is left out for users: with them 1.8 refuses machines that have both versions of control groups. */
export const ways: readonly AttackedWay[] = [
  ...(['bwrap', 'runc', 'crun', 'chroot', 'copy', 'bare'] as const).map((by) => ({
    name: `as root, by ${by}`,
    by,
    isRoot: true,
    skip: notHere || without(programOf(by)),
    under: [],
  })),
  ...(['bwrap', 'runc', 'chroot'] as const).flatMap(rootless),
];

/** What came of a build. */
export interface Outcome {
  readonly code: number;
  /** Both outputs. */
  readonly said: string;
}

/** Where attacks are run. */
export interface Field {
  /** Runs steps in a package of their own, with the command as it ships. `descriptors` are open on `/` in what it is begun by. */
  attack(steps: readonly string[], options?: AttackOptions): Promise<Outcome>;
}

/** What else there is to an attack. */
export interface AttackOptions {
  readonly descriptors?: readonly number[];
  /** The content of a file that descriptor 90 is open on. */
  readonly text?: string;
  /** Further words of the command line. */
  readonly words?: readonly string[];
  /** The image; the tests' base image where absent. */
  readonly image?: string;
}

/** Runs a test once for each way of working, on a store of its own that holds the images that `load` makes (a module's path and its function). */
export function inEachWay(
  title: string,
  work: (t: TestContext, field: Field, way: AttackedWay) => Promise<void>,
  load: readonly [module: string, name: string] = ['../../../scripts/base-image.ts', 'conformanceBase'],
): void {
  for (const way of ways)
    test(`${title}, ${way.name}`, { skip: way.skip, timeout: 120_000 }, async (t) => {
      if (!way.isRoot && !hasUser())
        return t.skip('another user cannot read this checkout, or has no range of ids');
      const folder = mkdtempSync(join(tmpdir(), 'luet-ts-attack-'));
      chmodSync(folder, 0o777);
      t.after(() => {
        // Files of a user's range belong to none that root's tools know, but to root they do.
        rmSync(folder, { recursive: true, force: true });
      });
      await prepare(folder, way, load);
      await work(t, { attack: (steps, options) => attack(folder, way, steps, options) }, way);
    });
}

let userIsThere: boolean | undefined;

/** Makes the user, once; whether it has a range of ids, and can read this checkout and run the Node that runs this. */
function hasUser(): boolean {
  if (userIsThere !== undefined) return userIsThere;
  spawnSync('useradd', ['--no-create-home', '--shell', '/bin/sh', USER]);
  process.on('exit', () => {
    spawnSync('userdel', [USER]);
  });
  const reads = [join(root, 'package.json'), process.execPath].every(
    (path) => spawnSync('runuser', ['-u', USER, '--', 'test', '-r', path]).status === 0,
  );
  const ranged = readFileSync('/etc/subuid', 'utf8').includes(`${USER}:`);
  userIsThere = reads && ranged;
  return userIsThere;
}

const home = (folder: string): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: join(folder, 'home'),
  TMPDIR: folder,
});

/** Folders with stores as `prepare` makes them, by what they are made under: who makes one owns its files, whatever works on it then. */
const made = new Map<string, string>();

/** Puts a store with an image into a folder, which later ones of the same owner get as a copy. */
async function prepare(folder: string, way: AttackedWay, load: readonly [string, string]): Promise<void> {
  const owner = [...way.under, ...load].join(' ');
  let first = made.get(owner);
  if (first === undefined) {
    first = mkdtempSync(join(tmpdir(), 'luet-ts-attack-'));
    const created = first;
    process.on('exit', () => rmSync(created, { recursive: true, force: true }));
    chmodSync(first, 0o777);
    await makeStore(first, way, load);
    made.set(owner, first);
  }
  const { code, said } = await run(['cp', '-a', join(first, 'store'), folder], home(folder), folder);
  if (code !== 0) throw new Error(said);
}

async function makeStore(
  folder: string,
  way: AttackedWay,
  [module, name]: readonly [string, string],
): Promise<void> {
  const script = `import { ${name} } from '${module}'; import { loadIntoStore } from '../../support/engines/native.ts'; await loadIntoStore('${folder}/store', await ${name}());`;
  const words = [process.execPath, '--input-type=module-typescript', '-e', script];
  // The store's files belong to the ids of the namespace that the command enters.
  const range = way.under === asUser ? [...asUser, 'unshare', '-Ur', '--map-auto', '-m'] : way.under;
  const outcome = await run([...range, ...words], home(folder), import.meta.dirname);
  if (outcome.code !== 0) throw new Error(outcome.said);
}

let count = 0;

async function attack(
  folder: string,
  { under, by }: AttackedWay,
  steps: readonly string[],
  { descriptors = [], text, words = [], image = 'conformance/base:1' }: AttackOptions = {},
): Promise<Outcome> {
  const tree = join(folder, `tree${++count}`);
  // Of another version each, so that none is found to be built already.
  writeTree(tree, { attack: { definition: { version: `${count}` }, build: { image, steps } } });
  const command = [join(root, 'bin/luet-ts'), 'build', '--all', '--debug', '--tree', tree];
  const flags = ['--destination', join(folder, `out${count}`), '--engine', `native+${by}:${folder}/store`];
  const opened = descriptors.map((number) => `exec ${number}</\n`);
  if (text !== undefined) {
    writeFileSync(join(folder, 'text'), text);
    opened.push(`exec 90<${join(folder, 'text')}\n`);
  }
  const whole = [...under, ...command, ...flags, ...words];
  if (opened.length === 0) return run(whole, home(folder), folder);
  return run(['bash', '-c', `${opened.join('')}exec "$@"`, 'bash', ...whole], home(folder), folder);
}

/** Runs a program to its end. */
function run(
  [program = '', ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Outcome> {
  const child = spawn(program, words, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code: code ?? 255, said }));
  });
}
