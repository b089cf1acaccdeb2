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

/**
 * The compression of an archive. Node cannot decompress bzip2 and xz, so the programs with these names are
 * used.
 */
export type Packing = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** Thrown if the program to unpack an archive is not installed. */
export class MissingProgram extends Error {
  override readonly name = 'MissingProgram';
  readonly program: string;
  /** The Debian package that contains the program. */
  readonly package: string;

  constructor(program: keyof typeof programs) {
    super(`it is compressed with ${program}, but the program ${program} is not installed`);
    this.program = program;
    this.package = programs[program].package;
  }
}

/** Where to search for programs. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const programs = {
  bzip2: { package: 'bzip2', words: ['-dc'], magic: '425a68' },
  // A hostile archive may require 4 GiB for unpacking; one made by `xz -9` requires 65 MiB.
  xz: { package: 'xz-utils', words: ['-dc', '--memlimit-decompress=512MiB'], magic: 'fd377a585a00' },
} as const;

/** Thrown if a program cannot unpack an archive. */
class ProgramError extends ArchiveError {}

/**
 * The compression of a file that is a non-empty tar archive; undefined for other files. Like Docker's ADD,
 * this checks the content, not the name. Rejects with `MissingProgram`, or with an error for which `isDamage`
 * is true, if it cannot be determined.
 */
export async function packingOf(real: BytePath): Promise<Packing | undefined> {
  const packing = await packingByMagic(real);
  const entries = openRetrieved(real, packing);
  try {
    const first = await entries.next();
    return first.done ? undefined : packing;
  } catch (error) {
    // If the program's output is not an archive, the file is not one. If the program failed, it is not known.
    if (error instanceof ArchiveError && !(error instanceof ProgramError)) return undefined;
    throw error;
  } finally {
    await entries.return();
  }
}

/** Whether an error means that data is not an archive, or a damaged one. */
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
    // lz4 is not supported. Read as uncompressed data, the file is found not to be a tar archive.
    return hex.startsWith('04224d18') ? 'none' : compressionByMagic(start);
  } finally {
    await handle.close();
  }
}

/** The entries of an archive. Names that lead outside the archive are placed inside it. */
export function openRetrieved(real: BytePath, packing: Packing): AsyncGenerator<ReadEntry, void, undefined> {
  const bytes =
    packing === 'bzip2' || packing === 'xz'
      ? byProgram(real, packing)
      : decompress(createReadStream(toBytes(real), { highWaterMark: CHUNK }), packing);
  return readTar(bytes, { sparse: true, rooted: true, allowMissingEnd: true });
}

/** Maximum number of characters to keep of a program's error output. */
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

/** The decompressed output of a program. The program ends when the reader stops. */
async function* byProgram(
  real: BytePath,
  name: keyof typeof programs,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = await open(toBytes(real));
  const child = await started(name, file);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null)
    throw new Error('internal error: a program was started without output pipes');
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
    if (code !== 0) throw new ProgramError(line.replace(/^[^:]*: /, '') || `exit code ${code} of ${name}`);
  } finally {
    child.kill('SIGKILL');
    await ended.catch(() => {});
    await file.close();
  }
}
