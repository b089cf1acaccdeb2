import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { abisOf } from './compile.ts';
import { numbersOf } from './numbers.ts';

/**
 * A Perl program for what no program of util-linux and coreutils does; every Debian has Perl (`perl-base`).
 * It takes a new session keyring (`man 7 session-keyring`), loads the filter from a file if one is named, and
 * becomes the program that follows. A kernel without keyrings, or that hides them, answers ENOSYS or EPERM:
 * then there is nothing to protect.
 */
const APART = String.raw`
use strict;
my ($keyctl, $prctl, $file) = splice @ARGV, 0, 3;
syscall $keyctl, 1, 0;
if ($file ne '') {
  open my $in, '<:raw', $file or die "$file: $!\n";
  my $program = do { local $/; <$in> };
  my $filter = pack 'Sx![P]P', length($program) / 8, $program;
  syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no new privileges: $!\n";
  syscall($prctl, 22, 2, $filter, 0, 0) == 0 or die "filter of system calls: $!\n";
}
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n";
`;

/**
 * Words before those of a program that start it with its own session keyring, and behind the filter in `file`
 * if that is named; none where Perl is missing. `path` is where programs are looked for.
 */
export function beginsApart(path: string, file = ''): readonly string[] {
  const [abi] = abisOf(process.arch);
  if (abi === undefined || !hasPerl(path)) return [];
  const numbers = numbersOf(abi);
  return ['perl', '-e', APART, ...['keyctl', 'prctl'].map((name) => `${numbers.get(name)}`), file];
}

/** Whether Perl is installed, which loads a filter where no program for sandboxes does. */
export function hasPerl(path: string): boolean {
  return path.split(':').some((folder) => {
    try {
      accessSync(join(folder, 'perl'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
