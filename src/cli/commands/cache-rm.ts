import { type FlagsOf, LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument, oneOrMore } from '../flags/arguments.ts';
import { toggle } from '../flags/define.ts';
import { plainHttpFlag } from '../flags/images.ts';
import { textOrJsonFlag } from '../flags/packages.ts';

/** `cache rm`. */
export default class CacheRm extends LuetCommand<typeof CacheRm> {
  static override description =
    'Deletes package images from a repository of a registry, by their packages or keys';
  static override args = {
    repository: argument('such as registry.example.org/team/cache'),
    image: oneOrMore('category/name, category/name-version, or the beginning of a key (8 digits or more)'),
  };
  static override flags = {
    'dry-run': toggle({ summary: 'only print what would be deleted' }),
    'plain-http': plainHttpFlag,
    output: textOrJsonFlag,
  };
  static override examples = [
    {
      command: 'luet-ts cache rm registry.example.org/team/cache libs/zlib',
      description: 'all images of a package',
    },
  ];

  override run(): Promise<void> {
    return rm(this.args.repository, this.args.image, this.flags, this.context);
  }
}

async function rm(
  repository: string,
  words: readonly string[],
  flags: FlagsOf<typeof CacheRm.flags>,
  context: CliContext,
): Promise<void> {
  const [{ openCache, remove }, { DiagnosticError }] = await Promise.all([
    import('../cache-work.ts'),
    import('../../diagnostic/index.ts'),
  ]);
  const { registry, images } = await openCache(repository, flags, context);
  const isMeant = (word: string, { key, package: pack, inputs }: (typeof images)[number]): boolean =>
    (/^[0-9a-f]{8,64}$/.test(word) && key.startsWith(word)) ||
    pack === word ||
    (inputs !== undefined && `${inputs.category}/${inputs.name}` === word);
  const missing = words.filter((word) => !images.some((image) => isMeant(word, image)));
  if (missing.length > 0)
    throw new DiagnosticError(
      missing.map((word) => ({
        code: 'no-such-image',
        severity: 'error',
        message: `no package image in ${repository} is named ${JSON.stringify(word)}`,
        hint: `'luet-ts cache ls ${repository}' lists them`,
      })),
    );
  const meant = images.filter((image) => words.some((word) => isMeant(word, image)));
  await remove(repository, meant, registry, flags, context);
}
