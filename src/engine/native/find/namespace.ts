import { readFileSync, readlinkSync } from 'node:fs';
import { advice, failure, type Trial } from './trial.ts';

/** The number of user ids that there are. */
export const ALL_IDS = 4294967295;

/** The machine's first user namespace; its number is a constant of the kernel (`PROC_USER_INIT_INO`). */
const FIRST = 'user:[4026531837]';

/**
 * Whether this process is in another user namespace than the machine's first, and how many user ids it has
 * there.
 */
export function idsHere(): { readonly isNamespace: boolean; readonly count: number } {
  try {
    const count = rowsOf('uid_map').reduce((sum, row) => sum + row.count, 0);
    return { isNamespace: count < ALL_IDS || readlinkSync('/proc/self/ns/user') !== FIRST, count };
  } catch {
    return { isNamespace: false, count: ALL_IDS };
  }
}

/** A row of `uid_map` or `gid_map`: a range of ids of this process's namespace (`man 7 user_namespaces`). */
interface IdRow {
  readonly inside: number;
  readonly count: number;
}

function rowsOf(map: 'uid_map' | 'gid_map'): IdRow[] {
  const rows = readFileSync(`/proc/self/${map}`, 'utf8').trim().split('\n');
  return rows.map((row) => {
    const [inside = 0, , count = 0] = row.trim().split(/\s+/).map(Number);
    return { inside, count };
  });
}

/** Whether this process has CAP_SYS_ADMIN, which mounts and namespaces need. */
export function isAdministrator(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 21n) & 1n) === 1n;
}

/** Whether this process is root with all rights: with CAP_SYS_ADMIN, and not in a user namespace. */
export function isFullRoot(): boolean {
  return process.getuid?.() === 0 && !idsHere().isNamespace && isAdministrator();
}

/**
 * Words that enter a user namespace, to be followed by a program; or undefined where that is not possible.
 * `trials` say why.
 */
export interface NamespaceAnswer {
  readonly words: readonly string[] | undefined;
  readonly trials: readonly Trial[];
}

const ONE_ID = ['unshare', '-Ur', '-m', '--propagation', 'private'];

/** How a user who is not root can enter a user namespace: with a range of ids, with one id, or not at all. */
export async function namespaceHere(): Promise<NamespaceAnswer> {
  const plain = await withoutIds();
  if (plain !== undefined) return { words: undefined, trials: [plain] };
  const helper = await failure('newuidmap', []);
  const missing = helper?.endsWith('is not installed') ? helper : undefined;
  const ranged = missing ?? (await failure('unshare', ['-Ur', '--map-auto', 'true']));
  if (ranged === undefined)
    return {
      words: ['unshare', '-Ur', '--map-auto', '-m', '--propagation', 'private'],
      trials: [{ name: RANGE, usable: true, reason: '' }],
    };
  const needs = `${advice(ranged)}; a range in /etc/subuid and /etc/subgid and the package uidmap are needed`;
  return { words: ONE_ID, trials: [{ name: RANGE, usable: false, reason: needs }, oneId] };
}

const RANGE = 'a user namespace with a range of ids';
const oneId: Trial = { name: 'a user namespace with one id', usable: true, reason: '' };

/** The failed trial of a user namespace; undefined where it succeeds. */
async function withoutIds(): Promise<Trial | undefined> {
  const reason = await failure('unshare', ['-Ur', 'true']);
  return reason === undefined
    ? undefined
    : { name: 'a user namespace', usable: false, reason: advice(reason) };
}

/**
 * How root without CAP_SYS_ADMIN can enter a user namespace, as in a container without privileges: with all
 * ids, so that files have the owners that they have outside; with the id of root alone; or not at all.
 */
export async function namespaceOfRoot(): Promise<NamespaceAnswer> {
  const plain = await withoutIds();
  if (plain !== undefined) return { words: undefined, trials: [plain] };
  const [program = '', ...words] = withAllIds();
  const name = 'a user namespace with all ids';
  // Also with the rights that a namespace gives.
  const reason = await failure(program, [...words, 'unshare', '-m', 'true']);
  if (reason === undefined)
    return { words: [program, ...words], trials: [{ name, usable: true, reason: '' }] };
  return { words: ONE_ID, trials: [{ name, usable: false, reason: advice(reason) }, oneId] };
}

/**
 * Words that enter a user namespace in which every id is the same as outside. `unshare` writes such a map
 * only through `newuidmap`, which does not give all ids to root, so a process that stays outside writes it.
 * The process keeps its id, because others may wait for it. It runs no other program before it has the map:
 * it would lose all rights, and could not get them back where `no_new_privs` is set.
 */
function withAllIds(): string[] {
  const [users = '', groups = ''] = (['uid_map', 'gid_map'] as const).map((map) =>
    rowsOf(map)
      .map(({ inside, count }) => `${inside} ${inside} ${count}\n`)
      .join(''),
  );
  return ['perl', '-e', ENTER, calls[process.arch] ?? '', users, groups];
}

/** Numbers of the system calls `unshare` and `mount`. */
const calls: Readonly<Record<string, string>> = { x64: '272,165', arm64: '97,40' };

/** A Perl program that enters the namespace, and then becomes the program that follows. */
const ENTER = String.raw`
use strict;
my ($calls, $users, $groups) = splice @ARGV, 0, 3;
shift if $ARGV[0] eq '--';
my ($unshare, $mount) = map { $_ + 0 } split /,/, $calls;
my $entering = $$;
pipe my $inside, my $entered or die "pipe: $!";
pipe my $mapped, my $done or die "pipe: $!";
my $outside = fork // die "fork: $!";
if (!$outside) {
  # One of its own, so that nobody has to ask how it ended.
  exit if fork;
  close $entered;
  sysread $inside, my $word, 1;
  for (['gid_map', $groups], ['uid_map', $users]) {
    open my $map, '>', "/proc/$entering/$_->[0]" or die "$_->[0]: $!";
    syswrite($map, $_->[1]) or die "$_->[0]: $!";
  }
  syswrite $done, 'x';
  exit;
}
waitpid $outside, 0;
close $done;
# Users and mounts; the mounts are to be this process's own.
syscall($unshare, 0x10020000) >= 0 or die "unshare: $!";
my ($none, $root) = ("none\0", "/\0");
syscall($mount, $none, $root, 0, 0x44000, 0) >= 0 or die "mount: $!";
syswrite $entered, 'x';
sysread($mapped, my $word, 1) or die 'no ids were given to the user namespace';
exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!";
`;
