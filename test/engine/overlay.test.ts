import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setAttributeSync } from '@napi-rs/xattr';
import fc from 'fast-check';
import { LayerView } from '../../src/engine/overlay/layers.ts';
import { overlayOf, parseMountTable } from '../../src/engine/overlay/mount.ts';
import { UpperSource } from '../../src/engine/overlay/upper.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'luet-ts-overlay-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const sh = (cwd: string, script: string): string =>
  execFileSync('sh', ['-c', script], { cwd, encoding: 'utf8', stdio: 'pipe' });

/** Why layers cannot be made here by hand, or false. */
const withoutRoot = process.getuid?.() === 0 ? false : 'needs root';

test('the mount table of a container is read', (t) => {
  const data = folder(t);
  for (const name of ['overlay2/up/diff', 'overlay2/l/AB', 'overlay2/l/C,D', 'b lank/x'])
    mkdirSync(join(data, name), { recursive: true });
  const table = (options: string, type = 'overlay'): string =>
    `600 599 0:50 /x /elsewhere rw - tmpfs tmpfs rw\n611 522 0:57 / / rw,relatime master:1 - ${type} overlay ${options}\n612 611 0:60 / /proc rw - proc proc rw\n`;
  const ok = (upper: string, ...lowers: string[]): unknown => ({
    ok: true,
    mount: { upper: join(data, upper), lowers: lowers.map((one) => join(data, one)) },
  });
  assert.deepEqual(
    parseMountTable(
      table(
        `rw,lowerdir=${data}/overlay2/l/AB:${data}/b\\040lank/x,upperdir=${data}/overlay2/up/diff,workdir=${data}/w`,
      ),
    ),
    ok('overlay2/up/diff', 'overlay2/l/AB', 'b lank/x'),
  );
  // Relative to the data folder, as engines mount many layers; the kernel shows commas in octal.
  assert.deepEqual(
    parseMountTable(table(`rw,lowerdir=l/AB:l/C\\054D,upperdir=${data}/overlay2/up/diff,workdir=up/work`)),
    ok('overlay2/up/diff', 'overlay2/l/AB', 'overlay2/l/C,D'),
  );
  assert.deepEqual(
    parseMountTable(
      table(
        `rw,lowerdir+=${data}/overlay2/l/AB,lowerdir+=${data}/b\\040lank/x,upperdir=${data}/overlay2/up/diff`,
      ),
    ),
    ok('overlay2/up/diff', 'overlay2/l/AB', 'b lank/x'),
  );
  for (const [text, reason] of [
    [table('rw', 'btrfs'), /root is btrfs/],
    [table('rw,lowerdir=/a'), /does not name/],
    [table('rw,upperdir=/a'), /does not name/],
    [table(`rw,lowerdir=${data}/nowhere,upperdir=${data}/overlay2/up/diff`), /nowhere is not readable/],
    [
      table(`rw,redirect_dir=on,lowerdir=${data}/b\\040lank/x,upperdir=${data}/overlay2/up/diff`),
      /redirect_dir=on/,
    ],
    [table(`rw,metacopy=on,lowerdir=${data}/b\\040lank/x,upperdir=${data}/overlay2/up/diff`), /metacopy=on/],
    ['', /unknown, not an overlay/],
  ] as const) {
    const answer = parseMountTable(text);
    assert.ok(!answer.ok);
    assert.match(answer.reason, reason);
  }
});

test('a process of another namespace is not taken for the container', () => {
  for (const pid of [0, -1, process.pid, 2 ** 22]) {
    const answer = overlayOf(pid, 'no-such-container');
    assert.ok(!answer.ok);
    assert.match(answer.reason, /no process id|another process namespace/);
  }
});

test('layers are merged as the kernel merges them', { skip: withoutRoot }, (t) => {
  const at = folder(t);
  sh(
    at,
    `
    mkdir -p low/dir/in low/opaque/old low/gone low/kept mid/dir mid/opaque up/dir up/xdir low/xdir low/file-now
    echo low > low/dir/a; echo low > low/dir/b; echo low > low/dir/in/x; echo old > low/opaque/old/f; echo g > low/gone/g
    echo k > low/kept/k; echo f > low/was-file; echo x > low/xdir/x; echo y > low/xdir/y
    echo mid > mid/dir/b; mknod mid/gone c 0 0; echo new > mid/opaque/new
    echo up > up/dir/c; mknod up/dir/a c 0 0; mkdir up/was-file; echo in > up/was-file/in; echo now > up/file-now
    : > up/xdir/x
    : > up/dir/plain; mknod up/dir/null c 1 3`,
  );
  setAttributeSync(join(at, 'mid/opaque'), 'trusted.overlay.opaque', 'y');
  setAttributeSync(join(at, 'up/xdir'), 'trusted.overlay.opaque', 'x');
  setAttributeSync(join(at, 'up/xdir/x'), 'trusted.overlay.whiteout', 'y');
  const view = new LayerView(['up', 'mid', 'low'].map((name) => join(at, name)));
  const children = (path: string): string[] => [...view.children(path).keys()].sort();
  assert.deepEqual(children(''), ['dir', 'file-now', 'kept', 'opaque', 'was-file', 'xdir']);
  assert.deepEqual(children('dir'), ['b', 'c', 'in', 'null', 'plain']);
  assert.deepEqual(children('opaque'), ['new']);
  assert.deepEqual(children('was-file'), ['in']);
  assert.deepEqual(children('file-now'), []);
  assert.deepEqual(children('xdir'), ['y']);
  const content = (path: string): string | undefined => {
    const found = view.find(path);
    return found && readFileSync(found.real, 'utf8');
  };
  assert.equal(content('dir/b'), 'mid\n');
  assert.equal(content('dir/in/x'), 'low\n');
  for (const path of [
    'dir/a',
    'gone',
    'gone/g',
    'opaque/old',
    'opaque/old/f',
    'xdir/x',
    'file-now/x',
    'nowhere',
    'dir/../dir/c',
    '../up/dir/c',
    'dir/./c',
  ])
    assert.equal(view.find(path), undefined, path);
  assert.ok(view.isFolder('kept'));
  assert.ok(!view.isFolder('file-now'));
});

test('attributes of unprivileged mounts mean the same', { skip: withoutRoot }, (t) => {
  const at = folder(t);
  sh(at, 'mkdir -p low/d low/e up/d up/e; echo 1 > low/d/1; echo 1 > low/e/1; : > up/e/1');
  try {
    setAttributeSync(join(at, 'up/d'), 'user.overlay.opaque', 'y');
    setAttributeSync(join(at, 'up/e'), 'user.overlay.opaque', 'x');
    setAttributeSync(join(at, 'up/e/1'), 'user.overlay.whiteout', 'y');
  } catch {
    return t.skip('this file system has no user attributes');
  }
  const view = new LayerView([join(at, 'up'), join(at, 'low')]);
  assert.deepEqual([...view.children('d').keys(), ...view.children('e').keys()], []);
});

/** What a folder holds: for each path what the contract's listing says of it, and the content. */
function snapshot(root: string): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (path: string): void => {
    for (const name of readdirSync(join(root, path))) {
      const at = path === '' ? name : `${path}/${name}`;
      const stat = lstatSync(join(root, at));
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isDirectory()) {
        found.set(at, `d ${mode}`);
        walk(at);
      } else if (stat.isSymbolicLink()) found.set(at, `l ${readlinkSync(join(root, at))}`);
      else found.set(at, `f ${mode} ${stat.size} ${stat.mtimeMs} ${readFileSync(join(root, at), 'latin1')}`);
    }
  };
  walk('');
  return found;
}

const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));
const operation = fc.oneof(
  fc.tuple(path, fc.nat({ max: 9 })).map(([p, n]) => `echo ${n} > ${p}`),
  path.map((p) => `mkdir -p ${p}`),
  path.map((p) => `mkdir -p ${p}/deep && echo d > ${p}/deep/f`),
  path.map((p) => `rm -rf ${p}`),
  path.map((p) => `rm -rf ${p}; mkdir ${p}; echo again > ${p}/a`),
  fc.tuple(path, path).map(([p, q]) => `mv ${p} ${q}`),
  fc.tuple(path, path).map(([p, q]) => `cp -a ${p} ${q}`),
  fc.tuple(path, path).map(([p, q]) => `ln ${p} ${q}`),
  path.map((p) => `ln -s target ${p}`),
  fc.tuple(path, fc.constantFrom('700', '644')).map(([p, m]) => `chmod ${m} ${p}`),
  path.map((p) => `: >> ${p}`),
);
const operations = (maxLength: number): fc.Arbitrary<readonly string[]> => fc.array(operation, { maxLength });
const script = (lines: readonly string[]): string =>
  lines
    .map((line) => `(${line}) 2>/dev/null`)
    .concat('true')
    .join('\n');

test('what changed is what two listings of the mounted file system tell apart', {
  skip: withoutRoot,
  timeout: 120_000,
}, async (t) => {
  const top = folder(t);
  const mounted = (at: string, lowers: readonly string[], work: (root: string) => void): string => {
    const [upper, temporary, root] = ['upper', 'work', 'root'].map((name) => join(at, name)) as [
      string,
      string,
      string,
    ];
    for (const one of [upper, temporary, root]) mkdirSync(one, { recursive: true });
    execFileSync(
      'mount',
      [
        '-t',
        'overlay',
        'overlay',
        '-o',
        `lowerdir=${lowers.join(':')},upperdir=${upper},workdir=${temporary}`,
        root,
      ],
      { stdio: 'pipe' },
    );
    try {
      work(root);
    } finally {
      execFileSync('umount', [root]);
    }
    return upper;
  };
  mkdirSync(join(top, 'probe/low'), { recursive: true });
  try {
    mounted(join(top, 'probe'), [join(top, 'probe/low')], () => {});
  } catch {
    return t.skip('no overlay can be mounted here');
  }
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      operations(8),
      operations(6),
      operations(6),
      operations(8),
      async (base, second, prelude, steps) => {
        const at = join(top, String(run++));
        const low = join(at, 'low');
        mkdirSync(low, { recursive: true });
        sh(low, script(base));
        const middle = mounted(join(at, 'middle'), [low], (root) => sh(root, script(second)));
        const check: Promise<void>[] = [];
        mounted(join(at, 'container'), [middle, low], (root) => {
          const upper = join(at, 'container/upper');
          const source = new UpperSource({ upper, lowers: [middle, low] }, 'luetbuild');
          sh(root, script(prelude));
          source.mark();
          const before = snapshot(root);
          // Times of files are compared; what happens in one tick of the clock must not look like nothing.
          sh(root, `sleep 0.01\n${script(steps)}`);
          const after = snapshot(root);
          const parent = (one: string): string => one.slice(0, Math.max(0, one.lastIndexOf('/')));
          const isGone = (one: string): boolean => before.has(one) && !after.has(one);
          const added = [...after.keys()].filter((one) => !before.has(one)).sort();
          const removed = [...before.keys()]
            .filter(
              (one) =>
                isGone(one) &&
                !isGone(parent(one)) &&
                (parent(one) === '' || after.get(parent(one))?.startsWith('d')),
            )
            .sort();
          const changed = [...after.keys()]
            .filter((one) => before.has(one) && before.get(one) !== after.get(one))
            .sort();
          const content = (one: string | undefined): string | undefined =>
            one?.replace(/^(f \d+ \d+) \S+/, '$1');
          check.push(
            (async () => {
              const found = await source.changes();
              assert.deepEqual(
                found.added.map((one) => one.path),
                added,
              );
              assert.deepEqual(found.removed, removed);
              const told = new Set(found.changed);
              // A file that was written again with what it held may or may not count; one that holds something else must.
              for (const one of changed)
                if (content(before.get(one)) !== content(after.get(one)))
                  assert.ok(told.has(one), `${one} is not told of`);
              for (const one of told)
                assert.ok(changed.includes(one) || before.get(one)?.startsWith('l'), `${one} is told of`);
              assert.deepEqual(
                (await source.list('')).map((one) => one.path),
                [...after.keys()].sort(),
              );
              for await (const { file, content: bytes } of source.read(found.added)) {
                if (file.type !== 'file') continue;
                const chunks: Uint8Array[] = [];
                for await (const chunk of bytes ?? []) chunks.push(chunk);
                assert.ok(
                  after.get(file.path)?.endsWith(Buffer.concat(chunks).toString('latin1')),
                  file.path,
                );
              }
            })(),
          );
        });
        await Promise.all(check);
        rmSync(at, { recursive: true, force: true });
      },
    ),
    { numRuns: Number(process.env.LUET_TS_TEST_RUNS ?? 60) },
  );
});

test("Docker's own layers of mount points are not the image's, wherever they lie, and an exported root is", async () => {
  const top = mkdtempSync(join(tmpdir(), 'luet-ts-init-'));
  const layer = (name: string, files: Readonly<Record<string, string>>): string => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(join(top, name, dirname(path)), { recursive: true });
      writeFileSync(join(top, name, path), content);
    }
    return join(top, name);
  };
  try {
    mkdirSync(join(top, 'upper'));
    const places = { '.dockerenv': '', 'dev/console': '', 'etc/hosts': '', 'etc/resolv.conf': '' };
    // What `docker export` gave has the mark of a container, too.
    const base = layer('base', { '.dockerenv': '', 'etc/hosts': 'own', 'etc/passwd': 'p', 'dev/null': 'n' });
    // Docker 29 commits the empty file that hides the image's.
    const committed = layer('committed', { 'etc/hosts': '', x: 'x' });
    const lowers = [layer('init-2', places), committed, layer('init-1', places), base];
    const source = new UpperSource({ upper: join(top, 'upper'), lowers }, '');
    const found = (await source.list('')).map(({ path, size }) => `${path} ${size}`);
    assert.deepEqual(found, ['dev 0', 'etc 0', 'etc/hosts 3', 'etc/passwd 1', 'x 1']);
  } finally {
    rmSync(top, { recursive: true });
  }
});
