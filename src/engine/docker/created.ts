import type { Reader } from '../types.ts';
import { containerOf, type RunContext } from './container.ts';
import { Spool } from './spool.ts';
import { tarsOf, toldByTime } from './tars.ts';

/**
 * Reads from a container that is never started, for images without a shell. It does not remove itself: where nobody closes
 * the reader, it is a leftover.
 */
export async function openCreated(
  { connection, onImage, labels, isPodman, temporary }: RunContext,
  image: string,
): Promise<Reader> {
  const { Id: id } = await connection.json<{ Id: string }>('POST', '/containers/create', {
    body: containerOf(image, { environment: new Map(), folder: '/', network: 'none' }, labels),
  });
  const remove = async (): Promise<void> =>
    connection.json('DELETE', `/containers/${id}`, { query: { force: '1', v: '1' } });
  const { Created, Image } = await connection
    .json<{ Created: string; Image: string }>('GET', `/containers/${id}/json`)
    .catch(async (error: unknown) => {
      await remove().catch(() => {});
      throw error;
    });
  onImage(Image);
  const tars = tarsOf(connection, id, {
    archives: !isPodman,
    ownFolders: isPodman ? undefined : toldByTime(Math.floor(Date.parse(Created) / 1000)),
  });
  const source = new Spool(tars, temporary);
  return {
    list: (root) => source.list(root),
    stat: (paths) => source.stat(paths),
    read: (files) => source.read(files),
    close: async () => {
      await source.close();
      await remove();
    },
  };
}
