import type { Diagnostic } from '../../diagnostic/index.ts';
import { type FlagsOf, LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { epoch } from '../epoch.ts';
import { argument } from '../flags/arguments.ts';
import { toggle, withValue } from '../flags/define.ts';
import { backendFlag, engineFlags } from '../flags/engine.ts';
import { plainHttpFlag } from '../flags/images.ts';
import { destinationFlag, textOrJsonFlag } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { age } from '../flags/values.ts';
import { UsageError } from '../usage-error.ts';

type Flags = FlagsOf<typeof CachePrune.flags>;

/** `cache prune`. */
export default class CachePrune extends LuetCommand<typeof CachePrune> {
  static override description = [
    'Deletes package images from a repository of a registry that are old, or that a tree does not need',
    'With both limits, an image has to be old and not needed. A tree is planned as a whole: an image that a build of any of its packages would use stays.',
  ].join('\n');
  static override args = { repository: argument('such as registry.example.org/team/cache') };
  static override flags = {
    ...treeFlags,
    'older-than': withValue({
      value: '<age>',
      summary: 'delete images that were made longer ago than this, such as 30d',
      description: 'Ages are such as 90m, 12h, 30d or 4w.',
      read: age,
    }),
    'dry-run': toggle({ summary: 'only print what would be deleted' }),
    destination: destinationFlag,
    'plain-http': plainHttpFlag,
    output: textOrJsonFlag,
    ...engineFlags,
    backend: backendFlag,
  };
  static override examples = [
    {
      command: 'luet-ts cache prune registry.example.org/team/cache --older-than 30d',
      description: 'what was made more than 30 days ago',
    },
    {
      command: 'luet-ts cache prune registry.example.org/team/cache --tree tree --dry-run',
      description: 'what the tree does not need any more',
    },
  ];

  override check(): void {
    const { tree, olderThan } = this.flags;
    if (tree === undefined && olderThan === undefined)
      throw new UsageError('name a --tree whose images stay, or an age with --older-than, or both');
  }

  override run(): Promise<void> {
    return prune(this.args.repository, this.flags, this.context);
  }
}

async function prune(repository: string, flags: Flags, context: CliContext): Promise<void> {
  const { openCache, remove } = await import('../cache-work.ts');
  const needed = flags.tree === undefined ? new Set<string>() : await neededBy(flags, context);
  const { registry, images } = await openCache(repository, flags, context);
  const { olderThan } = flags;
  const before = olderThan === undefined ? Infinity : (context.now().getTime() - olderThan) / 1000;
  const meant = images.filter(({ key, created }) => !needed.has(key) && created < before);
  await remove(repository, meant, registry, flags, context);
}

/** The keys of all images that a build of a tree uses. Throws a DiagnosticError where not all of them are known. */
async function neededBy(flags: Flags, context: CliContext): Promise<ReadonlySet<string>> {
  const [
    { resolve },
    { planOf },
    { resolveForBuild },
    { ownFolders },
    { inWorkplace, withEngine },
    { DiagnosticError },
  ] = await Promise.all([
    import('node:path'),
    import('../build-plan.ts'),
    import('../../execute/index.ts'),
    import('../engine.ts'),
    import('../with-engine.ts'),
    import('../../diagnostic/index.ts'),
  ]);
  const { tree, plan } = await planOf([], { ...flags, all: true }, context);
  return await inWorkplace(context, (workplace) =>
    withEngine(flags, context, workplace, async (engine) => {
      const { nodes } = await resolveForBuild(plan, {
        engine,
        find: (key) => tree.byKey(key),
        destination: resolve(context.cwd, flags.destination),
        ownFolders: await ownFolders(flags, context, workplace),
        sourceDateEpoch: epoch(context.env.SOURCE_DATE_EPOCH),
        signal: context.signal,
      });
      const open = nodes.filter(({ identity }) => identity.state !== 'known');
      if (open.length > 0)
        throw new DiagnosticError(
          open.flatMap(({ package: name, identity }) => {
            const message = 'it is not known which image this package needs, so nothing is deleted';
            const unknown: Diagnostic = { code: 'key-unknown', severity: 'error', message, package: name };
            if (identity.state === 'failed') return [...identity.diagnostics];
            const hint = 'Its key depends on files of packages that are built first: use --older-than alone';
            return [{ ...unknown, hint }];
          }),
        );
      return new Set(nodes.flatMap(({ identity }) => (identity.state === 'known' ? [identity.key] : [])));
    }),
  );
}
