import { UsageError } from '../usage-error.ts';
import { repeatable, toggle, withValue } from './define.ts';
import { plainHttpFlag } from './images.ts';
import { repository, seconds } from './values.ts';

const helpGroup = 'Shared cache';

/** The flags that say where images of packages are looked for besides the engine. */
export const pullFlags = {
  pull: toggle({
    summary: 'use images of packages from registries, where the engine does not have them',
    description:
      'They are looked for in the repository of --image-repository, then in those of --pull-repository. A registry that does not answer is reported once, and the build goes on without it.',
    helpGroup,
  }),
  'pull-repository': repeatable({
    char: 'p',
    value: '<name>',
    summary: 'also look for images in this repository (repeatable)',
    read: repository,
    helpGroup,
  }),
  'plain-http': plainHttpFlag,
};

/** The flags by which machines share what they build. */
export const shareFlags = {
  push: toggle({
    summary: 'push each image that is built to the repository of --image-repository',
    description:
      'Images are pushed while other packages are built. The first machine that pushes an image counts: the others take it over.',
    helpGroup,
  }),
  ...pullFlags,
  wait: toggle({
    summary: 'wait for images that other machines are building, instead of building them here',
    description:
      'Packages that are only needed, and not written, are waited for in any case; packages to be written are waited for where a machine says that it builds them: one that runs with --push and --wait says so.',
    helpGroup,
  }),
  'wait-timeout': withValue({
    value: '<seconds>',
    summary: 'how long --wait waits for one image before it is built here',
    read: seconds,
    default: 1800,
    helpGroup,
  }),
  'fail-on-miss': toggle({
    summary: 'if anything would have to be built, say what and why, and exit with 1',
    helpGroup,
  }),
  'push-final-images': toggle({
    summary: "push the content of each package as an image that Luet's clients read",
    helpGroup,
  }),
  'push-final-images-repository': withValue({
    value: '<name>',
    summary: 'repository of those images (default: that of --image-repository)',
    read: repository,
    helpGroup,
  }),
  'push-final-images-force': toggle({
    summary: 'replace such images where a package of the same version has other content',
    helpGroup,
  }),
  'generate-final-images': toggle({
    summary: 'make those images in the engine, without pushing them',
    helpGroup,
  }),
};

/** What decides whether flags of the shared cache make sense together. */
export interface ShareFlagValues {
  readonly push?: boolean;
  readonly pull?: boolean;
  readonly pullRepository?: readonly string[];
  readonly wait?: boolean;
  readonly pushFinalImages?: boolean;
  readonly generateFinalImages?: boolean;
  readonly pushFinalImagesRepository?: string;
  readonly imageRepository: string;
  readonly keepImages?: boolean;
}

/** The repository that is meant where none is named: it is one of engines, and of no registry. */
export const DEFAULT_REPOSITORY = 'luet/cache';

/** Which flags of the shared cache change nothing beside the others, and why. */
export function unusedShareFlags(flags: ShareFlagValues): Readonly<Record<string, string | undefined>> {
  const { push, pull, wait, pushFinalImages } = flags;
  const when = (is: unknown, because: string): string | undefined => (is ? because : undefined);
  return {
    'pull-repository': when(!pull, 'it is where --pull looks'),
    wait: when(!pull, 'it waits for images that --pull finds'),
    'wait-timeout': when(!wait, 'it is how long --wait waits'),
    'push-final-images-repository': when(!pushFinalImages, 'it is where --push-final-images pushes to'),
    'push-final-images-force': when(!pushFinalImages, 'it is about what --push-final-images pushes'),
    'plain-http': when(!push && !pull && !pushFinalImages, 'no registry is asked'),
  };
}

/** Refuses flags of the shared cache that lack others. Throws a UsageError. */
export function checkShareFlags(flags: ShareFlagValues): void {
  const { push, pull, pullRepository, pushFinalImages, imageRepository, keepImages } = flags;
  const isNamed = imageRepository !== DEFAULT_REPOSITORY;
  const example = 'such as --image-repository registry.example.org/team/cache';
  const problems: string[] = [];
  if (push && !isNamed) problems.push(`--push takes a repository to push to, ${example}`);
  if (pull && !isNamed && pullRepository === undefined)
    problems.push(`--pull takes a repository to look in, ${example}, or --pull-repository`);
  if (pushFinalImages && !isNamed && flags.pushFinalImagesRepository === undefined)
    problems.push(`--push-final-images takes a repository, ${example}, or --push-final-images-repository`);
  if (push && keepImages === false)
    problems.push('--push and --no-keep-images exclude each other: what is pushed lies in the engine first');
  if (problems.length > 0) throw new UsageError(...problems);
}
