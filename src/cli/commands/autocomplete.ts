import { string } from '@oclif/core/args';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

/** `autocomplete`. */
export default class Autocomplete extends LuetCommand<typeof Autocomplete> {
  static override description =
    'Prints a script that makes a shell complete commands, flags and their values with the Tab key';
  static override args = {
    shell: string({ description: 'the shell', options: shells, required: true, ignoreStdin: true }),
  };
  static override examples = [
    { command: 'source <(luet-ts autocomplete bash)', description: 'in ~/.bashrc' },
    { command: 'source <(luet-ts autocomplete zsh)', description: 'in ~/.zshrc, after compinit' },
    { command: 'luet-ts autocomplete fish | source', description: 'in ~/.config/fish/config.fish' },
  ];

  override run(): Promise<void> {
    return print(this.args.shell, this.context);
  }
}

async function print(shell: string, { stdout }: CliContext): Promise<void> {
  const [{ commandTable }, { completed }] = await Promise.all([
    import('../commands.ts'),
    import('../completion/model.ts'),
  ]);
  const commands = await completed(commandTable);
  if (shell === 'bash') stdout.write((await import('../completion/bash.ts')).bashScript(commands));
  else if (shell === 'zsh') stdout.write((await import('../completion/zsh.ts')).zshScript(commands));
  else stdout.write((await import('../completion/fish.ts')).fishScript(commands));
}
