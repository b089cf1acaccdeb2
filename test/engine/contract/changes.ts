import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { ChangeSource, Engine, FileEntry, Workspace } from '../../../src/engine/index.ts';
import { fromText } from '../../../src/tar/index.ts';
import { openOn, output, type Subject } from './subject.ts';

/** What a scenario's commands do, and what must then be said of the file system. */
interface Scenario {
  readonly name: string;
  readonly base?: readonly string[];
  readonly prelude?: readonly string[];
  readonly steps: readonly string[];
  /** `path` or `path=content`; every added path, sorted. */
  readonly added: readonly string[];
  readonly removed?: readonly string[];
  /** Not every source can tell what was changed; the upper folder can. */
  readonly changed?: readonly string[];
}

const scenarios: readonly Scenario[] = [
  { name: 'nothing happens', steps: ['true'], added: [] },
  {
    name: 'files and folders',
    steps: ['mkdir -p /a/b && echo x > /a/b/c'],
    added: ['a', 'a/b', 'a/b/c=x\n'],
  },
  {
    name: 'what prelude made is there already',
    prelude: ['mkdir /a; echo 1 > /a/1'],
    steps: ['echo 2 > /a/2'],
    added: ['a/2=2\n'],
  },
  {
    name: 'changed and removed',
    prelude: ['echo one > /p; mkdir /d; echo f > /d/f'],
    steps: ['echo root > /etc/passwd; echo two > /p; rm /etc/issue; chmod 700 /srv; rm -r /d; echo n > /n'],
    added: ['n=n\n'],
    removed: ['d', 'etc/issue'],
    changed: ['etc/passwd', 'p', 'srv'],
  },
  {
    name: 'opened and left as it was',
    steps: [
      'touch -r /etc/issue /tmp/r; echo -n >> /etc/issue; touch -d "2001-01-01 00:00:00" /etc/issue; touch -r /tmp/r /etc/issue',
    ],
    added: ['tmp/r='],
  },
  {
    name: 'a folder that steps removed and made again',
    base: ['mkdir -p /data/sub; echo a > /data/a; echo s > /data/sub/s'],
    steps: [
      'rm -rf /data; mkdir /data; echo a2 > /data/a; echo c > /data/c; mkdir /data/sub; echo n > /data/sub/new',
    ],
    added: ['data/c=c\n', 'data/sub/new=n\n'],
    removed: ['data/sub/s'],
    changed: ['data/a'],
  },
  {
    name: 'a folder that prelude removed and made again',
    base: ['mkdir -p /data/sub; echo a > /data/a; echo s > /data/sub/s; echo k > /data/sub/k'],
    prelude: ['rm -rf /data; mkdir /data'],
    steps: ['echo a > /data/a; mkdir /data/sub; echo s > /data/sub/s'],
    added: ['data/a=a\n', 'data/sub', 'data/sub/s=s\n'],
  },
  {
    name: 'a folder that prelude removed and steps made again, as it was',
    base: ['mkdir -p /data/sub; echo s > /data/sub/s; chmod -R go-w /data'],
    prelude: ['cp -a /data /kept; rm -rf /data'],
    steps: ['cp -a /kept /data'],
    added: ['data', 'data/sub', 'data/sub/s=s\n'],
  },
  {
    name: 'removed by prelude, made again by steps',
    prelude: ['rm /etc/issue; rm -r /srv'],
    steps: ['echo back > /etc/issue; mkdir /srv; echo q > /srv/q'],
    added: ['etc/issue=back\n', 'srv', 'srv/q=q\n'],
  },
  {
    name: 'made by prelude, removed and made again by steps',
    prelude: ['mkdir /p; echo 1 > /p/a'],
    steps: ['rm -r /p; mkdir /p; echo 2 > /p/a; echo 3 > /p/b'],
    added: ['p/b=3\n'],
    changed: ['p/a'],
  },
  {
    name: 'renames',
    base: ['mkdir -p /old/in; echo f > /old/in/f'],
    prelude: ['mkdir /mine; echo m > /mine/m; echo k > /keep'],
    steps: ['mv /old /new; mv /mine /yours; mv /keep /kept'],
    added: ['kept=k\n', 'new', 'new/in', 'new/in/f=f\n', 'yours', 'yours/m=m\n'],
    removed: ['keep', 'mine', 'old'],
  },
  {
    name: 'a file becomes a folder and a folder a file',
    base: ['echo f > /f; mkdir /d; echo x > /d/x'],
    steps: ['rm /f; mkdir /f; echo in > /f/in; rm -r /d; echo d > /d'],
    added: ['f/in=in\n'],
    changed: ['d', 'f'],
  },
  {
    name: "a folder of prelude's becomes a file",
    prelude: ['mkdir -p /b/deep; echo d > /b/deep/f; mkdir /c; echo c > /c/c'],
    steps: ['rm -r /b /c; : > /b; ln -s b /c'],
    added: [],
    changed: ['b', 'c'],
  },
  {
    name: 'an empty folder removed and made again',
    base: ['mkdir /e; echo 1 > /e/1'],
    steps: ['rm -r /e; mkdir /e'],
    added: [],
    removed: ['e/1'],
  },
  {
    name: 'hard links',
    steps: ['ln /etc/issue /issue-link; echo own > /own; ln /own /own2'],
    added: ['issue-link=conformance base 1\n', 'own=own\n', 'own2=own\n'],
  },
  {
    name: 'what a runtime puts there is not there',
    steps: ['echo "1.2.3.4 x" >> /etc/hosts; mkdir /dev/mine; echo y > /dev/shm/y; echo z > /etc/z; true'],
    added: ['etc/z=z\n'],
  },
];

/** Added paths with their content, as text. */
async function contents(workspace: Workspace, files: readonly FileEntry[]): Promise<string[]> {
  const rows: string[] = [];
  for await (const { file, content } of workspace.read(files)) {
    const path = Buffer.from(file.path, 'latin1').toString();
    const chunks: Uint8Array[] = [];
    for await (const chunk of content ?? []) chunks.push(chunk);
    rows.push(file.type === 'file' ? `${path}=${Buffer.concat(chunks).toString()}` : path);
  }
  return rows;
}

async function all(workspace: Workspace, commands: readonly string[]): Promise<void> {
  for (const command of commands) await output(workspace, command);
}

/** What `mark`, `changes`, `list`, `stat` and `read` tell, where changes come from a source. */
export function changesContract({ engine: make, base, hasDevices }: Subject, source: ChangeSource): void {
  describe(`changes by ${source}`, () => {
    let engine: Engine;
    let usable = true;
    const made: string[] = [];
    before(async () => {
      engine = await make(source);
      const { name } = await engine.report();
      // Podman lists a folder that was removed and made again as deleted, so its list is never used.
      usable = source !== 'changes' || name !== 'Podman';
    });
    after(async () => {
      for (const reference of made) await engine.remove(reference);
      await engine.close();
    });

    for (const [at, scenario] of scenarios.entries()) {
      test(scenario.name, async (t) => {
        if (!usable) return t.skip('this engine is not asked for its changes');
        let image = base;
        if (scenario.base !== undefined) {
          const below = await openOn(engine, base);
          await all(below, scenario.base);
          image = `luet-ts-test/changes-${source}:${at}`;
          await below.commit(image, {});
          made.push(image);
          await below.close();
        }
        const workspace = await openOn(engine, image);
        try {
          assert.equal(workspace.source, source);
          await all(workspace, scenario.prelude ?? []);
          await workspace.mark();
          await all(workspace, scenario.steps);
          const changes = await workspace.changes();
          assert.deepEqual(await contents(workspace, changes.added), scenario.added);
          assert.deepEqual([...changes.removed], scenario.removed ?? []);
          if (source === 'upper') assert.deepEqual([...changes.changed], scenario.changed ?? []);
        } finally {
          await workspace.close();
        }
      });
    }

    test('every kind of file keeps what it is', async (t) => {
      if (!hasDevices) return t.skip('device nodes take root, and a sandbox that does not open them');
      if (!usable) return t.skip('this engine is not asked for its changes');
      const workspace = await openOn(engine, base);
      try {
        await workspace.mark();
        await all(workspace, [
          'mkdir /k; cd /k; echo hello > file; chmod 0640 file; ln file also; ln -s ../nowhere dangling; mkfifo fifo; mknod char c 1 3; mknod block b 7 300',
          'cd /k; echo s > setuid; chown 1234:4321 setuid; chmod 6755 setuid; mkdir -m 1777 sticky; touch -d "2001-02-03 04:05:06" old; touch zero',
          'cd /k; printf "\\000" | dd of=sparse bs=1 seek=1048575 2>/dev/null; echo b > "$(printf "\\377\\376")"; echo u > "ü☃"; echo n > "$(printf "new\\nline")"',
          `cd /k; ln -s "$(printf "to\\200byte")" odd`,
        ]);
        const { added } = await workspace.changes();
        const inK = new Map(added.map((entry) => [entry.path.replace(/^k\/?/, ''), entry]));
        assert.deepEqual(
          [...inK.keys()].map((name) => Buffer.from(name, 'latin1').toString('hex')),
          [
            ...[
              '',
              'also',
              'block',
              'char',
              'dangling',
              'fifo',
              'file',
              'new\nline',
              'odd',
              'old',
              'setuid',
              'sparse',
              'sticky',
              'zero',
              fromText('ü☃'),
              '\xff\xfe',
            ].sort(),
          ].map((name) => Buffer.from(name, 'latin1').toString('hex')),
        );
        const pick = (name: string, ...keys: (keyof FileEntry)[]): unknown[] =>
          keys.map((key) => inK.get(name)?.[key]);
        assert.deepEqual(pick('file', 'type', 'mode', 'uid', 'gid', 'size'), ['file', 0o640, 0, 0, 6]);
        assert.deepEqual(pick('setuid', 'mode', 'uid', 'gid'), [0o6755, 1234, 4321]);
        assert.deepEqual(pick('sticky', 'type', 'mode'), ['directory', 0o1777]);
        assert.deepEqual(pick('fifo', 'type'), ['fifo']);
        assert.deepEqual(pick('char', 'type', 'device'), ['character', { major: 1, minor: 3 }]);
        assert.deepEqual(pick('block', 'type', 'device'), ['block', { major: 7, minor: 300 }]);
        assert.deepEqual(pick('dangling', 'type', 'link', 'size'), ['symlink', '../nowhere', 0]);
        assert.deepEqual(pick('odd', 'link'), ['to\x80byte']);
        assert.deepEqual(pick('old', 'mtime'), [Date.UTC(2001, 1, 3, 4, 5, 6) / 1000]);
        assert.equal(inK.get('also')?.inode, inK.get('file')?.inode);
        assert.notEqual(inK.get('also')?.inode, undefined);
        const rows = new Map(
          (await contents(workspace, added)).map((row) => [
            row.slice(0, row.indexOf('=')),
            row.slice(row.indexOf('=') + 1),
          ]),
        );
        assert.equal(rows.get('k/also'), 'hello\n');
        assert.equal(rows.get('k/ü☃'), 'u\n');
        assert.equal(
          createHash('sha256')
            .update(rows.get('k/sparse') ?? '')
            .digest('hex'),
          createHash('sha256').update(Buffer.alloc(1048576)).digest('hex'),
        );
      } finally {
        await workspace.close();
      }
    });

    test('capabilities survive, with any byte', async (t) => {
      if (!usable) return t.skip('this engine is not asked for its changes');
      const workspace = await openOn(engine, base);
      try {
        await workspace.mark();
        await all(workspace, ['mkdir /c']);
        const value = Buffer.from('0100000200a0ff8000000000ff00000000000000', 'hex');
        await workspace.upload(
          (async function* () {
            yield {
              entry: {
                path: 'c/tool',
                type: 'file',
                mode: 0o755,
                uid: 0,
                gid: 0,
                size: 2,
                mtime: 0,
                xattrs: new Map([['security.capability', value]]),
              },
              content: (async function* () {
                yield Buffer.from('x\n');
              })(),
            };
          })(),
        );
        const { added } = await workspace.changes();
        const found: string[] = [];
        for await (const { file, xattrs } of workspace.read(added))
          found.push(`${file.path} ${xattrs.get('security.capability')?.toString('hex') ?? '-'}`);
        assert.deepEqual(found, ['c -', `c/tool ${value.toString('hex')}`]);
      } finally {
        await workspace.close();
      }
    });

    test('the whole root, less what the runtime put there', async (t) => {
      if (!usable) return t.skip('this engine is not asked for its changes');
      const workspace = await openOn(engine, base);
      try {
        await all(workspace, ['echo x > /extra; rm /etc/issue; mkdir -p /run/mine; echo 1 > /run/mine/1']);
        const paths = (await workspace.list(''))
          .map(({ path }) => path)
          .filter((path) => !path.startsWith('bin/'));
        assert.deepEqual(paths, [
          'bin',
          'dev',
          'etc',
          'etc/group',
          'etc/passwd',
          'extra',
          'luetbuild',
          'proc',
          'root',
          'run',
          'run/mine',
          'run/mine/1',
          'srv',
          'sys',
          'tmp',
          'usr',
          'usr/bin',
          'var',
        ]);
        const [run] = await workspace.stat(['run/mine/1']);
        assert.deepEqual([run?.type, run?.mode, run?.size], ['file', 0o644, 2]);
        assert.deepEqual(
          (await workspace.list('run')).map(({ path }) => path),
          ['run', 'run/mine', 'run/mine/1'],
        );
        assert.deepEqual(await workspace.list('nowhere'), []);
      } finally {
        await workspace.close();
      }
    });
  });
}
