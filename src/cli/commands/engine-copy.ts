import type { Engine } from '../../engine/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { anyNumber, argument } from '../flags/arguments.ts';
import { commaList } from '../flags/define.ts';
import { destinationFlag, imageRepositoryFlag } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import type { PackagePlan } from '../package-images.ts';
import type { Transfers } from '../progress/transfers.ts';
import type { TreeFlags } from '../trees.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends TreeFlags {
  readonly imageRepository: string;
  readonly image?: readonly string[];
  readonly destination: string;
}

/**
 * Images that go in one archive: they share layers, and what is fetched lies on the disk until it is sent.
 */
const BATCH = 64;

/** `engine copy`. */
export default class EngineCopy extends LuetCommand<typeof EngineCopy> {
  static override description = [
    'Copies package images from one engine to another, so that they do not have to be built again there',
    'Copies every package image that TO does not hold, or those of the packages given with all that they need.',
  ].join('\n');
  static override args = {
    from: argument('engine to copy from: auto, native, docker, podman or an address'),
    to: argument('engine to copy to'),
    package: anyNumber('copy only the images of these packages and of what they need'),
  };
  static override flags = {
    ...treeFlags,
    'image-repository': imageRepositoryFlag(),
    image: commaList({ value: '<reference>', summary: 'copy this image instead (repeatable)' }),
    destination: destinationFlag,
  };
  static override examples = [
    {
      command: 'luet-ts engine copy docker podman',
      description: 'all package images that podman does not hold',
    },
    {
      command: 'luet-ts engine copy docker ssh://me@builder utils/hello -t tree',
      description: 'those of one package',
    },
    { command: 'luet-ts engine copy docker podman --image debian:12', description: 'another image' },
  ];

  override check(): void {
    const { tree, image } = this.flags;
    const { package: packages = [] } = this.args;
    if (image !== undefined && (packages.length > 0 || tree !== undefined))
      throw new UsageError('name images or packages, not both');
    const noTree =
      packages.length === 0 && tree === undefined
        ? 'no tree is read, because neither packages nor --tree are given'
        : undefined;
    this.refuseUnused({
      values: noTree,
      dockerfiles: noTree,
      destination: noTree,
      'image-repository': image === undefined ? undefined : '--image names the images',
    });
  }

  override run(): Promise<void> {
    const { from, to, package: packages = [] } = this.args;
    return copy(from, to, packages, this.flags, this.context);
  }
}

async function copy(
  from: string,
  to: string,
  packages: readonly string[],
  flags: Flags,
  context: CliContext,
): Promise<void> {
  const [{ inWorkplace, withEngine }, { createTransfers }] = await Promise.all([
    import('../with-engine.ts'),
    import('../progress/transfers.ts'),
  ]);
  // Before anything is opened: Ctrl-C then ends it at once.
  const planned =
    flags.image === undefined && (packages.length > 0 || flags.tree !== undefined)
      ? await (await import('../package-images.ts')).planPackages(packages, flags, context)
      : undefined;
  await inWorkplace(context, (workplace) =>
    withEngine({ engine: from }, context, workplace, (source) =>
      withEngine({ engine: to }, context, workplace, async (target) => {
        const transfers = createTransfers(context, () => performance.now());
        try {
          const names = await wanted(source, planned, flags, context);
          await copyAll(source, target, names, flags, transfers, context);
        } finally {
          transfers.end();
        }
      }),
    ),
  );
}

/** The references to copy, whether TO has them or not. */
async function wanted(
  source: Engine,
  planned: PackagePlan | undefined,
  flags: Flags,
  context: CliContext,
): Promise<readonly string[]> {
  if (flags.image !== undefined) return flags.image;
  const { imageRepository } = flags;
  if (planned !== undefined) {
    const { imagesOfPackages } = await import('../package-images.ts');
    return await imagesOfPackages(source, planned, flags, context);
  }
  // Other names are those of runs that go on.
  const tags = [...(await source.list(imageRepository)).keys()].filter((tag) => /^[0-9a-f]{64}$/.test(tag));
  return tags.sort().map((tag) => `${imageRepository}:${tag}`);
}

async function copyAll(
  source: Engine,
  target: Engine,
  names: readonly string[],
  { imageRepository }: Flags,
  transfers: Transfers,
  context: CliContext,
): Promise<void> {
  const { signal, display, stderr } = context;
  const there = await target.list(imageRepository);
  const isThere = async (name: string): Promise<boolean> =>
    name.startsWith(`${imageRepository}:`)
      ? there.has(name.slice(imageRepository.length + 1))
      : isSame(await source.resolve(name, { pull: false }), await target.resolve(name, { pull: false }));
  const missing: string[] = [];
  for (const name of names) if (!(await isThere(name))) missing.push(name);
  const absent: string[] = [];
  for (let at = 0; at < missing.length; at += BATCH) {
    const batch = missing.slice(at, at + BATCH);
    signal.throwIfAborted();
    absent.push(...(await copyBatch(source, target, batch, transfers, signal)));
  }
  if (absent.length > 0) {
    const { DiagnosticError } = await import('../../diagnostic/index.ts');
    throw new DiagnosticError(
      absent.map((name) => ({
        code: 'no-such-image',
        severity: 'error',
        message: `image ${name} not found in the engine to copy from`,
      })),
    );
  }
  const had = names.length - missing.length;
  transfers.end();
  if (!display.quiet && display.logFormat !== 'json')
    stderr.write(`${missing.length} copied${had > 0 ? `, ${had} there already` : ''}\n`);
}

const isSame = (
  a: { readonly layers: readonly string[] } | undefined,
  b: { readonly layers: readonly string[] } | undefined,
): boolean => a !== undefined && b !== undefined && a.layers.join() === b.layers.join();

/** Copies images in one go; answers the names that the source holds no image of. */
async function copyBatch(
  source: Engine,
  target: Engine,
  names: readonly string[],
  transfers: Transfers,
  signal: AbortSignal,
): Promise<string[]> {
  const what = names.length === 1 ? (names[0] ?? '') : `${names.length} images`;
  const reading = transfers.begin(what, 'reading');
  let opened: Awaited<ReturnType<Engine['read']>>;
  try {
    opened = await source.read(names, { signal, onBytes: reading.onBytes });
  } finally {
    reading.fail();
  }
  const writing = transfers.begin(what, 'writing');
  try {
    const given = await Promise.all(names.map(async (name) => ({ name, image: await opened.image(name) })));
    const found = given.flatMap(({ name, image }) => (image === undefined ? [] : [{ name, image }]));
    await target.write(found, { signal, onBytes: writing.onBytes });
    if (found.length > 0) writing.done('copied');
    return given.filter(({ image }) => image === undefined).map(({ name }) => name);
  } finally {
    writing.fail();
    await opened.close();
  }
}
