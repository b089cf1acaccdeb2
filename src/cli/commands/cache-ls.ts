import { type FlagsOf, LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument } from '../flags/arguments.ts';
import { plainHttpFlag } from '../flags/images.ts';
import { textOrJsonFlag } from '../flags/packages.ts';

/** `cache ls`. */
export default class CacheLs extends LuetCommand<typeof CacheLs> {
  static override description = 'Lists the package images in a repository of a registry';
  static override args = { repository: argument('such as registry.example.org/team/cache') };
  static override flags = { 'plain-http': plainHttpFlag, output: textOrJsonFlag };
  static override examples = [
    { command: 'luet-ts cache ls registry.example.org/team/cache', description: 'what machines share there' },
  ];

  override run(): Promise<void> {
    return list(this.args.repository, this.flags, this.context);
  }
}

async function list(
  repository: string,
  flags: FlagsOf<typeof CacheLs.flags>,
  context: CliContext,
): Promise<void> {
  const { openCache, printImages } = await import('../cache-work.ts');
  const { images } = await openCache(repository, flags, context);
  const count = `${images.length} image${images.length === 1 ? '' : 's'} in ${repository}`;
  await printImages(images, flags, context, count);
}
