import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Engine, EngineError, NoShellError } from '../../../src/engine/index.ts';
import { writeTar } from '../../../src/tar/index.ts';
import { file, sourceOf } from '../../support/stream.ts';
import { environment, openOn, output, type Subject } from './subject.ts';

const repository = `luet-ts-test/workspaces-${process.pid}`;

/** How commands run, and what is committed of them. */
export function workspaceContract({ engine: make, base }: Subject): void {
  let engine: Engine;
  before(async () => {
    engine = await make();
  });
  after(async () => {
    for (const tag of ['bare', 'kept']) await engine.remove(`${repository}:${tag}`);
    await engine.close();
  });

  test('a command has its folder, its environment, no input, and an exit code', async () => {
    const workspace = await openOn(engine, base, '/made/here');
    try {
      assert.equal(await output(workspace, 'pwd; id -u; umask; cat'), '/made/here\n0\n0022\n');
      assert.equal(await workspace.run('exit 3', () => {}), 3);
      assert.equal(await workspace.run('kill -9 $$', () => {}), 137);
      const said: string[] = [];
      await workspace.run('echo out; echo err >&2', (stream, chunk) => {
        said.push(`${stream} ${Buffer.from(chunk).toString().trim()}`);
      });
      assert.deepEqual(said.sort(), ['stderr err', 'stdout out']);
      // A variable of one command is not there for the next, which is a new shell.
      await output(workspace, 'export LEFT=1; cd /');
      assert.equal(await output(workspace, 'echo "$PWD $LEFT"'), '/made/here \n');
    } finally {
      await workspace.close();
    }
  });

  test('an environment that is given to a command holds for that one alone', async () => {
    const workspace = await openOn(engine, base);
    try {
      const say = `echo "$HOME \${A-none} \${B-none}"`;
      assert.equal(await output(workspace, say), '/root none none\n');
      const a = new Map([...environment, ['A', "it's $HOME\n"]]);
      assert.equal(await output(workspace, say, a), "/root it's $HOME\n none\n");
      const b = new Map([...environment, ['HOME', '/b'], ['B', '']]);
      assert.equal(await output(workspace, say, b), '/b none \n');
      assert.equal(await output(workspace, say), '/root none none\n');
    } finally {
      await workspace.close();
    }
  });

  test('what a command leaves running is killed', async () => {
    const workspace = await openOn(engine, base);
    try {
      // It would write the file half a second later.
      await output(workspace, '(sleep 0.5; echo x >/late) >/dev/null 2>&1 & echo started >/early');
      await output(workspace, 'sleep 0.8; test -e /early; test ! -e /late');
    } finally {
      await workspace.close();
    }
  });

  test('a committed image has the files, the environment and the labels, and its workspace is frozen', async () => {
    const image = `${repository}:kept`;
    const workspace = await openOn(engine, base);
    try {
      const given = new Map([...environment, ['A', 'of one command']]);
      await output(workspace, 'echo x >/x; rm /etc/issue', given);
      await workspace.commit(image, { which: 'a"b\\c d' });
      assert.deepEqual(
        (await workspace.stat(['x', 'etc/issue'])).map(({ path }) => path),
        ['x'],
      );
    } finally {
      await workspace.close();
      await workspace.close();
    }
    const info = await engine.resolve(image, { pull: false });
    assert.equal(info?.labels.which, 'a"b\\c d');
    for (const [name, value] of environment) assert.ok(info.config.env.includes(`${name}=${value}`));
    assert.ok(!info.config.env.some((pair) => pair.startsWith('A=')));
    const reader = await engine.openForReading(image);
    assert.deepEqual(
      (await reader.stat(['x', 'etc/issue'])).map(({ path, size }) => [path, size]),
      [['x', 2]],
    );
    await reader.close();
  });

  test('a workspace that is not committed leaves no image', async () => {
    const workspace = await openOn(engine, base);
    await output(workspace, 'echo x >/x');
    await workspace.close();
    assert.equal((await engine.list(repository, 'none')).size, 0);
    const again = await openOn(engine, base);
    assert.deepEqual(await again.stat(['x']), []);
    await again.close();
  });

  test('closing a workspace ends the command that runs in it', async () => {
    const workspace = await openOn(engine, base);
    const running = workspace.run('echo started; sleep 60', () => void workspace.close());
    await running.then(
      (code) => assert.notEqual(code, 0),
      (error: unknown) => assert.ok(error instanceof EngineError, String(error)),
    );
    await workspace.close();
  });

  test('an image without a shell can be read and written to, but no command runs on it', async () => {
    const image = `${repository}:bare`;
    await engine.importImage(image, writeTar(sourceOf([file('only', 'x')])));
    const workspace = await openOn(engine, image);
    try {
      await workspace.upload(sourceOf([file('more', 'y')]));
      const files = (await workspace.list('')).filter(({ type }) => type === 'file');
      assert.deepEqual(
        files.map(({ path }) => path),
        ['more', 'only'],
      );
      await assert.rejects(
        workspace.run('true', () => {}),
        NoShellError,
      );
    } finally {
      await workspace.close();
    }
  });

  test('an image that is not there is missing, by its name', async () => {
    const image = `${repository}:none`;
    const isMissing = (error: unknown): boolean =>
      error instanceof EngineError && error.kind === 'image-missing' && error.image === image;
    await assert.rejects(openOn(engine, image), isMissing);
    await assert.rejects(engine.openForReading(image), isMissing);
    assert.equal(await engine.resolve(image, { pull: false }), undefined);
  });

  test('closing the engine closes its workspaces, and removes its temporary images', async () => {
    const image = `${repository}:tmp-x-0123`;
    const own = await make();
    const workspace = await openOn(own, base);
    await output(workspace, 'echo x >/x');
    await workspace.commit(image, {}, true);
    assert.notEqual(await engine.resolve(image, { pull: false }), undefined);
    await own.close();
    assert.equal(await engine.resolve(image, { pull: false }), undefined);
  });
}
