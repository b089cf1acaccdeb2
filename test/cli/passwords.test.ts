import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { withoutPasswords } from '../../src/diagnostic/index.ts';
import { cli } from '../support/cli.ts';
import { writeTree } from '../support/site.ts';

test('passwords in addresses of engines and images are never printed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-passwords-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tree = (name: string, image: string): string => {
    writeTree(join(folder, name), { a: { build: { image, steps: ['true'] } } });
    return join(folder, name);
  };
  const build = ['build', '--all', '--destination', join(folder, 'out'), '--tree'];
  const plain = tree('plain', 'base:1');
  const lines: readonly (readonly [words: readonly string[], env?: Record<string, string>])[] = [
    ...[
      'http://u:hunter2@127.0.0.1:1',
      'tcp://u:hunter2@127.0.0.1:1',
      'ssh://u:hunter2@h',
      'https://hunter2@h',
    ].map((address) => [[...build, plain, '--engine', address]] as const),
    ...['u:hunter2@127.0.0.1:1', 'ftp://u:hunter2@h', 'unix://u:hunter2@h', 'http://u:hun/hunter2@h'].map(
      (address) => [['engine', '--engine', address]] as const,
    ),
    [['engine', '--engine', 'docker'], { DOCKER_HOST: 'tcp://u:hunter2@127.0.0.1:1' }],
    [['engine', '--engine', 'podman'], { CONTAINER_HOST: 'tcp://u:hunter2@127.0.0.1:1' }],
    ...[
      'https://u:hunter2@h/x:1',
      'u:hunter2@h/x:1',
      'docker://u:hunter2@h/x',
      'oci:p:u:hunter2@h/x!',
    ].flatMap((image) => [
      [['image', 'inspect', image]] as const,
      [[...build, tree(`t${image.length}`, image)]] as const,
      [['tree', 'validate', '--tree', tree(`v${image.length}`, image)]] as const,
    ]),
  ];
  for (const [i, [words, env = {}]] of lines.entries()) {
    const format = i % 3 === 0 ? 'json' : 'plain';
    const { code, stdout, stderr } = await cli([...words, '--log-format', format], { env, cwd: folder });
    assert.notEqual(code, 0, words.join(' '));
    assert.ok(!`${stdout}${stderr}`.includes('hunter2'), `${words.join(' ')}\n${stdout}${stderr}`);
  }
});

test('what is no password stays as it is', () => {
  for (const text of [
    'ssh://git@host/x',
    'git@github.com:foo/bar',
    'debian:12@sha256:0123/x',
    'mail: a@b.c',
    'https://host:8080/a@b',
    'time 12:30 @ noon',
  ])
    assert.equal(withoutPasswords(text), text);
  assert.equal(withoutPasswords('a https://u:p@h b http://token@h'), 'a https://u:*@h b http://*****@h');
  assert.equal(withoutPasswords('image: u:secret@h:5000/x'), 'image: u:******@h:5000/x');
});

test('a text made to be looked at again and again is looked at once', () => {
  // With time that grows by the square of the length, these would take hours.
  const long = ',a:'.repeat(400_000);
  assert.equal(withoutPasswords(long), long);
  assert.match(withoutPasswords(`http://${'a'.repeat(400_000)}:@x`), /a:@x$/);
  assert.match(withoutPasswords(`${long}pass@host/x`), /^,a:\*+@host\/x$/);
});
