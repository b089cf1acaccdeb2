import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { type BaseFile, type BaseImage, conformanceBase } from '../../../scripts/base-image.ts';

/** The tests' base image with this machine's Perl in it, which makes any system call. */
export const PERL_IMAGE = 'luet-ts-test/perl:1';

/** Makes it. Debian has Perl on every machine. */
export async function perlImage(): Promise<BaseImage> {
  const base = await conformanceBase();
  const files: Record<string, BaseFile> = { ...base.files };
  const add = (path: string, real: string): void => {
    const parts = path.slice(1).split('/');
    for (let i = 1; i < parts.length; i++) files[parts.slice(0, i).join('/')] ??= { type: 'directory' };
    files[parts.join('/')] = { type: 'file', content: readFileSync(real), mode: 0o755 };
  };
  const perl = realpathSync('/usr/bin/perl');
  add('/usr/bin/perl', perl);
  for (const [, path = ''] of execFileSync('ldd', [perl], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g))
    add(path, realpathSync(path));
  return { ...base, reference: PERL_IMAGE, files };
}
