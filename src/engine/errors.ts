import type { Advice } from '../diagnostic/index.ts';

/** How an engine failed. What can be done about it differs. */
export type EngineFault =
  /** The engine does not answer, or the connection broke. It may come back; what ran in it is lost. */
  | 'gone'
  /** The disk with the engine's images and workspaces is full. */
  | 'no-space'
  /** An image was asked for by a name that it had before, and is not there any more. */
  | 'image-missing'
  /** The kernel killed the workspace, or processes of a command that failed, because memory ran out. */
  | 'out-of-memory'
  /** A person or a program ended the workspace from outside, for another reason than memory. */
  | 'killed'
  /** The engine refused, or could not do, what was asked. */
  | 'other';

/** What an `EngineError` says beside its message. */
export interface EngineErrorOptions extends ErrorOptions {
  /** `other` where absent. */
  readonly kind?: EngineFault | undefined;
  /** For `image-missing`: the reference of the image. */
  readonly image?: string | undefined;
  /**
   * For `other`: whether the same request may succeed in a moment, because something inside of the engine
   * failed.
   */
  readonly mayPass?: boolean | undefined;
  /** For `out-of-memory`: the workspace's memory limit in bytes; absent where it had none. */
  readonly limit?: number | undefined;
  /** What the user can do about it. */
  readonly hint?: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice?: Advice | undefined;
}

/** The engine failed. A command that fails in a workspace is no such error: it has an exit code. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: EngineFault;
  /** For `image-missing`: the reference of the image. */
  readonly image: string | undefined;
  /** For `other`: whether the same request may succeed in a moment. */
  readonly mayPass: boolean;
  /** For `out-of-memory`: the workspace's memory limit in bytes. */
  readonly limit: number | undefined;
  /** What the user can do about it. */
  readonly hint: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice: Advice | undefined;

  constructor(message: string, options: EngineErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.kind = options.kind ?? 'other';
    this.image = options.image;
    this.mayPass = options.mayPass ?? false;
    this.limit = options.limit;
    this.hint = options.hint;
    this.advice = options.advice;
  }
}

/** The image has no `/bin/sh`, and nothing was uploaded that brings one, so no command can run. */
export class NoShellError extends EngineError {
  constructor(image: string, cause?: unknown) {
    super(`${image} has no /bin/sh, which commands need`, { cause });
  }
}
