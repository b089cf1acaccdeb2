import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { askedWays } from '../../../src/engine/native/find/probe.ts';
import { attributeNames } from '../../../src/tar/index.ts';
import { cli } from '../../support/cli.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import { makeSite } from '../../support/site.ts';
import { programOf, without } from '../../support/tool.ts';
import { freshStore, notHere } from '../native/support.ts';

/* Archives that are made into images, by people who mean harm: what is on the disk and on the terminal afterwards. */

/** What a terminal acts on, and what turns the direction of text. */
const CONTROL = `\x1b]0;title\x07\x1b[31mred\u202e`;
const acts = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-import-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every file in a folder, by its path. */
function filesIn(folder: string, at = ''): string[] {
  return readdirSync(join(folder, at), { withFileTypes: true }).flatMap((entry) => {
    const path = join(at, entry.name);
    return entry.isDirectory() ? [path, ...filesIn(folder, path)] : [path];
  });
}

const latin = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

test('no archive writes outside of its image, brings an attribute of overlays, or writes to the terminal', {
  skip: notHere,
}, async (t) => {
  const folder = folderFor(t);
  const outside = join(folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), 'its own');
  const file = (path: string, more: Partial<RawEntry> = {}): RawEntry => ({
    name: path,
    flag: '0',
    content: 'x',
    ...more,
  });
  const link = (path: string, target: string): RawEntry => ({ name: path, flag: '2', link: target });
  const hard = (path: string, target: string): RawEntry => ({ name: path, flag: '1', link: target });
  const overlay = Object.fromEntries(
    ['trusted', 'user'].flatMap((space) =>
      ['redirect', 'opaque', 'metacopy'].map((name) => [`SCHILY.xattr.${space}.overlay.${name}`, '/etc']),
    ),
  );
  const archives: readonly (readonly RawEntry[])[] = [
    [file('../../outside/new'), file(`${outside}/new`)],
    [link('a', outside), file('a/new'), link('b', `../../../../../../../..${outside}`), file('b/new')],
    [hard('c', `${outside}/file`)],
    [link('d', outside), hard('e', 'd/file'), file('e')],
    [file('f', { pax: overlay }), { name: 'g', flag: '5', pax: overlay }],
    [file(latin(`${CONTROL}/h`)), link(latin(`i${CONTROL}`), latin(CONTROL))],
    [hard(latin(CONTROL), latin(`${CONTROL}/none`))],
    [file(latin(`${CONTROL}/.wh..`))],
    [file(`${'j'.repeat(300)}`)],
    [file(latin('ü/.wh..'))],
  ];
  for (const [i, entries] of archives.entries()) {
    const archive = join(folder, `${i}.tar`);
    writeFileSync(archive, rawTar(entries));
    const store = join(folder, `store${i}`);
    const words = ['image', 'import', '--engine', `native:${store}`, archive, 'a/b:1'];
    const { code, stdout, stderr } = await cli(words);
    assert.ok(code === 0 || /^error\[image-failed\]/.test(stderr), stderr);
    assert.doesNotMatch(stdout + stderr, acts, `archive ${i}`);
    // Names are shown as people write them.
    if (i === archives.length - 1) assert.match(stderr, /"ü\/\.wh\.\."/);
    for (const layer of code === 0 ? readdirSync(join(store, 'layers')) : []) {
      const root = join(store, 'layers', layer, 'files');
      for (const path of filesIn(root))
        for (const isFolder of [true, false])
          assert.deepEqual(attributeNames({ path: latin(join(root, path)), isFolder }), [], path);
    }
    assert.deepEqual(readdirSync(outside), ['file'], `archive ${i}`);
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'its own', `archive ${i}`);
  }
});

test('devices that an image has cannot be opened', { skip: notHere, timeout: 120_000 }, async (t) => {
  const [disk = '8:0'] = readdirSync('/sys/dev/block');
  const [major = 8, minor = 0] = disk.split(':').map(Number);
  const folder = folderFor(t);
  const store = await freshStore(t);
  const base = await cli(
    ['image', 'export', '--engine', `native:${store}`, 'conformance/base:1', 'base.tar'],
    {
      cwd: folder,
    },
  );
  assert.equal(base.code, 0, base.stderr);
  writeFileSync(
    join(folder, 'devices.tar'),
    rawTar([
      { name: 'disk', flag: '4', major, minor, mode: 0o666 },
      { name: 'memory', flag: '3', major: 1, minor: 1, mode: 0o666 },
    ]),
  );
  const made = await cli(
    ['image', 'import', '--engine', `native:${store}`, 'base.tar', 'devices.tar', 'local/devices:1'],
    { cwd: folder },
  );
  assert.equal(made.code, 0, made.stderr);
  const steps = [
    'for d in disk memory; do test -e /$d && echo has; head -c 1 /$d >/byte && echo opened; done; :',
  ];
  const site = makeSite(t, { one: { build: { image: 'local/devices:1', steps } } });
  for (const way of askedWays) {
    if (without(programOf(way)) !== false) continue;
    const run = site.spawn(['--all', '--debug', '--rebuild', 't/one', '--engine', `native+${way}:${store}`]);
    assert.equal(await run.ended, 0, run.output());
    assert.equal(run.output().match(/\| has$/gm)?.length, 2, `${way}\n${run.output()}`);
    const isSaid = /^note: steps are not isolated here: .*they can open devices/m.test(run.output());
    // By chroot alone it takes the container's list of devices; where there is none, that is said.
    assert.equal(/\| opened$/m.test(run.output()), way === 'bare' && isSaid, `${way}\n${run.output()}`);
  }
});
