import { spawn } from 'node:child_process';
import { withPipes } from '../../../async/index.ts';
import { PATH } from './starter.ts';

/**
 * Kills what commands left running in roots whose paths begin with `beginning`, when this program ends in any
 * way: a process waits for the end of a stream that this program holds, and then kills all processes with
 * such a root. For where no namespace does that. Call the result to end the guard.
 */
export function guard(beginning: string): () => Promise<void> {
  const script = `read -r line
for round in 1 2 3 4 5 6 7 8 9; do
  found=
  for process in /proc/[0-9]*; do
    case $(readlink "$process/root" 2>/dev/null) in
      "$1"*) kill -9 "\${process#/proc/}" 2>/dev/null; found=1;;
    esac
  done
  [ -n "$found" ] || exit 0
done`;
  // In its own session, so that an interrupt at the terminal does not end the guard, too.
  const child = withPipes(
    spawn('setsid', ['sh', '-c', script, 'sh', beginning], {
      cwd: '/',
      env: { PATH },
      stdio: ['pipe', 'ignore', 'ignore'],
    }),
  );
  const ended = new Promise<void>((resolve) => {
    child.on('exit', () => resolve()).on('error', () => resolve());
  });
  child.unref();
  (child.stdin as typeof child.stdin & { unref?: () => void }).unref?.();
  return async () => {
    child.stdin.end();
    child.ref();
    await ended;
  };
}
