import type { Advice, Diagnostic } from '../diagnostic/index.ts';
import type { BuildEvent } from '../events/index.ts';

const GOES_ON = 'the next build goes on from what is finished';

/** What each advice of the rooms is in words of this command line. */
const advices: Readonly<Record<Advice, string>> = {
  'another-destination': 'Write it to another --destination, or remove the files of the other one',
  'another-store': 'use another store, with --store',
  'another-temporary-folder': 'Make room there, or set TMPDIR to a folder on another disk',
  'ask-engine': "'luet-ts engine' says what each better way of working lacks here",
  'check-network': 'Check the network, the name of the registry, and HTTPS_PROXY where there is a proxy',
  'copy-image': 'Put it into the tree, or give it a name with luet-ts image copy and use that',
  'engine-with-dockerfiles':
    'use --engine docker or podman for this tree, or give the package an image and steps',
  'fewer-at-once': `give the engine more memory, or build fewer packages at once (--concurrency 1); ${GOES_ON}`,
  'host-network': 'use --network host',
  'host-network-or-none': 'use --network host or --network none, or another engine',
  'more-memory': `give each package more memory (--memory); ${GOES_ON}`,
  'more-open-files':
    'Raise the limit of open files (ulimit -n 4096), or build fewer packages at the same time (--concurrency)',
  'more-values': 'The template uses a value that is not given: give it with --values',
};

/** The flags that options of the library are given by, where a message begins with them. */
const flags: ReadonlyMap<string, string> = new Map([['isolation', '--isolation required']]);

/** An advice in words of this command line. */
export const adviceText = (advice: Advice): string => advices[advice];

/** A finding as this command line tells it: with flags in it, where it is about options. */
export function inFlags({ advice, option, ...finding }: Diagnostic): Diagnostic {
  const flag = option === undefined ? '' : `${flags.get(option) ?? `--${option}`}: `;
  return {
    ...finding,
    message: `${flag}${finding.message}`,
    ...(advice === undefined ? {} : { hint: adviceText(advice) }),
  };
}

/** An event as this command line tells it. */
export const eventInFlags = (event: BuildEvent): BuildEvent =>
  event.type === 'failed' ? { ...event, diagnostics: event.diagnostics.map(inFlags) } : event;

/** Why a way to an engine was passed over, and what to do about that. */
export const attemptText = ({ reason, advice }: { reason: string; advice?: Advice }): string =>
  advice === undefined ? reason : `${reason}; ${adviceText(advice)}`;
