import { string } from '@oclif/core/args';
import type { Arg } from '@oclif/core/interfaces';

// oclif would wait for standard input where an argument is missing.
const ignoreStdin = true;

/** An argument that has to be given. */
export const argument = (description: string): Arg<string> =>
  string({ description, ignoreStdin, required: true });

/** An argument that may be left out. */
export const optionalArgument = (description: string): Arg<string | undefined> =>
  string({ description, ignoreStdin });

/** One argument or several. */
export const oneOrMore = (description: string): Arg<string[]> =>
  string({ description, ignoreStdin, required: true, multiple: true });

/** Any number of arguments. */
export const anyNumber = (description: string): Arg<string[] | undefined> =>
  string({ description, ignoreStdin, multiple: true });

/** The packages that a command is about. */
export const packagesArgument = anyNumber('category/name, or name, optionally with @VERSION');
