import type { BytePath } from '../../tar/index.ts';
import type { OutputListener } from '../types.ts';
import type { Group } from './groups.ts';
import type { Ending } from './run.ts';
import type { Network } from './runtime-files.ts';
import type { UpperTree } from './upper-tree.ts';
import type { RunContext } from './workspace.ts';

/** A copy of an image's root, to run commands in. */
export interface CopiedRoot {
  readonly run: RunContext;
  readonly group: Group | undefined;
  /** Absolute path of the copy. */
  readonly files: string;
  /** The folder that commands begin in, relative to the root. */
  readonly folder: BytePath;
  readonly network: Network;
  /** Is told of places that had to be made for mounts. */
  readonly made: Set<BytePath>;
  /** The copy, as it is now, to be changed. */
  readonly tree: () => UpperTree;
}

/** A command that was begun in a copy. */
export interface BegunInCopy {
  readonly ending: Ending;
  /** Takes away what was put into the copy for it; when it has ended. */
  readonly after: () => void;
}

/** What begins commands in a copy. */
export interface CopyRunner {
  begin(command: string, environment: ReadonlyMap<string, string>, listener: OutputListener): BegunInCopy;
  /** Removes what it keeps besides the copy. */
  close(): Promise<void>;
}
