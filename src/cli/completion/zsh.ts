import type { CompletedCommand, CompletedFlag, ValueKind } from './model.ts';

/** The completion script for zsh. */
export function zshScript(commands: readonly CompletedCommand[]): string {
  const known = commands.flatMap(({ name }) => (name === '' ? [] : [quoted(name)]));
  return `#compdef luet-ts
# Completion of luet-ts for zsh. Load it with: source <(luet-ts autocomplete zsh)
_luet-ts() {
  local command= word
  local -a subcommands
  integer i last=1
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    [[ $word == -* ]] && continue
    case "\${command:+$command }$word" in
      (${known.join('|')}) command="\${command:+$command }$word"; last=i ;;
      (*) break ;;
    esac
  done
  words=("$words[1]" "\${(@)words[last+1,-1]}")
  ((CURRENT -= last - 1))
  case $command in
${commands.map(commandCase).join('\n')}
  esac
}
if [[ $funcstack[1] == _luet-ts ]]; then _luet-ts "$@"; else compdef _luet-ts luet-ts; fi
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const action = (kind: ValueKind): string =>
  kind === 'file'
    ? '_files'
    : kind === 'folder'
      ? '_files -/'
      : kind === 'other'
        ? ' '
        : `(${kind.join(' ')})`;

/** A description as it stands between brackets, or behind a colon. */
const escaped = (text: string): string => text.replaceAll(/[\\:[\]]/g, '\\$&');

function specsOf({ long, short, summary, value, isRepeatable }: CompletedFlag): string[] {
  const what = `[${escaped(summary)}]${value === undefined ? '' : `:value:${action(value)}`}`;
  const names = [`${long}${value === undefined ? '' : '='}`, ...(short === undefined ? [] : [short])];
  const others = [long, ...(short === undefined ? [] : [short])].join(' ');
  return names.map((name) => quoted(`${isRepeatable ? '*' : `(${others})`}${name}${what}`));
}

function commandCase({ name, next, flags, argument }: CompletedCommand): string {
  const specs = flags.flatMap(specsOf);
  // Where arguments cannot be completed, a message in their place would keep zsh from completing flags at
  // once.
  const hasArguments = next.length === 0 && argument !== 'other';
  const all = [...specs, ...(hasArguments ? [quoted(`*:argument:${action(argument)}`)] : [])];
  const completeFlags = `_arguments -s ${all.join(' ')}`;
  if (next.length === 0) return `    (${quoted(name)}) ${completeFlags} ;;`;
  const words = next.map(([word, summary]) => quoted(`${word}:${escaped(summary)}`)).join(' ');
  return `    (${quoted(name)})
      if [[ $words[CURRENT] == -* || $CURRENT -gt 2 ]]; then
        ${completeFlags}
      else
        subcommands=(${words})
        _describe command subcommands
      fi
      ;;`;
}
