import { quoted } from './quoted.ts';

/**
 * What the image's own shell does before a command: it starts the command in its folder, with exactly its
 * environment.
 */
export interface Inside {
  readonly folder: string;
  readonly environment: ReadonlyMap<string, string>;
  /** The path of the image's `env`; undefined where it has none. */
  readonly env: string | undefined;
}

/** Where an image may have `env`. */
export const envPaths: readonly string[] = ['/usr/bin/env', '/bin/env'];

/**
 * Shell text that reports on descriptor 4 that the command starts. The command's input is the root's own
 * `/dev/null`: it could change the mode and the owner of the machine's.
 */
const beginning = (folder: string): string =>
  `cd ${quoted(folder)} && exec </dev/null && echo begun >&4 && exec 3<&-`;

/** Shell text that becomes the command `$0`. */
function becoming({ environment, env }: Inside): string {
  const pairs = [...environment];
  if (env !== undefined) {
    const words = pairs.map(([name, value]) => quoted(`${name}=${value}`)).join(' ');
    return `exec ${env} -i ${words} /bin/sh -c "$0"`;
  }
  // A shell can only set names that are identifiers.
  const names = pairs.filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return `${names.map(([name, value]) => `export ${name}=${quoted(value)}; `).join('')}exec /bin/sh -c "$0"`;
}

/** Words that become a command, in the root that they run in. */
export function becomes(inside: Inside, command: string): string[] {
  return ['/bin/sh', '-c', `${beginning(inside.folder)} && exec 4>&- && ${becoming(inside)}`, command];
}

/**
 * Words that run a command as a child of the first process of a namespace. That process gets no signals that
 * it has not asked for, and inherits other processes, neither of which a command expects. It writes the exit
 * code to descriptor 4.
 */
export function attends(inside: Inside, command: string): string[] {
  // A shell prints how a child was killed, which must not be in the command's outputs.
  const quiet = 'exec 5>&2 2>/dev/null';
  const end = 'code=$?; echo "ended $code" >&4; exit $code';
  const script = `${beginning(inside.folder)} || exit 1; ${quiet}; (${becoming(inside)}) 2>&5 4>&- 5>&-; ${end}`;
  return ['/bin/sh', '-c', script, command];
}

/**
 * Words that run a command as `attends` does, with the environment that they have, and write nothing: for
 * where the program that starts them passes the exit code on. A first process that made the namespace itself
 * would have no filter of system calls.
 */
export function waits(command: string, environment: ReadonlyMap<string, string>): string[] {
  // Variables that some shells add to an environment.
  const added = ['SHLVL', 'OLDPWD', '_'].filter((name) => !environment.has(name));
  const script = `exec 5>&2 2>/dev/null </dev/null; (unset ${added.join(' ')}; exec /bin/sh -c "$0") 2>&5 5>&-; exit $?`;
  return ['/bin/sh', '-c', script, command];
}

/**
 * Whether the command was started, and `own`, the exit code of the chain of processes, is its exit code. A
 * code above 128 may also mean that the chain was killed, unless the end of what was written to descriptor 4
 * says otherwise. A command can write there, too, through the first process's `/proc/1/fd`, and remove what
 * stands there, but cannot change its exit code by that. Nothing is written there before the command starts.
 */
export function begunInside(status: string, own: number): 'begun' | undefined {
  const isOver = own <= 128 || status.endsWith(`ended ${own}\n`);
  return isOver && status !== '' ? 'begun' : undefined;
}
