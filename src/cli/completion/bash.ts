import type { CompletedCommand, CompletedFlag, ValueKind } from './model.ts';

/** The completion script for bash. */
export function bashScript(commands: readonly CompletedCommand[]): string {
  const known = commands.flatMap(({ name }) => (name === '' ? [] : [quoted(name)]));
  return `# Completion of luet-ts for bash. Load it with: source <(luet-ts autocomplete bash)
_luet_ts() {
  local command= words= kind= word i
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]}
  # Bash takes "--flag=value" apart.
  if [[ $current == = ]]; then
    current=
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    [[ $word == -* ]] && continue
    case "\${command:+$command }$word" in
      ${known.join(' | ')}) command="\${command:+$command }$word" ;;
      *) break ;;
    esac
  done
  case "$command $previous" in
${commands.flatMap(valueCases).join('\n')}
    *)
      case "$command" in
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
  case $kind in
    file | folder)
      compopt -o filenames 2>/dev/null
      local IFS=$'\\n'
      if [[ $kind == file ]]; then COMPREPLY=($(compgen -f -- "$current"));
      else COMPREPLY=($(compgen -d -- "$current")); fi
      ;;
    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
  esac
}
complete -F _luet_ts luet-ts
`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function assignment(kind: ValueKind): string {
  if (kind === 'file' || kind === 'folder') return `kind=${kind}`;
  return `words=${quoted(kind === 'other' ? '' : kind.join(' '))}`;
}

function valueCases({ name, flags }: CompletedCommand): string[] {
  return flags.flatMap(({ long, short, value }) => {
    if (value === undefined) return [];
    const patterns = [long, ...(short === undefined ? [] : [short])].map((flag) => quoted(`${name} ${flag}`));
    return [`    ${patterns.join(' | ')}) ${assignment(value)} ;;`];
  });
}

function commandCase({ name, next, flags, argument }: CompletedCommand): string {
  const words = quoted(flags.flatMap(wordsOf).join(' '));
  const others =
    next.length > 0 ? `words=${quoted(next.map(([word]) => word).join(' '))}` : assignment(argument);
  return `        ${quoted(name)}) if [[ $current == -* ]]; then words=${words}; else ${others}; fi ;;`;
}

const wordsOf = ({ long, short }: CompletedFlag): string[] => [long, ...(short === undefined ? [] : [short])];
