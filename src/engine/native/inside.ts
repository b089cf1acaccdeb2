import { quoted } from './quoted.ts';

/** What the image's own shell is to do before a command: to begin it in its folder, with its environment and no other. */
export interface Inside {
  readonly folder: string;
  readonly environment: ReadonlyMap<string, string>;
  /** Where the image has `env`; undefined where it has none. */
  readonly env: string | undefined;
}

/** Where an image may have `env`. */
export const envPaths: readonly string[] = ['/usr/bin/env', '/bin/env'];

/**
 * Shell text that says on descriptor 4 that the command begins. Its input is the root's own `/dev/null`: of the machine's, which it was given, it could change the mode and the
 * owner.
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
  // A name that is no identifier cannot be set in a shell.
  const names = pairs.filter(([name]) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return `${names.map(([name, value]) => `export ${name}=${quoted(value)}; `).join('')}exec /bin/sh -c "$0"`;
}

/** Words that become a command in the root that they are run in. */
export function becomes(inside: Inside, command: string): string[] {
  return ['/bin/sh', '-c', `${beginning(inside.folder)} && exec 4>&- && ${becoming(inside)}`, command];
}

/**
 * Words that run a command as the first process of a namespace would: that gets no signals that it does not ask for, and inherits
 * processes, neither of which a command should have to know. It says the exit code on descriptor 4.
 */
export function attends(inside: Inside, command: string): string[] {
  // A shell tells of a child that a signal ended, which the command's outputs are not to have.
  const quiet = 'exec 5>&2 2>/dev/null';
  const end = 'code=$?; echo "ended $code" >&4; exit $code';
  const script = `${beginning(inside.folder)} || exit 1; ${quiet}; (${becoming(inside)}) 2>&5 4>&- 5>&-; ${end}`;
  return ['/bin/sh', '-c', script, command];
}

/**
 * Words that run a command as `attends` does, with the environment that they have themselves, and say nothing: for where what begins them tells the exit code.
 * It is another's if it is the first process that makes the namespace, and that one would have no filter of system calls.
 */
export function waits(command: string, environment: ReadonlyMap<string, string>): string[] {
  // What some shells add to an environment.
  const added = ['SHLVL', 'OLDPWD', '_'].filter((name) => !environment.has(name));
  const script = `exec 5>&2 2>/dev/null </dev/null; (unset ${added.join(' ')}; exec /bin/sh -c "$0") 2>&5 5>&-; exit $?`;
  return ['/bin/sh', '-c', script, command];
}

/**
 * Whether the command was begun, and the chain of processes has its exit code, `own`. Above 128 that may also mean that the chain was killed, if
 * nothing else was said at the end of what was written to descriptor 4. A command can write there, too, through the first process's
 * `/proc/1/fd`; its exit code it cannot change so.
 */
export function begunInside(status: string, own: number): 'begun' | undefined {
  const isOver = own <= 128 || status.endsWith(`ended ${own}\n`);
  return isOver && status.startsWith('begun\n') ? 'begun' : undefined;
}
