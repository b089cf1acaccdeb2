import { spawn } from 'node:child_process';
import { linkSync } from 'node:fs';
import { withPipes } from '../../async/index.ts';
import { type BytePath, type Entry, toBytes } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { native, tryLstat } from './disk.ts';

/** A device or named pipe to create. */
export interface SpecialFile {
  readonly real: BytePath;
  readonly type: Entry['type'];
  readonly device?: { readonly major: number; readonly minor: number } | undefined;
}

const letters: Readonly<Partial<Record<Entry['type'], string>>> = { character: 'c', block: 'b', fifo: 'p' };

const quote = (path: BytePath): string => `'${path.replaceAll("'", "'\\''")}'`;

/**
 * Creates devices and pipes with mode 0600, all with one shell, because Node cannot create them. Returns
 * those that failed, and the error output of `mknod`.
 */
export async function makeSpecialFiles(
  nodes: readonly SpecialFile[],
): Promise<{ failed: readonly SpecialFile[]; said: string }> {
  if (nodes.length === 0) return { failed: [], said: '' };
  const commands = nodes.map(({ real, type, device }) => {
    const numbers = type === 'fifo' ? '' : ` ${device?.major ?? 0} ${device?.minor ?? 0}`;
    return `mknod -m 600 ${quote(real)} ${letters[type]}${numbers}\n`;
  });
  const said = await shell(toBytes(commands.join('')));
  return { failed: nodes.filter(({ real }) => tryLstat(real) === undefined), said };
}

async function shell(script: Buffer): Promise<string> {
  const child = withPipes(spawn('sh', ['-s'], { stdio: ['pipe', 'ignore', 'pipe'] }));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (said.length < 1000) said += chunk.toString('utf8');
  });
  child.stdin.on('error', () => {}).end(script);
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject).on('close', () => resolve());
  });
  return said.trim().split('\n', 1)[0] ?? '';
}

/**
 * Creates whiteouts in the format of overlayfs. They are hard links of one device, as far as the file system
 * allows, so that their number costs no additional processes.
 */
export async function makeWhiteoutDevices(reals: readonly BytePath[]): Promise<void> {
  let original: BytePath | undefined;
  for (const real of reals) {
    if (original !== undefined && linked(original, real)) continue;
    const { failed, said } = await makeSpecialFiles([
      { real, type: 'character', device: { major: 0, minor: 0 } },
    ]);
    if (failed.length > 0) throw new ImageError(`cannot create a whiteout (character device 0/0): ${said}`);
    original = real;
  }
}

function linked(from: BytePath, to: BytePath): boolean {
  try {
    linkSync(native(from), native(to));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EMLINK') return false;
    throw error;
  }
}
