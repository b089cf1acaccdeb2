import { commaList, toggle } from './define.ts';

/** The flags that say which trees are read. */
export const treeFlags = {
  tree: commaList({
    char: 't',
    value: '<folder>',
    summary: 'read packages from this folder (repeatable; default: the current folder)',
  }),
  values: commaList({
    value: '<file>',
    summary: "template values that override those of the packages' definitions (repeatable; later files win)",
  }),
  dockerfiles: toggle({ summary: 'also read folders with a Dockerfile as packages' }),
};
