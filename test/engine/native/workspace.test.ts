import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { type Engine, EngineError, type Workspace } from '../../../src/engine/index.ts';
import { type Maker, makers } from '../../../src/engine/native/sandbox/launch.ts';
import { getAttribute, type SourceEntry } from '../../../src/tar/index.ts';
import { BASE, environment } from '../../support/engine.ts';
import { scriptEngine } from '../../support/engines/native.ts';
import { without } from '../../support/tool.ts';
import { freshStore, notHere } from './support.ts';

for (const maker of makers)
  describe(`a workspace on overlay mounts, by ${maker}`, { skip: notHere || without(maker) }, () => {
    suite(maker);
  });

function suite(maker: Maker): void {
  let engine: Engine;
  let store: string;
  const endings: (() => void | Promise<void>)[] = [];
  before(async () => {
    store = await freshStore({ after: (work) => endings.push(work) });
    engine = scriptEngine(store, maker);
  });
  after(async () => {
    await engine.close();
    for (const work of endings) await work();
  });

  const open = (image = BASE, more: Record<string, string> = {}): Promise<Workspace> =>
    engine.open({
      image,
      environment: new Map([...environment, ...Object.entries(more)]),
      folder: '/luetbuild',
      network: 'none',
    });

  /** Runs commands on the base image, and what they left on that image. */
  async function made(name: string, ...commands: readonly string[]): Promise<string> {
    const workspace = await open();
    for (const command of commands) assert.equal(await workspace.run(command, () => {}), 0, command);
    const image = `luet-ts-test/${name}:1`;
    await workspace.commit(image, {});
    await workspace.close();
    return image;
  }

  async function output(workspace: Workspace, command: string): Promise<string> {
    const said: Uint8Array[] = [];
    const code = await workspace.run(command, (_, chunk) => said.push(Buffer.from(chunk)));
    const text = Buffer.concat(said).toString();
    assert.equal(code, 0, `${command}\n${text}`);
    return text;
  }

  test('what a command takes away of the places of others is there again for the next', async () => {
    const workspace = await open();
    await output(workspace, 'rm -rf /luetbuild; rm -f /etc/hosts 2>/dev/null; echo 1 >/one');
    assert.equal(await output(workspace, 'pwd; cat /one; echo 2 >two'), '/luetbuild\n1\n');
    assert.equal(await output(workspace, 'cat two; rm two; ls -A'), '2\n');
    await workspace.close();
  });

  test('what is put in between commands is there for the next, and what they left stays', async () => {
    const workspace = await open();
    const file = (path: string, text: string): SourceEntry => ({
      entry: {
        ...{ path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: text.length, mtime: 1 },
      } as const,
      content: () => Readable.from([Buffer.from(text)]),
    });
    await output(workspace, 'mkdir /new /gone; echo a >/new/a; test ! -e /new/b; rm -r /gone');
    await workspace.upload(Readable.from([file('new/b', 'b\n'), file('gone/c', 'c\n')]));
    assert.equal(await output(workspace, 'cat /new/a /new/b /gone/c'), 'a\nb\nc\n');
    await workspace.close();
  });

  test('workspaces that take turns keep to themselves', async () => {
    const [one, two] = [await open(), await open()];
    await output(one, 'echo one >/own');
    await output(two, 'test ! -e /own; echo two >/own');
    await Promise.all([output(one, 'sleep 0.1; echo 1 >>/own'), output(two, 'sleep 0.1; echo 2 >>/own')]);
    const three = await open();
    await Promise.all([output(three, 'test ! -e /own'), output(two, 'sleep 0.1; echo 2 >>/own')]);
    assert.equal(await output(one, 'cat /own'), 'one\n1\n');
    assert.equal(await output(two, 'cat /own'), 'two\n2\n2\n');
    for (const workspace of [one, two, three]) await workspace.close();
  });

  test('a command ignores no signal, finds nothing to read, and has its own streams alone', async () => {
    const workspace = await open();
    // What this process was begun with has other numbers; the last is that of the listing itself.
    const streams = 'ls /proc/self/fd | grep -c "^[0-9]$"';
    const said = await output(workspace, `grep SigIgn /proc/self/status; cat; ${streams}`);
    assert.equal(said, 'SigIgn:\t0000000000000000\n4\n');
    assert.match(
      await output(workspace, "sh -c 'kill -INT $$; echo went on' 2>&1 || echo ended"),
      /^ended$/m,
    );
    await workspace.close();
  });

  test('a workspace that is closed while its command runs disturbs no other', async () => {
    const [one, two] = [await open(), await open()];
    await output(two, 'echo two >/own');
    let begun = (): void => {};
    const beginning = new Promise<void>((resolve) => (begun = resolve));
    const running = one.run('echo begun; sleep 100', () => begun()).catch((error: unknown) => error);
    await beginning;
    await one.close();
    const ended = await running;
    assert.ok(ended instanceof EngineError && ended.kind === 'killed', String(ended));
    assert.equal(await output(two, 'cat /own'), 'two\n');
    await two.close();
  });

  test('attributes are given at paths of any bytes', async () => {
    const below = await made('any-bytes', 'mkdir "/ü"; echo old >"/ü/old"');
    const workspace = await open(below);
    // A capability as the kernel keeps it (`struct vfs_cap_data`, revision 2).
    const capability = Buffer.from('0100000200ff000000000000000000000000ff00', 'hex');
    const names = ['plain', '\xc3\xa4', '\xff'];
    const entry = (path: string): SourceEntry => ({
      entry: {
        ...{ path, type: 'file', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 1 },
        xattrs: new Map([['security.capability', capability]]),
      } as const,
    });
    await workspace.upload(Readable.from(names.map(entry)));
    const layers = readdirSync(join(store, 'layers')).map((id) => join(store, 'layers', id, 'files'));
    const upper = layers.find((files) => existsSync(join(files, 'plain'))) ?? '';
    for (const name of names) {
      const place = { path: `${upper}/${name}`, isFolder: false, scratch: join(upper, '../scratch') };
      assert.deepEqual(getAttribute(place, 'security.capability'), capability, name);
    }
    // A folder that was removed and is put there again goes on hiding what lay below it.
    assert.equal(await workspace.run('rm -r "/ü"', () => {}), 0);
    const folder = {
      path: '\xc3\xbc',
      type: 'directory',
      mode: 0o755,
      uid: 0,
      gid: 0,
      size: 0,
      mtime: 1,
    } as const;
    await workspace.upload(Readable.from([{ entry: folder }]));
    assert.equal(await output(workspace, 'ls -A "/ü"'), '');
    await workspace.close();
    await engine.remove(below);
  });

  test('outputs can be opened by their names', async () => {
    const workspace = await open();
    const said = await output(
      workspace,
      'echo one >/dev/stdout; echo two >/dev/stderr; echo three >/proc/self/fd/1',
    );
    assert.deepEqual(said.split('\n').sort(), ['', 'one', 'three', 'two']);
    await workspace.close();
  });

  test('a command has what Docker gives, and no more', async () => {
    const workspace = await open();
    assert.match(await output(workspace, 'grep CapEff /proc/self/status'), /00000000a80425fb/);
    assert.equal(await workspace.run('echo x >/proc/sys/kernel/hostname', () => {}), 1);
    assert.equal(await workspace.run('mount -t tmpfs none /srv', () => {}), 1);
    assert.equal(await workspace.run('mknod /d b 7 0 && cat /d', () => {}), 1);
    assert.equal(await output(workspace, 'wc -c </proc/keys; ls /sys/firmware; ls /dev/shm'), '0\n');
    assert.equal(await workspace.run('read -r line </dev/tty', () => {}), 1);
    // Other users than root have shared memory, too.
    assert.equal(await output(workspace, 'stat -c %a /dev/shm'), '1777\n');
    await workspace.close();
  });

  test("an image's environment means nothing to the programs that make its sandbox", async () => {
    const harm = join(tmpdir(), `luet-ts-harm-${process.pid}`);
    const workspace = await open(BASE, {
      ENV: harm,
      BASH_ENV: harm,
      LD_PRELOAD: '/nowhere.so',
      PATH: '/bin',
    });
    assert.equal(await output(workspace, 'echo $LD_PRELOAD $PATH'), '/nowhere.so /bin\n');
    await workspace.close();
  });

  test('links lead what is mounted nowhere but into the root', async () => {
    const outside = join(tmpdir(), `luet-ts-outside-${process.pid}`);
    for (const [name, path, link] of [
      ['dangling', 'etc/resolv.conf', `${outside}/resolv.conf`],
      ['upwards', 'etc/hosts', `../../../..${outside}/hosts`],
      ['folder', 'etc', '/'],
      ['outside', 'etc', `${outside}/etc`],
    ] as const) {
      const below = await open();
      const entry = { path, link, type: 'symlink', mode: 0o777, uid: 0, gid: 0, size: 0, mtime: 0 } as const;
      await below.upload(
        (async function* () {
          yield { entry };
        })(),
      );
      const image = `luet-ts-test/${name}:1`;
      await below.commit(image, {});
      await below.close();
      const workspace = await open(image);
      assert.equal(await output(workspace, 'cat /etc/hostname'), 'luetbuild\n');
      await workspace.close();
      assert.ok(!existsSync(outside), name);
    }
  });

  test('nothing that is mounted is in an image or a delta', async () => {
    const workspace = await open();
    await workspace.mark();
    await output(
      workspace,
      'echo 1.2.3.4 x >>/etc/hosts; echo y >/dev/shm/y; echo kept >/kept; cat /etc/resolv.conf',
    );
    const { added, changed, removed } = await workspace.changes();
    assert.deepEqual([added.map(({ path }) => path), changed, removed], [['kept'], [], []]);
    await workspace.close();
    const image = await made('plain', 'true');
    const reader = await engine.openForReading(image);
    const paths = (await reader.list('')).map(({ path }) => path);
    await reader.close();
    assert.ok(!paths.includes('etc/hosts') && !paths.includes('etc/hostname'), paths.join());
  });

  test('a network that is not there is refused', async () => {
    const options = { image: BASE, environment, folder: '/', network: 'bridge' };
    await assert.rejects(engine.open(options), (error) => {
      assert.ok(error instanceof EngineError);
      assert.match(error.message, /no network bridge$/);
      assert.equal(error.advice, 'host-network-or-none');
      return true;
    });
    const workspace = await open();
    assert.equal(await output(workspace, 'ls /proc/sys/net/ipv4/conf'), 'all\ndefault\nlo\n');
    await workspace.close();
  });

  test('what is closed without an image leaves nothing', async () => {
    const count = (): number => readdirSync(join(store, 'layers')).length;
    const before = count();
    const workspace = await open();
    await output(workspace, 'echo x >/x');
    assert.equal(count(), before + 1);
    await workspace.close();
    await workspace.close();
    assert.equal(count(), before);
    await assert.rejects(
      workspace.run('true', () => {}),
      /closed/,
    );
  });
}
