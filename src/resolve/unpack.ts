import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { withPipes } from '../async/index.ts';
import { compressionByMagic } from '../image/index.ts';
import {
  ArchiveError,
  type BytePath,
  CHUNK,
  decompress,
  type ReadEntry,
  readTar,
  toBytes,
} from '../tar/index.ts';

/** How an archive is packed. bzip2 and xz, which Node cannot read, are unpacked by the programs of that name. */
export type Packing = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** Thrown where the program is not there that unpacks an archive. */
export class MissingProgram extends Error {
  override readonly name = 'MissingProgram';
  readonly program: string;
  /** The Debian package that has it. */
  readonly package: string;

  constructor(program: keyof typeof programs) {
    super(`it is compressed with ${program}, and this machine has no program ${program}`);
    this.program = program;
    this.package = programs[program].package;
  }
}

/** Where programs are found. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const programs = {
  bzip2: { package: 'bzip2', words: ['-dc'], magic: '425a68' },
  // A hostile archive may ask for 4 GiB to unpack itself; what `xz -9` makes takes 65 MiB.
  xz: { package: 'xz-utils', words: ['-dc', '--memlimit-decompress=512MiB'], magic: 'fd377a585a00' },
} as const;

/** Thrown where a program cannot unpack an archive. */
class ProgramError extends ArchiveError {}

/**
 * How a file is packed that is a tar archive with something in it; undefined for any other file. As Docker's ADD does, this looks at
 * the content and not at the name. Rejects with `MissingProgram`, or as `isDamage` knows, where that cannot be told.
 */
export async function packingOf(real: BytePath): Promise<Packing | undefined> {
  const packing = await packingByMagic(real);
  const entries = openRetrieved(real, packing);
  try {
    const first = await entries.next();
    return first.done ? undefined : packing;
  } catch (error) {
    // What comes out of it is no archive; where nothing comes out, nobody knows.
    if (error instanceof ArchiveError && !(error instanceof ProgramError)) return undefined;
    throw error;
  } finally {
    await entries.return();
  }
}

/** Whether an error means that bytes are no archive, or a damaged one. */
export function isDamage(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return error instanceof ArchiveError || (typeof code === 'string' && /^(?:Z_|ZSTD_)/.test(code));
}

async function packingByMagic(real: BytePath): Promise<Packing> {
  const handle = await open(toBytes(real));
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0);
    const start = buffer.subarray(0, bytesRead);
    const hex = start.toString('hex');
    for (const [name, { magic }] of Object.entries(programs))
      if (hex.startsWith(magic)) return name as keyof typeof programs;
    // An archive of another kind is none of tar's, whatever it is.
    return hex.startsWith('04224d18') ? 'none' : compressionByMagic(start);
  } finally {
    await handle.close();
  }
}

/** The entries of an archive. Names that lead out of it are taken as inside of it, as where it is the whole file system. */
export function openRetrieved(real: BytePath, packing: Packing): AsyncGenerator<ReadEntry, void, undefined> {
  const bytes =
    packing === 'bzip2' || packing === 'xz'
      ? byProgram(real, packing)
      : decompress(createReadStream(toBytes(real), { highWaterMark: CHUNK }), packing);
  return readTar(bytes, { sparse: true, rooted: true, allowMissingEnd: true });
}

/** Most that is kept of what a program complains about. */
const MOST_SAID = 2000;

async function started(name: keyof typeof programs, file: FileHandle): Promise<ChildProcess> {
  const { words } = programs[name];
  try {
    return withPipes(spawn(name, words, { stdio: [file.fd, 'pipe', 'pipe'], env: { PATH, LC_ALL: 'C' } }));
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The bytes that a program unpacks. It ends when nobody reads on. */
async function* byProgram(
  real: BytePath,
  name: keyof typeof programs,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(toBytes(real));
  const child = await started(name, file);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('a program was begun without its outputs');
  let said = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, MOST_SAID);
  });
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new MissingProgram(name) : error),
    );
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  ended.catch(() => {});
  try {
    yield* stdout;
    const code = await ended;
    const [line = ''] = said.trim().split('\n');
    if (code !== 0) throw new ProgramError(line.replace(/^[^:]*: /, '') || `${name} ended with ${code}`);
  } finally {
    child.kill('SIGKILL');
    await ended.catch(() => {});
    await file.close();
  }
}
