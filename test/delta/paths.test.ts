import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { LinkError, partsOf, resolvePath } from '../../src/delta/paths.ts';
import type { FileEntry, Reader } from '../../src/engine/index.ts';

const name = fc.constantFrom('a', 'b', 'c');
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const target = fc
  .tuple(fc.constantFrom('', '/', '../', '../../', './', 'b/../'), path)
  .map((both) => both.join(''));

/** Reads a folder of this machine as an image's root. */
const reader = (root: string): Pick<Reader, 'stat'> => ({
  stat: async (paths) =>
    paths.flatMap((one): FileEntry[] => {
      // As layers do, follows nothing on the way.
      for (let at = one.indexOf('/'); at > 0; at = one.indexOf('/', at + 1))
        if (!lstatSync(join(root, one.slice(0, at)), { throwIfNoEntry: false })?.isDirectory()) return [];
      const stat = lstatSync(join(root, one), { throwIfNoEntry: false });
      if (stat === undefined) return [];
      const type = stat.isSymbolicLink() ? 'symlink' : stat.isDirectory() ? 'directory' : 'file';
      const rest = { mode: 0, uid: 0, gid: 0, size: 0, mtime: 0 };
      const link = type === 'symlink' ? readlinkSync(join(root, one)).replace(root, '') : '';
      return [{ path: one, type, ...rest, ...(type === 'symlink' ? { link } : {}) }];
    }),
});

test('paths have no way out of a root', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', '..', '.', ''), { maxLength: 12 }), (parts) => {
      const cleaned = partsOf(parts.join('/'));
      assert.ok(cleaned.every((part) => part === 'a' || part === 'b'));
    }),
  );
  assert.deepEqual(partsOf('../../etc//./x/'), ['etc', 'x']);
  assert.deepEqual(partsOf('../x', '/luetbuild'), ['x']);
  assert.deepEqual(partsOf('x', '/luetbuild'), ['luetbuild', 'x']);
});

test('links are followed as the kernel follows them, with the image for a root', async () => {
  let compared = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(path, fc.oneof(fc.constant(undefined), target)), { maxLength: 8 }),
      fc.array(path, { minLength: 1, maxLength: 6 }),
      async (entries, asked) => {
        const root = realpathSync(mkdtempSync(join(tmpdir(), 'luet-ts-paths-')));
        try {
          for (const [at, to] of entries) {
            try {
              mkdirSync(dirname(join(root, at)), { recursive: true });
              if (to === undefined) writeFileSync(join(root, at), '');
              // On disk an absolute link has to begin with the root.
              else symlinkSync(to.startsWith('/') ? root + to : to, join(root, at));
            } catch {
              // Something else is there.
            }
          }
          for (const one of asked) {
            let expected: string;
            try {
              expected = realpathSync.native(join(root, one));
            } catch {
              continue;
            }
            if (!expected.startsWith(`${root}/`)) continue;
            compared++;
            assert.equal(await resolvePath(reader(root), one), expected.slice(root.length + 1));
          }
        } finally {
          rmSync(root, { recursive: true });
        }
      },
    ),
    { numRuns: 150 },
  );
  assert.ok(compared > 20, String(compared));
});

test('a circle of links is an error, and what is not there is taken as it is called', async () => {
  const root = mkdtempSync(join(tmpdir(), 'luet-ts-paths-'));
  try {
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    symlinkSync('../../../..', join(root, 'up'));
    await assert.rejects(resolvePath(reader(root), 'a/x'), LinkError);
    assert.equal(await resolvePath(reader(root), 'no/such/path'), 'no/such/path');
    assert.equal(await resolvePath(reader(root), 'up/etc'), 'etc');
    assert.equal(await resolvePath(reader(root), ''), '');
  } finally {
    rmSync(root, { recursive: true });
  }
});
