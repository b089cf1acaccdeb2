import type { StoredImage } from '../cache/index.ts';
import type { Registry } from '../image/index.ts';
import { openRegistry } from '../library/index.ts';
import type { CliContext } from './context.ts';
import { table } from './store.ts';
import { size } from './units.ts';

/** What commands on a shared cache are given. */
export interface CacheFlags {
  readonly plainHttp?: readonly string[];
  readonly output: 'terminal' | 'json';
  readonly dryRun?: boolean;
}

/** Characters of a key that are shown to people. */
const SHORT = 12;

/** The package images of a repository, and its registry. */
export async function openCache(
  repository: string,
  { plainHttp }: CacheFlags,
  context: CliContext,
): Promise<{ readonly registry: Registry; readonly images: readonly StoredImage[] }> {
  const [registry, { storedImages }] = await Promise.all([
    openRegistry(context, plainHttp),
    import('../cache/index.ts'),
  ]);
  return { registry, images: await storedImages(registry, repository, context.signal) };
}

/** Prints package images: one line each, or as data. */
export async function printImages(
  images: readonly StoredImage[],
  { output }: CacheFlags,
  { stdout }: CliContext,
  summary: string,
): Promise<void> {
  if (output === 'json') {
    const rows = images.map(({ inputs: _, created, ...one }) => ({ ...one, created: timeOf(created) }));
    stdout.write(`${JSON.stringify({ images: rows })}\n`);
    return;
  }
  const { escapeTerminal } = await import('../diagnostic/index.ts');
  const rows = images.map((one) => [
    timeOf(one.created).slice(0, 16).replace('T', ' '),
    size(one.size),
    one.package,
    one.key.slice(0, SHORT),
  ]);
  const lines = rows.length === 0 ? [] : table([['created', 'size', 'package', 'key'], ...rows], [1]);
  stdout.write(`${[...lines, summary].map(escapeTerminal).join('\n')}\n`);
}

const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString();

/** Deletes package images, or only says which. Rejects with a DiagnosticError where the registry does not allow that. */
export async function remove(
  repository: string,
  images: readonly StoredImage[],
  registry: Registry,
  flags: CacheFlags,
  context: CliContext,
): Promise<void> {
  const { deleteImages, isDeleteRefused } = await import('../cache/index.ts');
  if (!flags.dryRun)
    try {
      await deleteImages(registry, repository, images, context.signal);
    } catch (error) {
      if (!isDeleteRefused(error)) throw error;
      const { DiagnosticError } = await import('../diagnostic/index.ts');
      throw new DiagnosticError([
        {
          code: 'delete-refused',
          severity: 'error',
          message: `the registry of ${repository} does not allow to delete images`,
          hint: 'Allow it there (for the registry of Docker: storage.delete.enabled), or delete them with its own tools',
        },
      ]);
    }
  const verb = flags.dryRun ? 'would be deleted' : 'deleted';
  const count = `${images.length} image${images.length === 1 ? '' : 's'} ${verb}`;
  const space =
    images.length > 0 && !flags.dryRun ? '; their space is free when the registry collects its garbage' : '';
  await printImages(images, flags, context, `${count}${space}`);
}
