import { ApiError, type Connection } from './connection.ts';
import { type Images, RUN_LABEL } from './images.ts';

/** How old a leftover that does not remove itself must be before another run takes it away, in milliseconds. */
const LEFTOVER_AGE = 10 * 60 * 1000;

/** What telling leftovers from what is in use takes. */
export interface LeftoverOptions {
  /** Whether the run of that id has surely ended; absent where nothing is known of other runs. */
  readonly isOver?: (runId: string) => boolean;
  readonly now: () => Date;
}

/**
 * Removes what runs that ended by force left behind: everything of runs that are known to be over, and of others, which
 * may be those of other hosts, old containers that never started and old temporary images of runs that have no running
 * container, or that lost their names. (A started container removes itself when its run's connection ends.)
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
    // By name: Docker 29 reads the configuration of every image for a question about labels.
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
  // The newest first: later ones stand on earlier ones.
  for (const { Created, RepoTags, Labels } of made.flat().sort((a, b) => b.Created - a.Created)) {
    // Images that came from outside have the labels that they came with: their names tell the run.
    const run = Labels?.[RUN_LABEL] || runOfName(RepoTags?.[0]);
    if (!isLeftover(run, Created)) continue;
    for (const name of RepoTags ?? []) await removeSoon(images, name);
  }
  // Of those without a name: a younger one may be about to be named.
  for (const { Id, Created, Labels } of lost)
    if (Labels?.[RUN_LABEL] !== undefined && old(Created)) await images.drop(Id);
}

/** Removes an image as soon as it can be: a container of its run that is just being removed keeps it for a moment still. */
async function removeSoon(images: Images, name: string): Promise<void> {
  for (let wait = 50; wait < 1000; wait *= 2) {
    try {
      return await images.remove(name);
    } catch (error) {
      if (!(error instanceof ApiError)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

/** The run that an image is named after, by the form of temporary names: `REPOSITORY:tmp-RUN-KEY`. */
function runOfName(name: string | undefined): string | undefined {
  return /:tmp-([^:]+)-[0-9a-f]+$/.exec(name ?? '')?.[1];
}
