import type { BytePath } from '../../../tar/index.ts';
import type { OutputListener } from '../../types.ts';
import type { Group } from '../groups/groups.ts';
import type { RunningChain } from '../sandbox/run.ts';
import type { Network } from '../sandbox/runtime-files.ts';
import type { RunContext } from '../workspace/overlay.ts';
import type { UpperTree } from '../workspace/upper-tree.ts';

/** A copy of an image's root, to run commands in. */
export interface CopiedRoot {
  readonly run: RunContext;
  readonly group: Group | undefined;
  /** Absolute path of the copy. */
  readonly files: string;
  /** The folder that commands start in, relative to the root. */
  readonly folder: BytePath;
  readonly network: Network;
  /** Filled with the places that had to be created for mounts. */
  readonly made: Set<BytePath>;
  /** The copy in its present state, to be changed. */
  readonly tree: () => UpperTree;
}

/** A command that was started in a copy. */
export interface BegunInCopy {
  readonly ending: RunningChain;
  /** Removes what was put into the copy for the command; called when that has ended. */
  readonly after: () => void;
}

/** Starts commands in a copy. */
export interface CopyRunner {
  begin(command: string, environment: ReadonlyMap<string, string>, listener: OutputListener): BegunInCopy;
  /** Removes what it keeps outside of the copy. */
  close(): Promise<void>;
}
