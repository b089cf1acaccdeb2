import { Config } from '@oclif/core/config';
import type { Hook, Hooks } from '@oclif/core/interfaces';
import type { Surroundings } from './context.ts';
import { version } from './version.ts';

/**
 * What oclif's commands and help know of the program. oclif would find this out by reading package.json, a
 * manifest, a theme and folders of commands; here it is made from what is known already: nothing is read, and
 * there are no plugins and no hooks.
 */
export class CliConfig extends Config {
  readonly around: Surroundings;
  /** Sets the exit code of a command that ends without throwing. */
  readonly setExitCode: (code: number) => void;

  constructor(around: Surroundings, setExitCode: (code: number) => void) {
    super({ root: '/' });
    this.around = around;
    this.setExitCode = setExitCode;
    this.bin = 'luet-ts';
    this.name = 'luet-ts';
    this.version = version;
    this.topicSeparator = ' ';
    this.pjson = { name: this.name, version, oclif: { description: '' } };
  }

  override runHook<T extends keyof Hooks, P extends Hooks = Hooks>(): Promise<Hook.Result<P[T]['return']>> {
    return Promise.resolve({ successes: [], failures: [] });
  }
}
