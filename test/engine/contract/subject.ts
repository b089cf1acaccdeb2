import assert from 'node:assert/strict';
import type { ChangeSource, Engine, Workspace } from '../../../src/engine/index.ts';

/** An engine that the contract is tried on. */
export interface Subject {
  /** An engine with a run of its own. All of them share their images, and hold `base`. */
  engine(source?: ChangeSource, temporary?: string): Promise<Engine>;
  /** The image that tests start from (`conformanceBase`). */
  readonly base: string;
  /** The ways in which the engine can be made to find changes. */
  readonly sources: readonly ChangeSource[];
  /** Whether commands can make device nodes. */
  readonly hasDevices: boolean;
  /** Whether `read` fetches images at once, so that it can be interrupted. */
  readonly readsAhead: boolean;
}

/** The environment that commands need at least. */
export const environment: ReadonlyMap<string, string> = new Map([
  ['PATH', '/usr/sbin:/usr/bin:/sbin:/bin'],
  ['HOME', '/root'],
]);

/** Opens an image as most tests need it. */
export const openOn = (engine: Engine, image: string, folder = '/luetbuild'): Promise<Workspace> =>
  engine.open({ image, environment, folder, network: 'none' });

/** Runs a command that must succeed; what it wrote to both streams. */
export async function output(
  workspace: Workspace,
  command: string,
  given?: ReadonlyMap<string, string>,
): Promise<string> {
  const chunks: Uint8Array[] = [];
  const code = await workspace.run(command, (_, chunk) => chunks.push(Buffer.from(chunk)), given);
  const text = Buffer.concat(chunks).toString();
  assert.equal(code, 0, `${command}\n${text}`);
  return text;
}
