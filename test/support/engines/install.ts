import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { stateFolder } from './daemons.ts';

/** Whether a program is on the PATH, or where Debian keeps daemons. */
export function has(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs Debian packages where `program` is missing. Throws, with what to install, where that takes rights or
 * an apt that are not there. Several may do it at once; `lockFolder` is theirs.
 */
export function install(program: string, packages: readonly string[], lockFolder = stateFolder('apt')): void {
  if (has(program)) return;
  const names = packages.join(' ');
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    const how = has('apt-get')
      ? `as root: apt-get install ${names}`
      : `${program} (Debian has it in ${names})`;
    throw new Error(`${program} is missing; install it first, ${how}`);
  }
  process.stderr.write(`Installing ${names} (Debian packages, which stay)\n`);
  mkdirSync(lockFolder, { recursive: true });
  // Somebody else may have installed them while this one waited for the lock. The lists are fetched where there are none, or old ones.
  const script = `get() { apt-get install -y -qq --no-install-recommends ${names}; }
    command -v ${program} >/dev/null || get 2>/dev/null || { apt-get update -qq && get; }`;
  try {
    execFileSync('flock', [join(lockFolder, 'lock'), 'sh', '-c', script], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Daemons are started by us and for us only, not by the packages.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', LC_ALL: 'C' },
      maxBuffer: 64 << 20,
    });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw new Error(`apt-get cannot install ${names}:\n${stderr?.toString().trimEnd() ?? String(error)}`);
  }
}
