import type { ArgInput } from '@oclif/core/interfaces';
import { InvalidValue, NotSupported, UsageError } from '../usage-error.ts';
import { type GivenWords, labelOf } from './given.ts';

/** Says in our words what oclif's parser found wrong; anything else is answered as it is. */
export function usageErrorOf(error: unknown, words: GivenWords, all: ArgInput, title: string): unknown {
  if (!(error instanceof Error)) return error;
  const [, name = ''] = /^Parsing --(\S+)/.exec(error.message) ?? [];
  const given = words.flags.get(name);
  if (error instanceof InvalidValue && given !== undefined) {
    const { variable, flag } = given;
    const { input, expected } = error;
    return new UsageError(
      variable === undefined
        ? `option '${labelOf(name, flag)}' argument '${input}' is invalid. ${expected}`
        : `${variable} has a value that --${name} does not take: '${input}'. ${expected}`,
    );
  }
  if (error instanceof NotSupported)
    return new UsageError(`${given?.variable ?? `--${name}`} is not supported: ${error.instead}`);
  const { args } = error as { args?: unknown };
  if (Array.isArray(args) && /^Missing \d+ required arg/.test(error.message))
    return new UsageError(...missing(all, words.args.length));
  if (Array.isArray(args) && /^Unexpected argument/.test(error.message)) {
    const expected = words.args.length - args.length;
    const many = `Expected ${expected} argument${expected === 1 ? '' : 's'} but got ${words.args.length}`;
    return new UsageError(`too many arguments for '${title}'. ${many}: ${words.args.join(', ')}.`);
  }
  // Others that it has, in its words without the hint about help.
  return 'parse' in error ? new UsageError(error.message.replace(/\nSee more help.*$/s, '')) : error;
}

/** The arguments that are needed beyond those given, in their order: oclif fills the last ones first. */
function missing(all: ArgInput, given: number): string[] {
  const needed = Object.entries(all).filter(([, { required }]) => required === true);
  return needed.slice(given).map(([name]) => `missing required argument '${name}'`);
}
