import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { describe, type TestContext } from 'node:test';
import { commandTable } from '../../../src/cli/commands.ts';
import { cli } from '../../support/cli.ts';
import { BASE, ENGINE } from '../../support/engine.ts';
import { notHere } from './support.ts';

/*
 * Every command that is given a place, with every kind of place that cannot be used: it says so in a sentence that names the place and what
 * to do, ends with 1, and leaves nothing behind. All places lie in a folder of the test's own, or in /proc.
 */

/** Places by their kinds. */
const kinds = {
  missing: 'missing/x',
  full: 'full/x',
  readOnly: 'readonly/x',
  file: 'file',
  belowFile: 'file/x',
  folder: 'folder',
  deadLink: 'dead',
  belowDeadLink: 'dead/x',
  circle: 'circle',
  proc: '/proc/x',
  belowProc: '/proc/x/y',
  process: '/proc/1/x',
  device: 'null',
  pipe: 'pipe',
  longName: 'n'.repeat(256),
  longPath: 'd/'.repeat(2100),
} as const;
type Kind = keyof typeof kinds;

/** What a place is most often, where it cannot be used: every row is tried with these. */
const usual: readonly Kind[] = ['missing', 'full', 'readOnly', 'file', 'folder', 'deadLink', 'belowProc'];

/**
 * The kinds that a row is tried with. Of the unusual ones it gets a third, so that each row meets some and each kind meets a third of the
 * rows; LUET_TS_TEST_PLACES=all tries every row with every kind, which is some 550 processes.
 */
function kindsOf(row: number): Kind[] {
  const all = Object.keys(kinds) as Kind[];
  if (process.env.LUET_TS_TEST_PLACES === 'all') return all;
  const unusual = all.filter((kind) => !usual.includes(kind));
  return all.filter((kind) => usual.includes(kind) || (unusual.indexOf(kind) + row) % 3 === 0);
}

interface Row {
  /** The words of a command line with the place in it; or an environment. */
  readonly words: (place: string) => readonly string[];
  readonly env?: (place: string) => Readonly<Record<string, string>>;
  /** Flags and arguments of commands, as `COMMAND FLAG`, that this row is about. */
  readonly about: readonly string[];
  /** Places with which the command does its work, and ends with 0. */
  readonly fine?: readonly Kind[];
  /** What is there after an error: a store, in which nothing is. */
  readonly leavesStore?: true;
  /** Places that can be used, so that the error is about the image. */
  readonly usable?: readonly Kind[];
}

const store = ENGINE ?? 'native';
const onEngine = ['--engine', store];
/** What a missing folder, and one that is there, are for what makes folders. */
const made = ['missing', 'folder'] as const;
/** Places where nothing is: a store there is an empty one, and nothing has to be written. */
const empty = ['missing', 'full', 'readOnly', 'folder', 'proc', 'belowProc', 'process'] as const;
const onStore = (place: string): string[] => ['--engine', 'native', '--store', place];
const build = (...more: string[]): string[] => ['build', '-t', 'tree', '--all', ...more];

const rows: Readonly<Record<string, Row>> = {
  'image export': {
    words: (place) => ['image', 'export', BASE, place, ...onEngine],
    about: ['image export <file>'],
    fine: ['file', 'device'],
  },
  'image copy to oci': {
    words: (place) => ['image', 'copy', 'rootfs:root', `oci:${place}`],
    about: ['image copy <destination>'],
    fine: [...made, 'full'],
  },
  'image copy to docker-archive': {
    words: (place) => ['image', 'copy', `rootfs:big`, `docker-archive:${place}`],
    about: [],
    fine: ['file'],
  },
  'image copy to oci-archive': {
    words: (place) => ['image', 'copy', 'rootfs:big', `oci-archive:${place}`],
    about: [],
    fine: ['file'],
  },
  'image copy to rootfs': {
    words: (place) => ['image', 'copy', 'rootfs:big', `rootfs:${place}`],
    about: [],
    fine: ['missing'],
  },
  ...Object.fromEntries(
    (['oci', 'docker-archive', 'oci-archive', 'rootfs'] as const).map((kind): [string, Row] => [
      `image inspect ${kind}`,
      {
        words: (place) => ['image', 'inspect', `${kind}:${place}`],
        about: ['image inspect <place>', 'image copy <source>', 'util image-exist <image>'],
        fine: kind === 'rootfs' ? ['folder'] : [],
      },
    ]),
  ),
  'image import': {
    words: (place) => ['image', 'import', place, 'oci:imported'],
    about: ['image import <source>', 'image import <source...>'],
    fine: ['folder'],
  },
  'image import --store': {
    words: (place) => ['image', 'import', 'big', 'x:1', ...onStore(place)],
    about: ['image import --store', 'image pull --store', 'image copy --store', 'image push --store'],
    fine: made,
    leavesStore: true,
  },
  'util unpack': {
    words: (place) => ['util', 'unpack', 'rootfs:big', place],
    about: ['util unpack <folder>', 'util unpack --store'],
    fine: made,
  },
  'store du': {
    words: (place) => ['store', 'du', '--store', place],
    about: ['store du --store', 'image inspect --store', 'image export --store'],
    fine: empty,
  },
  'store gc': {
    words: (place) => ['store', 'gc', '--store', place],
    about: ['store gc --store'],
    fine: empty,
  },
  'store verify': {
    words: (place) => ['store', 'verify', '--store', place],
    about: ['store verify --store'],
    fine: empty,
  },
  'image ls': {
    words: (place) => ['image', 'ls', ...onStore(place)],
    about: ['image ls --store', 'explain --store', 'cache prune --store'],
    fine: empty,
  },
  'image rm': { words: (place) => ['image', 'rm', 'x:1', ...onStore(place)], about: ['image rm --store'] },
  engine: {
    words: (place) => ['engine', ...onStore(place)],
    about: ['engine --store'],
    fine: [...made, 'full'],
  },
  'engine copy': {
    words: (place) => ['engine', 'copy', store, `native:${place}`, '--image', BASE],
    about: ['engine copy <from>', 'engine copy <to>'],
    fine: made,
    leavesStore: true,
  },
  'build --destination': {
    words: (place) => build('--destination', place, ...onEngine),
    about: ['build --destination'],
    fine: made,
  },
  'build --store': {
    words: (place) => build('--destination', 'out', ...onStore(place)),
    about: ['build --store'],
    leavesStore: true,
    usable: [...made, 'full'],
  },
  'tree images --destination': {
    words: (place) => ['tree', 'images', '-t', 'tree', '--destination', place, ...onEngine],
    about: ['tree images --destination', 'tree images --store', 'engine copy --destination'],
    fine: empty,
  },
  'explain --destination': {
    // Of what a package needs, which here is nothing: where something would be built, the exit code is 1.
    words: (place) => ['explain', '-t', 'tree', '--all', '--onlydeps', '--destination', place, ...onEngine],
    about: ['explain --destination', 'cache prune --destination'],
    fine: empty,
  },
  '--tree': {
    words: (place) => ['tree', 'pkglist', '-t', place],
    about: [
      ...['build', 'tree bump', 'tree explain', 'tree graph', 'tree images', 'tree pkglist', 'tree render'],
      ...['tree validate', 'tree why', 'engine copy', 'explain', 'cache prune'],
    ].map((command) => `${command} --tree`),
    fine: ['folder'],
  },
  'tree validate': {
    words: (place) => ['tree', 'validate', place],
    about: ['tree validate <tree...>'],
    fine: ['folder'],
  },
  '--values': {
    words: (place) => ['tree', 'pkglist', '-t', 'tree', '--values', place],
    about: [
      ...['build', 'tree bump', 'tree explain', 'tree graph', 'tree images', 'tree pkglist', 'tree render'],
      ...['tree validate', 'tree why', 'engine copy', 'explain', 'cache prune'],
    ].map((command) => `${command} --values`),
  },
  'tree bump -f': {
    words: (place) => ['tree', 'bump', '-f', place],
    about: ['tree bump --definition-file'],
  },
  'util template': {
    words: (place) => ['util', 'template', place],
    about: ['util template <file>'],
    fine: ['file'],
  },
  'util template --values': {
    words: (place) => ['util', 'template', 'file', '--values', place],
    about: ['util template --values'],
  },
  'util template --templates': {
    words: (place) => ['util', 'template', 'file', '--templates', place],
    about: ['util template --templates'],
    fine: ['folder'],
  },
  TMPDIR: {
    words: () => build('--destination', 'out', '--rebuild', ...onEngine),
    env: (place) => ({ TMPDIR: place }),
    about: [],
    fine: [...made, 'full'],
  },
  HOME: {
    words: () => ['image', 'import', 'big', 'x:1', '--engine', 'native'],
    env: (HOME) => ({ HOME, XDG_DATA_HOME: '', XDG_CACHE_HOME: '', NODE_COMPILE_CACHE: '' }),
    about: [],
    fine: made,
  },
  XDG_DATA_HOME: {
    words: () => ['image', 'import', 'big', 'x:1', '--engine', 'native'],
    env: (place) => ({ XDG_DATA_HOME: place }),
    about: [],
    fine: made,
  },
  // A build depends neither on its logs nor on what it remembers.
  XDG_STATE_HOME: {
    words: () => build('--destination', 'out', '--rebuild', ...onEngine),
    env: (place) => ({ XDG_STATE_HOME: place }),
    about: [],
    fine: Object.keys(kinds) as Kind[],
  },
  XDG_CACHE_HOME: {
    words: () => ['tree', 'pkglist', '-t', 'tree'],
    env: (place) => ({ XDG_CACHE_HOME: place, NODE_COMPILE_CACHE: '' }),
    about: [],
    fine: Object.keys(kinds) as Kind[],
  },
};

/** Words of the help that stand for a place on disk. */
const PLACE = /^(?:folder|file|path|tree|place|source|destination|from|to)$/;

/** A name in a registry, and a folder in an image. */
const notOnDisk = new Set(['image push <destination>', 'image import --workdir']);

/** The flags and arguments of every command that name a place. */
async function placesOfCommands(): Promise<string[]> {
  const found: string[] = [];
  for (const [id, { load }] of Object.entries(commandTable.commands)) {
    const words = id.replaceAll(':', ' ');
    const { flags, args } = (await load()).default;
    for (const [name, flag] of Object.entries(flags))
      if (flag.type === 'option' && PLACE.test(String(flag.helpValue).replace(/^<(.*)>$/, '$1')))
        found.push(`${words} --${name}`);
    for (const [name, { multiple }] of Object.entries(args))
      if (PLACE.test(name)) found.push(`${words} <${name}${multiple === true ? '...' : ''}>`);
  }
  return found;
}

test('no command takes a place that the table does not try', async () => {
  const tried = new Set(Object.values(rows).flatMap(({ about }) => about));
  assert.deepEqual(
    (await placesOfCommands()).filter((one) => !tried.has(one) && !notOnDisk.has(one)),
    [],
  );
});

/** A folder with a place of every kind in it, and the kinds that cannot be made here. */
interface Places {
  readonly folder: string;
  readonly absent: ReadonlySet<Kind>;
}

function makePlaces(t: TestContext): Places {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-places-'));
  const absent = new Set<Kind>();
  const mounted: string[] = [];
  t.after(() => {
    for (const name of mounted) spawnSync('umount', [name]);
    rmSync(folder, { recursive: true, force: true });
  });
  const at = (name: string): string => join(folder, name);
  for (const name of ['full', 'readonly', 'folder', 'home', 'tmp', 'root/bin', 'big', 'tree/p'])
    mkdirSync(at(name), { recursive: true });
  writeFileSync(at('file'), 'a file\n');
  writeFileSync(at('folder/there'), '');
  writeFileSync(at('root/bin/a'), 'a');
  writeFileSync(at('big/file'), randomBytes(300_000));
  symlinkSync('nowhere', at('dead'));
  symlinkSync('circle', at('circle'));
  execFileSync('mkfifo', [at('pipe')]);
  // One of our own: whoever replaced the machine's /dev/null would do harm.
  if (spawnSync('mknod', [at('null'), 'c', '1', '3']).status !== 0) absent.add('device');
  writeFileSync(at('tree/p/definition.yaml'), 'name: p\ncategory: t\nversion: "1"\n');
  const steps = 'steps: [head -c 300000 /dev/urandom >/big]';
  writeFileSync(at('tree/p/build.yaml'), `image: ${BASE}\n${steps}\n`);
  const mount = (name: string, ...options: string[]): boolean => {
    const isDone = spawnSync('mount', [...options, at(name)]).status === 0;
    if (isDone) mounted.push(at(name));
    return isDone;
  };
  if (!mount('full', '-t', 'tmpfs', '-o', 'size=128k', 'none')) absent.add('full');
  if (!mount('readonly', '-t', 'tmpfs', 'none') || !mount('readonly', '-o', 'remount,ro'))
    absent.add('readOnly');
  return { folder, absent };
}

/** Everything in the folder but what commands may leave for later: packages, stores, caches and logs. */
function listing(folder: string, at = ''): string[] {
  return readdirSync(join(folder, at), { withFileTypes: true }).flatMap((one) => {
    const path = join(at, one.name);
    if (/^(?:home|tmp|out)$/.test(path)) return [];
    return [path, ...(one.isDirectory() ? listing(folder, path) : [])];
  });
}

/** Runs a row with one kind of place, and looks at what it says and leaves. */
async function tryPlace(name: string, row: Row, kind: Kind, folder: string): Promise<void> {
  const place = kinds[kind];
  const about = `${name} with ${kind}`;
  const before = listing(folder);
  const env = row.env?.(place.startsWith('/') ? place : join(folder, place));
  const { code, stderr } = await cli(row.words(place), {
    cwd: folder,
    env: { HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp'), ...env },
  });
  const left = listing(folder).filter((path) => !before.includes(path));
  assert.doesNotMatch(stderr, /This is a bug|^\s+at .*\.js:/m, about);
  if (row.fine?.includes(kind)) assert.equal(code, 0, `${about}: ${stderr}`);
  else {
    assert.equal(code, 1, `${about}: ${stderr}`);
    assert.match(stderr, /error\[[\w-]+\]: /, about);
    // Of what is too long, the beginning; of others, the place or the folder above that is the reason.
    const [top = ''] = place.startsWith('/proc') ? ['/proc'] : place.slice(0, 30).split('/');
    const isNamed = row.usable?.includes(kind) === true || stderr.includes(top);
    assert.ok(isNamed, `${about} is not named: ${stderr}`);
    const isStore = /(?:^|\/)(?:form|locks|layers|runs|images|missing|x)$/;
    // A home and a cache that can be written keep what belongs there.
    const kept = row.env === undefined ? left : [];
    const odd = row.leavesStore ? kept.filter((path) => !isStore.test(path)) : kept;
    assert.deepEqual(odd, [], about);
  }
  for (const path of left) rmSync(join(folder, path), { recursive: true, force: true });
}

describe('places that cannot be used', { skip: notHere, concurrency: 2 }, () => {
  for (const [index, [name, row]] of Object.entries(rows).entries())
    test(name, { timeout: 300_000 }, async (t) => {
      const { folder, absent } = makePlaces(t);
      for (const kind of kindsOf(index)) {
        if (absent.has(kind)) t.diagnostic(`${kind} cannot be made here`);
        else await tryPlace(name, row, kind, folder);
      }
    });
});
