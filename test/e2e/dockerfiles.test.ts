import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { cli } from '../support/cli.ts';
import { ENGINE, isNative, testEngine } from '../support/engine.ts';
import { listArchive } from '../support/listing.ts';

const engine = ENGINE === undefined ? [] : ['--engine', ENGINE];

test('a folder with a Dockerfile is a package that others are built on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-dockerfile-'));
  const put = (path: string, text: string): void => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const build = (out: string): ReturnType<typeof cli> =>
    cli(
      [
        'build',
        '--dockerfiles',
        '--tree',
        'tree',
        '--all',
        '--destination',
        out,
        '--image-repository',
        'luet-ts-test/dockerfiles',
        '--network',
        'host',
        ...engine,
      ],
      { cwd: folder },
    );
  try {
    put(
      'tree/tool/Dockerfile',
      'FROM conformance/base:1\nENV FROM_DOCKERFILE=yes\nCOPY hello /hello\nRUN echo made > /made\n',
    );
    put('tree/tool/hello', 'hello\n');
    // Luet takes any file with that word in its name.
    put(
      'tree/stages/Dockerfile.amd64',
      'ARG BASE=conformance/base:1\nFROM $BASE AS One\nRUN echo 1 > /first\nFROM conformance/base:1 AS two\nCOPY --from=one /first /second\nFROM two\nRUN echo 3 > /third\n',
    );
    put('tree/scratch/Dockerfiles', 'FROM scratch\nCOPY hello /hello\n');
    put('tree/scratch/hello', 'hello\n');
    put('tree/user/definition.yaml', 'name: user\ncategory: c\nversion: "1"\n');
    put(
      'tree/user/build.yaml',
      'requires:\n- {name: tool, category: "", version: ""}\nsteps:\n- cat /hello /made > /user && echo "$FROM_DOCKERFILE" >> /user\n',
    );
    const first = await build('one');
    if (isNative) {
      assert.equal(first.code, 1);
      assert.match(
        first.stderr,
        /native engine does not support Dockerfiles\b[\s\S]*hint: use --engine docker or podman/,
      );
      return;
    }
    assert.equal(first.code, 0, first.stderr);
    // What the image has and conformance/base:1 has not: files of the Dockerfile, and no more.
    const added = async (name: string): Promise<string[]> =>
      (await listArchive(join(folder, `one/${name}.package.tar`))).map((row) => row.replace(/ [^ ]*$/, ''));
    assert.deepEqual(await added('tool--'), ['f 0644 0:0 "/hello"', 'f 0644 0:0 "/made"']);
    assert.deepEqual(await added('stages--'), ['f 0644 0:0 "/second"', 'f 0644 0:0 "/third"']);
    assert.deepEqual(await added('scratch--'), ['f 0644 0:0 "/hello"']);
    const [line] = await listArchive(join(folder, 'one/user-c-1.package.tar'));
    // hello, made, yes
    assert.equal(line, 'f 0644 0:0 "/user" 13cf8b3efa3fd65e');

    const again = await build('one');
    assert.match(again.stderr, /tool: unchanged/);
    assert.match(again.stderr, /c\/user-1: unchanged/);

    put('tree/tool/Dockerfile', 'FROM conformance/base:1\nRUN echo about to fail; exit 3\n');
    const failing = await build('two');
    assert.equal(failing.code, 1);
    assert.match(failing.stderr, /about to fail/);
    assert.match(failing.stderr, /c\/user-1: not built, because it needs tool, which failed/);
  } finally {
    const made = await testEngine();
    for (const tag of (await made.list('luet-ts-test/dockerfiles')).keys())
      await made.remove(`luet-ts-test/dockerfiles:${tag}`);
    await made.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
