import fc from 'fast-check';
import type { Entry } from '../../src/tar/index.ts';

/** An entry with its content. */
export interface Item {
  readonly entry: Entry;
  readonly content: Buffer;
}

/** Any byte but NUL and `/`, as one unit each; names that look like `.` and `..` do not occur. */
const part = (maxLength: number) =>
  fc
    .uint8Array({ minLength: 1, maxLength })
    .map((bytes) => Buffer.from(bytes.map((b) => (b === 0 || b === 0x2f ? 0x61 : b))).toString('latin1'))
    .filter((name) => name !== '.' && name !== '..');

/** Paths of any bytes, short and long ones. */
export const path = fc
  .oneof(
    { weight: 4, arbitrary: fc.array(part(6), { minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: fc.array(part(200), { minLength: 1, maxLength: 4 }) },
    {
      weight: 1,
      arbitrary: fc.array(fc.constantFrom('ä', 'usr', 'x'.repeat(99), 'y'.repeat(100), 'z'.repeat(154)), {
        minLength: 1,
        maxLength: 3,
      }),
    },
  )
  .map((parts) => parts.join('/'));

const id = fc.oneof(fc.nat(1000), fc.constantFrom(0o7777777, 0o10000000, 2 ** 31, 2 ** 32 - 2));
const xattrs = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom('security.capability', 'user.a=b', 'user.%3D', 'trusted.x'),
        part(20).map((n) => `user.${n}`),
      ),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((pairs) => new Map(pairs));

const common = {
  path,
  mode: fc.nat(0o7777),
  uid: id,
  gid: id,
  mtime: fc.oneof(fc.nat(2 ** 31), fc.constantFrom(0, -1, -86400, 0o77777777777, 0o100000000000)),
};
const device = fc.record({ major: fc.nat(4095), minor: fc.nat(1048575) }, { noNullPrototype: true });
const target = fc.oneof(
  path,
  path.map((p) => `../${p}`),
  path.map((p) => `/${p}`),
);

const withXattrs = (item: Item, attributes: ReadonlyMap<string, Buffer> | undefined): Item =>
  attributes === undefined ? item : { ...item, entry: { ...item.entry, xattrs: attributes } };

/** Entries of every kind with their content. */
export const item: fc.Arbitrary<Item> = fc
  .tuple(
    fc.oneof(
      fc
        .tuple(
          fc.record(common),
          fc.oneof(
            fc.uint8Array({ maxLength: 40 }),
            fc.constantFrom(new Uint8Array(512), new Uint8Array(1300).fill(7)),
          ),
        )
        .map(
          ([e, bytes]): Item => ({
            entry: { ...e, type: 'file', size: bytes.length },
            content: Buffer.from(bytes),
          }),
        ),
      fc
        .tuple(fc.record(common), fc.constantFrom('directory' as const, 'fifo' as const))
        .map(([e, type]): Item => ({ entry: { ...e, type, size: 0 }, content: Buffer.alloc(0) })),
      fc.tuple(fc.record(common), target).map(
        ([e, link]): Item => ({
          entry: { ...e, type: 'symlink', size: 0, link },
          content: Buffer.alloc(0),
        }),
      ),
      fc.tuple(fc.record(common), path).map(
        ([e, link]): Item => ({
          entry: { ...e, type: 'hardlink', size: 0, link },
          content: Buffer.alloc(0),
        }),
      ),
      fc
        .tuple(fc.record(common), device, fc.constantFrom('character' as const, 'block' as const))
        .map(
          ([e, d, type]): Item => ({ entry: { ...e, type, size: 0, device: d }, content: Buffer.alloc(0) }),
        ),
    ),
    fc.option(xattrs, { nil: undefined }),
  )
  .map(([one, attributes]) => withXattrs(one, attributes));
