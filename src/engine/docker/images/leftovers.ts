import { retry } from '../../../async/index.ts';
import { ApiError, type Connection } from '../connection/connection.ts';
import { type Images, RUN_LABEL } from './images.ts';

/** How old, in milliseconds, a leftover that does not remove itself must be before another run removes it. */
const LEFTOVER_AGE = 10 * 60 * 1000;

/** What telling leftovers from things in use needs. */
export interface LeftoverOptions {
  /** Whether the run of that id has surely ended; absent where nothing is known of other runs. */
  readonly isOver?: (runId: string) => boolean;
  readonly now: () => Date;
}

/**
 * Removes what dead runs left behind. Of runs that are known to be over, that is everything. Of others, which
 * may run on other hosts, it is old containers that never started, and old temporary images of runs that have
 * no running container. Images that lost their names go when they are old. (A started container removes
 * itself when its run's connection ends.)
 */
export async function removeLeftovers(
  connection: Connection,
  images: Images,
  repository: string,
  { isOver, now }: LeftoverOptions,
): Promise<void> {
  const labelled = JSON.stringify({ label: [RUN_LABEL] });
  const [containers, made, lost] = await Promise.all([
    connection.json<{ Id: string; State: string; Created: number; Labels: Record<string, string> }[]>(
      'GET',
      '/containers/json',
      { query: { all: '1', filters: labelled } },
    ),
    // Asked by name: for a filter by label, Docker 29 reads the configuration of every image.
    Promise.all(
      [`${repository}:tmp-*`, 'luet/flat:tmp-*', 'luet/base:tmp-*'].map((pattern) => images.named(pattern)),
    ),
    images.nameless(),
  ]);
  const alive = new Set(
    containers.filter(({ State }) => State === 'running').map(({ Labels }) => Labels[RUN_LABEL]),
  );
  const old = (created: number): boolean => now().getTime() - created * 1000 > LEFTOVER_AGE;
  const isLeftover = (run: string | undefined, created: number): boolean =>
    run !== undefined && run !== '' && (isOver?.(run) === true || (!alive.has(run) && old(created)));
  for (const { Id, Created, Labels } of containers) {
    if (!isLeftover(Labels[RUN_LABEL], Created)) continue;
    await connection.json('DELETE', `/containers/${Id}`, { query: { force: '1', v: '1' } }).catch(() => {});
  }
  // The newest first: later images are built on earlier ones.
  for (const { Created, RepoTags, Labels } of made.flat().sort((a, b) => b.Created - a.Created)) {
    // Images from outside keep the labels that they came with; their names contain the run.
    const run = Labels?.[RUN_LABEL] || runOfName(RepoTags?.[0]);
    if (!isLeftover(run, Created)) continue;
    for (const name of RepoTags ?? []) await removeSoon(images, name);
  }
  // A young image without a name may get one in a moment.
  for (const { Id, Created, Labels } of lost)
    if (Labels?.[RUN_LABEL] !== undefined && old(Created)) await images.drop(Id);
}

/**
 * Removes an image, and tries again for a second: a container that is being removed may still use it. An
 * image that cannot be removed stays.
 */
async function removeSoon(images: Images, name: string): Promise<void> {
  const isPassing = (error: unknown): boolean => error instanceof ApiError;
  await retry(() => images.remove(name), { pause: 50, most: 6, isPassing }).catch(() => {});
}

/** The run that a temporary image is named after: `REPOSITORY:tmp-RUN-KEY`. */
function runOfName(name: string | undefined): string | undefined {
  return /:tmp-([^:]+)-[0-9a-f]+$/.exec(name ?? '')?.[1];
}
