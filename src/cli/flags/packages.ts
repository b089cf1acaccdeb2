import { choice, repeatable, toggle, withValue } from './define.ts';
import { repository } from './values.ts';

/** The flags that choose packages by expressions. */
export const matchFlags = {
  exclude: repeatable({
    char: 'e',
    value: '<expression>',
    summary: 'leave out packages whose category/name, or category/name-version, matches (repeatable)',
    description: 'Expressions are RE2, and match anywhere in the name.',
  }),
  matches: repeatable({
    char: 'm',
    value: '<expression>',
    summary: 'only packages whose category/name, or category/name-version, matches (repeatable)',
  }),
};

/** The flags that choose a view; `otherwise` says which one is used without them. */
export const viewFlags = (otherwise: string) => ({
  buildtime: toggle({
    char: 'b',
    summary: `build-time view: what is needed to build (default: ${otherwise})`,
  }),
  runtime: toggle({ summary: 'run-time view: what is needed to install' }),
});

/** Where package images are kept. */
export const imageRepositoryFlag = (summary = 'repository of package images') =>
  withValue({ value: '<name>', summary, read: repository, default: 'luet/cache' });

/** Where packages are written, for commands that read files of packages from there. */
export const destinationFlag = withValue({
  value: '<folder>',
  summary: 'folder of built packages, from which other packages retrieve files',
  default: '.',
});

/** How an answer is printed. */
export const outputFlag = choice(['terminal', 'json', 'yaml'], {
  char: 'o',
  summary: 'output format',
  default: 'terminal',
});

/** How an answer is printed that has no form in YAML. */
export const textOrJsonFlag = choice(['terminal', 'json'], {
  char: 'o',
  summary: 'output format',
  default: 'terminal',
});
