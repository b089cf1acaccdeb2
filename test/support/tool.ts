import { spawn, spawnSync } from 'node:child_process';
import { collect } from './stream.ts';

/** A reason to skip a test, or false where the tool is installed. */
export function without(tool: string): string | false {
  return spawnSync('sh', ['-c', `command -v ${tool}`]).status === 0 ? false : `${tool} is not installed`;
}

/** The program that a way of the native engine needs besides those of every machine: a copy's sandboxes are made by any of those there are. */
export const programOf = (way: string): string => (way === 'copy' || way === 'bare' ? 'chroot' : way);

/** Runs a tool with these bytes as its input; its output, or an error with what it said. */
export async function run(
  command: readonly [string, ...string[]],
  options: { readonly input?: Uint8Array; readonly cwd?: string } = {},
): Promise<Buffer> {
  const [program, ...words] = command;
  const child = spawn(program, words, { cwd: options.cwd, stdio: 'pipe' });
  child.stdin.on('error', () => {}).end(options.input ?? '');
  const exit = new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  );
  const [output, said, code] = await Promise.all([collect(child.stdout), collect(child.stderr), exit]);
  if (code !== 0) throw new Error(`${command.join(' ')}: exit ${code}: ${said}`);
  return output;
}
