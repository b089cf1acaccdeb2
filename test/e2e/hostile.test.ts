import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import type { CliAnswer } from '../support/cli.ts';
import { BASE } from '../support/engine.ts';
import { makeSite, onBase, unpacked, writeTree } from '../support/site.ts';

const sequence = '\x1b]0;owned\x07\x1b[31m\x9b2J';
/** What a terminal must never be sent. */
const harmful = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

describe('trees that mean harm', () => {
  const secret = 'not for the package';
  const site = makeSite(
    { after },
    {
      links: {
        build: onBase(
          'cd /luetbuild; for l in out up abs; do readlink $l; cat $l/secret 2>&1 || true; done >/links; mkdir /own; cp -P out up abs /own/',
        ),
      },
      bytes: { build: onBase('cp -a /luetbuild /bytes') },
      noisy: {
        definition: { description: `d${sequence}d`, license: sequence, uri: [`https://x/${sequence}`] },
        build: onBase(
          `printf '${sequence.replaceAll('\x1b', '\\033').replaceAll('\x07', '\\007').replaceAll('\x9b', '\\302\\233')} raw \\377\\376\\n'`,
          `: "${sequence}"; mkdir "$(printf '/e\\033[31m')"; echo >"$(printf '/e\\033[31m/f\\007')"; touch "$(printf '/etc/new\\033')" "$(printf '/luetbuild/\\033')"`,
        ),
      },
      failing: { build: onBase(`printf 'bad \\033[2J\\n'; false "${sequence}"`) },
      above: {
        build: {
          ...onBase('echo x >/x'),
          copy: [{ image: BASE, source: '../../../../etc/issue', destination: '../../../../../../c' }],
          unpack: true,
          includes: ['^/c$', '^/x$'],
        },
      },
      references: { build: { image: '../../containers/json?all=1#x', steps: ['true'] } },
      'references-2': { build: { image: 'x/../../../info', steps: ['true'] } },
      'references-3': { build: { image: '-v', steps: ['true'] } },
      'references-4': {
        build: {
          image: BASE,
          copy: [{ image: 'a b\x1b[31m', source: '/x', destination: '/' }],
          steps: ['true'],
        },
      },
      nul: { build: `image: ${BASE}\nsteps:\n- "echo a\\0b"\n` },
    },
  );
  let answer: CliAnswer;
  before(async () => {
    writeFileSync(join(site.folder, 'secret'), secret);
    for (const [name, to] of [
      ['out', site.folder],
      ['up', '../..'],
      ['abs', '/etc'],
    ] as const)
      symlinkSync(to, join(site.tree, 'links', name));
    mkdirSync(join(site.tree, 'bytes/d'));
    execFileSync('sh', [
      '-c',
      `cd "$0" && printf x > "$(printf 'd/\\377\\376')" && ln -s "$(printf '\\200')" "$(printf 'l\\001')" && printf y > "$(printf 'new\\nline')"`,
      join(site.tree, 'bytes'),
    ]);
    answer = await site.build(['--all', '--keep-going']);
  });

  test('links of a context lead nowhere but in the container', async () => {
    const links = await unpacked(site.out, 'links');
    assert.ok(!links.get('links')?.text.includes(secret), links.get('links')?.text);
    assert.deepEqual(
      ['out', 'up', 'abs'].map((name) => links.get(`own/${name}`)?.entry.link),
      [site.folder, '../..', '/etc'],
    );
  });
  test('names that are not UTF-8 arrive as they are', async () => {
    const bytes = await unpacked(site.out, 'bytes');
    assert.deepEqual(
      [...bytes.keys()],
      ['bytes', 'bytes/d', 'bytes/d/\xff\xfe', 'bytes/l\x01', 'bytes/new\nline'],
    );
    assert.equal(bytes.get('bytes/l\x01')?.entry.link, '\x80');
  });
  test('nothing that steers a terminal reaches it', () => {
    assert.match(answer.stderr, /t\/noisy-1 \| .*raw/);
    assert.match(answer.stderr, /t\/failing-1/);
    const found = harmful.exec(answer.stderr + answer.stdout);
    assert.equal(
      found,
      null,
      JSON.stringify(answer.stderr.slice((found?.index ?? 0) - 100, (found?.index ?? 0) + 50)),
    );
  });
  test('copy leads out of no image', async () => {
    const above = await unpacked(site.out, 'above');
    assert.equal(above.get('c')?.text, 'conformance base 1\n');
  });
  test('image references are references, and not requests', () => {
    const failed = [...answer.stderr.matchAll(/^failed: t\/(\S+)-1 at/gm)].map(([, name]) => name).sort();
    assert.deepEqual(failed, ['failing', 'nul'], answer.stderr);
    const refused = answer.stderr.matchAll(
      /^tree\/([\w-]+)\/build\.yaml:\d+:\d+: error\[(?:invalid-image|outside-tree|no-such-image)\]/gm,
    );
    assert.deepEqual([...refused].map(([, name]) => name).sort(), [
      'references',
      'references-2',
      'references-3',
      'references-4',
    ]);
  });
  test('nothing was written elsewhere', () => {
    assert.deepEqual(readdirSync(site.folder).sort(), ['out', 'secret', 'tmp', 'tree']);
  });
});

test('names that lead out of the destination are refused', async (t) => {
  const site = makeSite(t);
  const names = ['../up', 'a/b', '..', '.hidden', 'a\\b', 'a\nb', 'a\x1bb', '/abs'];
  writeTree(
    site.tree,
    Object.fromEntries(names.map((name, at) => [`p${at}`, { definition: { name }, build: {} }])),
  );
  const answer = await site.build(['--all']);
  assert.equal(answer.code, 1);
  assert.equal(answer.stderr.match(/error\[invalid-name\]/g)?.length, names.length, answer.stderr);
  assert.ok(!existsSync(site.out));
  for (const version of ['../1', '1/2']) {
    rmSync(site.tree, { recursive: true });
    writeTree(site.tree, { a: { definition: { version }, build: {} } });
    assert.equal((await site.build(['--all'])).code, 1, version);
    assert.ok(!existsSync(site.out), version);
  }
});

test('subpackages have names that are checked as well', async (t) => {
  const site = makeSite(t, {
    a: { build: { ...onBase('true'), subpackages: [{ name: '../b', category: 't', version: '1' }] } },
  });
  const answer = await site.build(['--all']);
  assert.match(answer.stderr, /error\[invalid-name\]/);
  assert.equal(answer.code, 1);
});

test('a context with what is no file, folder or link is refused', async (t) => {
  const site = makeSite(t, { a: { build: onBase('true') } });
  execFileSync('mkfifo', [join(site.tree, 'a/pipe')]);
  const answer = await site.build(['--all']);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /error\[unreadable-context\].*pipe is not a file, folder or symbolic link/);
});
