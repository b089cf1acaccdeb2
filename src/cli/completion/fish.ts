import type { CompletedCommand, CompletedFlag } from './model.ts';

/** The completion script for fish. */
export function fishScript(commands: readonly CompletedCommand[]): string {
  const known = commands.flatMap(({ name }) => (name === '' ? [] : [quoted(name)]));
  return `# Completion of luet-ts for fish. Load it with: luet-ts autocomplete fish | source
function __luet_ts_command
    set -l command
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; and continue
        set -l longer (string join ' ' $command $word)
        contains -- $longer ${known.join(' ')}; or break
        set command $longer
    end
    test "$command" = "$argv[1]"
end
complete -c luet-ts -f
${commands.flatMap(linesOf).join('\n')}
`;
}

const quoted = (text: string): string => `'${text.replaceAll(/['\\]/g, '\\$&')}'`;

function linesOf({ name, next, flags, argument }: CompletedCommand): string[] {
  const start = `complete -c luet-ts -n ${quoted(`__luet_ts_command ${quoted(name)}`)}`;
  const words = next.map(([word, summary]) => `${start} -a ${quoted(word)} -d ${quoted(summary)}`);
  const kinds =
    next.length > 0 || argument === 'other'
      ? []
      : argument === 'file'
        ? [`${start} -F`]
        : argument === 'folder'
          ? [`${start} -a '(__fish_complete_directories)'`]
          : [`${start} -a ${quoted(argument.join(' '))}`];
  return [...words, ...kinds, ...flags.map((flag) => `${start} ${flagOf(flag)}`)];
}

function flagOf({ long, short, summary, value }: CompletedFlag): string {
  const names = [`-l ${long.slice(2)}`, ...(short === undefined ? [] : [`-s ${short.slice(1)}`])];
  const what =
    value === undefined
      ? []
      : value === 'file'
        ? ['-r', '-F']
        : value === 'folder'
          ? ['-x', `-a '(__fish_complete_directories)'`]
          : ['-x', ...(value === 'other' ? [] : [`-a ${quoted(value.join(' '))}`])];
  return [...names, ...what, `-d ${quoted(summary)}`].join(' ');
}
