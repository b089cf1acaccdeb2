import { join } from 'node:path';
import { makeFolder } from '../../../disk/index.ts';
import type { CopyWay } from '../find/probe.ts';
import { launch } from '../sandbox/launch.ts';
import { quoted } from '../sandbox/quoted.ts';
import { begin } from '../sandbox/run.ts';
import { describeSandbox } from '../sandbox/sandbox.ts';
import { prepareRoot } from '../workspace/prepare.ts';
import type { CopiedRoot, CopyRunner } from './runner.ts';

/** Runs commands in sandboxes like those on overlay mounts; the copy is bound into them. */
export function sandboxedRunner(root: CopiedRoot, { maker, freshProc, ownName }: CopyWay): CopyRunner {
  const { run, group, files, network } = root;
  const place = run.stackFolders.take(network);
  const merged = join(place.path, 'm');
  makeFolder(merged, 0o755);
  // Devices of the image cannot be opened, and set-user-id programs give no rights.
  const mount = `mount --bind -o nosuid,nodev ${quoted(files)} m && `;
  return {
    begin: (command, environment, listener) => {
      const { env, ...places } = prepareRoot(root.tree(), root.folder, place.path, root.made);
      const options = { ...places, root: merged, environment, network };
      const launched = launch(maker, {
        folder: place.path,
        sandbox: describeSandbox(options, { ...run, freshProc, ownName }),
        command,
        env,
        isNamespace: run.store.form === 'user',
      });
      const chain = {
        ...launched,
        folder: place.path,
        before: ['unshare', '-m'],
        script: () => `${mount}${launched.script}`,
        entrances: group?.entrances ?? [],
      };
      return { ending: begin(chain, run.starters, listener), after: () => {} };
    },
    close: async () => run.stackFolders.giveBack(place),
  };
}
