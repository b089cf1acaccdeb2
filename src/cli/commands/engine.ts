import type { Attempt, ChangeSource, Engine, EngineReport } from '../../engine/index.ts';
import { attemptText } from '../advice.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { EngineFlags } from '../engine.ts';
import { withValue } from '../flags/define.ts';
import { engineFlags } from '../flags/engine.ts';
import { imageRepositoryFlag, outputFlag } from '../flags/packages.ts';

interface Flags extends EngineFlags {
  readonly image?: string;
  readonly imageRepository: string;
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** `engine`. */
export default class EngineShow extends LuetCommand<typeof EngineShow> {
  static override description = 'Shows which container engine a build would use, and why others are not used';
  static override flags = {
    image: withValue({
      value: '<reference>',
      summary: 'image to try a container on (default: a package image, if there is one)',
    }),
    'image-repository': imageRepositoryFlag(),
    output: outputFlag,
    ...engineFlags,
  };
  static override examples = [
    { command: 'luet-ts engine', description: 'the engine that is found automatically' },
    { command: 'luet-ts engine --engine podman', description: 'podman, even if Docker is there, too' },
    {
      command: 'luet-ts engine --image debian:12',
      description: 'also find out how changes are read, on that image',
    },
    { command: 'DOCKER_HOST=ssh://me@builder luet-ts engine', description: 'an engine on another machine' },
  ];

  override check(): void {
    this.refuseUnused({
      'image-repository':
        this.flags.image === undefined ? undefined : '--image names the image that is tried',
    });
  }

  override run(): Promise<void> {
    return show(this.flags, this.context);
  }
}

/** What is known of an engine. */
interface Answer extends EngineReport {
  /** How it was found, and what was looked at before. */
  readonly attempts: readonly Attempt[];
  /** What steps can do to this machine that they should not; nothing where they are kept from it. */
  readonly isolationGaps: readonly string[];
  /** Where the changes of commands are read from; absent where no image was there to try. */
  readonly changes?: ChangeSource;
}

async function show(flags: Flags, context: CliContext): Promise<void> {
  const [{ openEngine }, { openWorkplace }] = await Promise.all([
    import('../engine.ts'),
    import('../workplace.ts'),
  ]);
  const workplace = openWorkplace(context);
  try {
    const { engine, attempts } = await openEngine({ ...flags, thorough: true }, context, workplace);
    try {
      const changes = await tryChanges(engine, flags, context);
      const answer: Answer = {
        ...(await engine.report()),
        isolationGaps: (await engine.isolationGaps?.()) ?? [],
        attempts,
        ...(changes === undefined ? {} : { changes }),
      };
      await print(answer, flags.output, context);
    } finally {
      await engine.close();
    }
  } finally {
    workplace.close();
  }
}

/**
 * Opens a container to see where its changes can be read; undefined where no image is named and none is
 * there. Rejects where the one named is not found.
 */
async function tryChanges(
  engine: Engine,
  flags: Flags,
  { signal }: CliContext,
): Promise<ChangeSource | undefined> {
  const [tag] = flags.image === undefined ? (await engine.list(flags.imageRepository)).keys() : [];
  const reference = flags.image ?? (tag === undefined ? undefined : `${flags.imageRepository}:${tag}`);
  if (reference === undefined) return undefined;
  if ((await engine.resolve(reference, { signal })) === undefined) {
    if (flags.image === undefined) return undefined;
    throw await (await import('../places.ts')).noSuchImage(reference, 'engine');
  }
  const workspace = await engine.open({ image: reference, environment: new Map(), folder: '/', signal });
  await workspace.close();
  return workspace.source;
}

const sources: Readonly<Record<ChangeSource, string>> = {
  upper: "read from a container's own folder on this machine",
  changes: 'listed by the engine, and read through its API',
  export: 'found by comparing what the engine exports',
  listing: 'found by comparing what lies in a copy of the root',
};

function limitsOf({ memory, processes }: EngineReport['limits']): string {
  const reasons = new Set([memory, processes].map(({ reason }) => reason).filter((reason) => reason !== ''));
  const set = [memory.possible ? ['memory'] : [], processes.possible ? ['processes'] : []].flat();
  const why = reasons.size === 0 ? '' : `${set.length === 0 ? '' : '; '}${[...reasons].join('; ')}`;
  return `${set.length === 0 ? 'none: ' : `on ${set.join(' and ')}`}${why}`;
}

/** The network that steps have where `--network` chooses none. */
const networkOf = ({ name }: Answer): string =>
  name === 'native'
    ? 'shared with this machine; build --network none cuts it off'
    : "the engine's default; build --network sets another";

const isolationOf = ({ isolationGaps }: Answer): string =>
  isolationGaps.length === 0
    ? 'steps are kept from this machine'
    : `steps are not isolated: ${isolationGaps.join('; ')}`;

async function print(answer: Answer, output: Flags['output'], { stdout }: CliContext): Promise<void> {
  if (output === 'json') {
    const { jsonText } = await import('../../diagnostic/index.ts');
    stdout.write(`${jsonText(answer, 2)}\n`);
    return;
  }
  if (output === 'yaml') {
    const { dump } = await import('js-yaml');
    stdout.write(dump(answer));
    return;
  }
  const [{ escapeTerminal }, { size }] = await Promise.all([
    import('../../diagnostic/index.ts'),
    import('../units.ts'),
  ]);
  const used = answer.attempts.find(({ used }) => used);
  const free = answer.freeBytes === undefined ? '' : `, ${size(answer.freeBytes)} free`;
  const rows = [
    ['engine', `${answer.name} ${answer.version}${answer.apiVersion && `, API ${answer.apiVersion}`}`],
    ['address', answer.address],
    ['found by', used?.strategy ?? ''],
    ['platform', `${answer.platform}, ${answer.cpus} CPUs`],
    ['storage', `${answer.storageDriver} in ${answer.dataRoot}${free}`],
    [
      'changes',
      answer.changes === undefined
        ? 'not tried: there is no image yet (see --image)'
        : sources[answer.changes],
    ],
    ['isolation', isolationOf(answer)],
    ['network', networkOf(answer)],
    ['limits', limitsOf(answer.limits)],
  ];
  const others = answer.attempts
    .filter(({ used }) => !used)
    .map(
      (one) =>
        `  ${one.strategy}${one.address === undefined ? '' : ` (${one.address})`}: ${attemptText(one)}`,
    );
  const text = rows.map(([name = '', value]) => `${name.padEnd(10)}${value}`);
  if (others.length > 0) text.push('', 'Not used:', ...others);
  stdout.write(`${escapeTerminal(text.join('\n'))}\n`);
}
