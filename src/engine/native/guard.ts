import { spawn } from 'node:child_process';
import { withPipes } from '../../async/index.ts';
import { PATH } from './starter.ts';

/**
 * Ends what commands left running in roots whose paths begin like this, when this program ends, in whatever way: a process that waits for the end
 * of a stream which this program holds, and then kills every process that has such a root. For where no namespace does so. Call what is
 * answered to end it.
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
  // In a session of its own, so that what ends this program at a terminal does not end the guard.
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
