import type { BytePath } from '../../../tar/index.ts';
import { overlayOf } from '../../overlay/mount.ts';
import { UpperSource } from '../../overlay/upper.ts';
import { decodeMade, MADE_LABEL } from '../../runtime.ts';
import type { ChangeSource } from '../../types.ts';
import { containerOf, type Inspected, type RunContext } from '../container/container.ts';
import { ownOf, withGiven } from './own-folders.ts';
import { SpoolSource } from './spool-source.ts';
import { lookedUp, tarsOf } from './tars.ts';

/** What the changes of a container are read from. */
export type Source = UpperSource | SpoolSource;

/** The source that was chosen, and the upper folder where this process can read it. */
export interface Chosen {
  readonly from: Source;
  readonly kind: ChangeSource;
  readonly upper?: string;
}

/**
 * Chooses where the changes of a started container are read from; `given` are paths that were uploaded before
 * it started.
 */
export function sourceOf(
  run: RunContext,
  id: string,
  image: string,
  inspected: Inspected,
  folder: string,
  given: ReadonlySet<BytePath>,
): Chosen {
  const answer = run.source === 'upper' ? overlayOf(inspected.State.Pid, id) : undefined;
  if (answer?.ok === true) {
    const { upper } = answer.mount;
    const known = decodeMade(inspected.Config.Labels?.[MADE_LABEL]);
    const from = new UpperSource(answer.mount, folder.slice(1), { given, known });
    return { from, kind: 'upper', upper };
  }
  const kind = run.source === 'upper' ? run.fallback : run.source;
  const tars = tarsOf(run.connection, id, {
    archives: !run.isPodman,
    changes: kind === 'changes',
    ownFolders: withGiven(
      run.isPodman
        ? lookedUp(run.connection, containerOf(image, { environment: new Map(), folder: '/' }, run.labels))
        : ownOf(run, image, Math.floor(Date.parse(inspected.Created) / 1000)),
      given,
    ),
  });
  return { from: new SpoolSource(tars, run.temporary), kind };
}
