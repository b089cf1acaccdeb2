import type { Command } from 'commander';

/** What a reader may want to do first, under the top-level help. */
export const examples = `
Examples:
  luet-ts build --tree tree --all --destination out    build every package of the tree in tree/
  luet-ts build --tree tree utils/hello                build one package and what it needs
  luet-ts tree validate tree                           find mistakes without building
  luet-ts engine                                       say which container engine would be used
  luet-ts image pull debian:12                         fetch an image from its registry

A tree is a folder of packages: definition.yaml names one, build.yaml says how it is built.
Exit codes: 0 done, 1 the work failed, 2 the command line was wrong, 130 and 143 interrupted.
`;

/** Adds examples under a command's help: lines of `luet-ts …`, each optionally followed by what it does. */
export function addExamples(
  command: Command,
  lines: readonly (readonly [line: string, does: string])[],
): Command {
  const width = Math.max(...lines.map(([line]) => line.length));
  const rows = lines.map(([line, does]) => `  ${line.padEnd(width)}  ${does}`.trimEnd());
  return command.addHelpText('after', `\nExamples:\n${rows.join('\n')}`);
}
