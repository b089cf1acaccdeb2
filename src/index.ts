/** The library: everything that the commands can do, with the same names and no terminal. */

export * from './diagnostic/index.ts';
