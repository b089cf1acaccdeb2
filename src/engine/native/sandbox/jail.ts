import { capabilities } from './sandbox.ts';

/** The walls around a command that runs in a folder by `chroot`, where nothing may be mounted. */
export interface Walls {
  /** Whether perl is installed, which makes the other walls: without it there is only `chroot`. */
  readonly perl: boolean;
  /** Whether capabilities can be taken from the command. */
  readonly capabilities: boolean;
  /** Whether the command can have its own namespaces for processes, messages and names. */
  readonly namespaces: boolean;
  /** The version of Landlock that confines the command (`man 7 landlock`); 0 where the kernel has none. */
  readonly landlock: number;
  /** Whether no device of the machine can be opened in any case, as in most containers. */
  readonly guardedDevices: boolean;
}

/** From this version on, Landlock lets files be moved between folders, which builds need. */
export const LANDLOCK_MOVES = 2;

/** From this version on, Landlock confines signals. */
const LANDLOCK_SIGNALS = 6;

/** What commands behind these walls can still do to the machine; empty where that is nothing. */
export function gaps(walls: Walls): string[] {
  if (!walls.perl) return ['nothing holds them but chroot (apt-get install perl-base)'];
  const found: string[] = [];
  if (walls.landlock === 0)
    found.push('nothing but chroot keeps them from files, for the kernel has no Landlock here');
  if (walls.landlock < LANDLOCK_SIGNALS && !walls.namespaces)
    found.push('they can send signals to other processes');
  if (!walls.guardedDevices) found.push('they can open devices that an image has');
  return found;
}

/**
 * Capabilities of containers that help a command out of a `chroot`, or against other processes, and that no
 * build needs.
 */
const dropped: readonly string[] = ['KILL', 'NET_RAW', 'SETPCAP', 'SYS_CHROOT'];

/** The capabilities that a command keeps. */
export function keptCapabilities({ perl, guardedDevices }: Walls): string[] {
  const gone = [...dropped, ...(guardedDevices ? [] : ['MKNOD'])];
  // Without perl, the last program enters the command's own root, which needs the capability.
  return capabilities.filter((name) => !gone.includes(name) || (!perl && name === 'SYS_CHROOT'));
}

/** Numbers of capabilities (`man 7 capabilities`). */
const numbers: Readonly<Record<string, number>> = {
  ...{ CHOWN: 0, DAC_OVERRIDE: 1, FOWNER: 3, FSETID: 4, KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8 },
  ...{ NET_BIND_SERVICE: 10, NET_RAW: 13, SYS_CHROOT: 18, MKNOD: 27, AUDIT_WRITE: 29, SETFCAP: 31 },
};

/**
 * Numbers of the system calls `prctl`, `unshare`, `setsid` and `openat`. Those of Landlock are the same on
 * all processors.
 */
const calls: Readonly<Record<string, string>> = { x64: '157,272,112,257', arm64: '167,97,157,56' };

/** Whether `jailWords` has the numbers of this processor. */
export const isProcessorKnown: boolean = process.arch in calls;

/**
 * Words that become a program with a folder as its root, behind walls, and behind the filter of system calls
 * in the file `filter` if it is named. Their exit code is the program's, and no process of it is left. They
 * fail where a wall that is asked for is not possible.
 */
export function jailWords(root: string, walls: Walls, filter = ''): string[] {
  const options = {
    root,
    calls: calls[process.arch] ?? '',
    namespaces: walls.namespaces ? 1 : 0,
    landlock: walls.landlock,
    drop: walls.capabilities ? 1 : 0,
    keep: keptCapabilities(walls)
      .map((name) => numbers[name])
      .join(),
    filter,
  };
  return ['perl', '-e', JAIL, ...Object.entries(options).map(([name, value]) => `${name}=${value}`), '--'];
}

/**
 * A Perl program for what no program of util-linux and coreutils does. Every Debian has Perl (`perl-base`).
 * There are three processes. The first stays outside, becomes the parent of what the command leaves running
 * (PR_SET_CHILD_SUBREAPER), and ends it; also when its own parent ends, which a signal tells it. The second
 * is the first process of the command's namespaces and Landlock domain: it can signal what the command
 * started, all at once, and nothing else. The third becomes the command.
 */
const JAIL = String.raw`
use strict;
my %is;
while (@ARGV and (my $word = shift) ne '--') {
  my ($name, $value) = split /=/, $word, 2;
  $is{$name} = $value;
}
my ($prctl, $unshare, $setsid, $openat) = map { $_ + 0 } split /,/, $is{calls};
my ($first, $second) = ($$);

sub fail { print STDERR "$_[0]\n"; exit 125 }
sub call { my $what = shift; my $got = syscall(shift, @_); $got >= 0 or fail("$what: $!"); $got }

# The processes that this one has begun or got, and all of theirs.
sub descendants {
  opendir my $proc, '/proc' or return;
  my %parent;
  for my $pid (grep { /^\d+$/ } readdir $proc) {
    open my $stat, '<', "/proc/$pid/stat" or next;
    local $/;
    $parent{$pid} = $1 if (<$stat> // '') =~ /^.*\) \S (\d+) /s;
  }
  my %ours = ($$ => 1);
  for (my $count = 0; $count != keys %ours;) {
    $count = keys %ours;
    $ours{$_} = 1 for grep { $ours{$parent{$_}} } keys %parent;
  }
  delete $ours{$$};
  keys %ours;
}

# They are stopped first: what is stopped begins no others.
sub sweep {
  1 while waitpid(-1, 1) > 0;
  return if waitpid(-1, 1) == -1;
  my %stopped;
  for (1 .. 1000) {
    my @fresh = grep { !$stopped{$_}++ } descendants() or last;
    kill 'STOP', @fresh;
  }
  for (1 .. 1000) {
    my @left = descendants() or last;
    kill 'KILL', @left;
    1 while waitpid(-1, 1) > 0;
  }
}

# Waits for a child, and for others meanwhile; its exit code, as a shell tells it.
sub attend {
  my $child = shift;
  while ((my $pid = waitpid -1, 0) != -1 or $!{EINTR}) {
    return $? & 127 ? 128 + ($? & 127) : $? >> 8 if $pid == $child;
  }
  137;
}

sub confine {
  my $version = $is{landlock} or return;
  my $files = 0x1fff | 1 << 13 | ($version >= 3) << 14 | ($version >= 5) << 15;
  my $rules = pack 'QQQ', $files, 0, $version >= 6 ? 3 : 0;
  my $ruleset = call('landlock_create_ruleset', 444, $rules, 24, 0);
  my $path = "$is{root}\0";
  my $beneath = pack 'Qi', $files, call("open $is{root}", $openat, -100, $path, 0x280000, 0);
  call('landlock_add_rule', 445, $ruleset, 1, $beneath, 0);
  call('landlock_restrict_self', 446, $ruleset, 0);
}

# Kills all that this process may signal, if that is surely none but the command's.
sub clear { kill 'KILL', -1 if $is{namespaces} ? $$ == 1 : $is{landlock} >= 6 && !kill 0, $first }

sub content {
  my $file = shift or return '';
  open my $in, '<:raw', $file or fail("$file: $!");
  local $/;
  <$in>;
}

# Lets through only the system calls that a filter does.
sub restrict {
  my $program = shift or return;
  my $filter = pack 'Sx![P]P', length($program) / 8, $program;
  call('filter of system calls', $prctl, 22, 2, $filter, 0, 0);
}

sub become {
  call('setsid', $setsid);
  call('prctl', $prctl, 1, 9, 0, 0, 0);
  chroot $is{root} and chdir '/' or fail("chroot $is{root}: $!");
  my %keep = map { $_ => 1 } split /,/, $is{keep};
  for (grep { !$keep{$_} } $is{drop} ? 0 .. 63 : ()) {
    syscall($prctl, 24, $_, 0, 0, 0);
    fail("capability $_ stays: $!") if syscall($prctl, 23, $_, 0, 0, 0) == 1;
  }
  exec { $ARGV[0] } @ARGV;
  fail("$ARGV[0]: $!");
}

call('prctl', $prctl, 36, 1, 0, 0, 0);
$SIG{TERM} = sub {
  kill 'TERM', $second if $second;
  select undef, undef, undef, 0.05;
  sweep();
  exit 143;
};
call('prctl', $prctl, 1, 15, 0, 0, 0);
call('prctl', $prctl, 38, 1, 0, 0, 0);
# Namespaces of processes, of messages and of names.
call('unshare', $unshare, 0x2c000000) if $is{namespaces};
$second = fork // fail("fork: $!");
if (!$second) {
  $SIG{TERM} = 'DEFAULT';
  # Behind the walls the file cannot be read.
  my $filter = content($is{filter});
  confine();
  restrict($filter);
  my $third = fork // fail("fork: $!");
  become() if !$third;
  $SIG{TERM} = sub { clear(); exit 143 };
  my $code = attend($third);
  clear();
  exit $code;
}
my $code = attend($second);
sweep();
exit $code;
`;
