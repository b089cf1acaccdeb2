/**
 * Which system calls steps may make: those that Docker's containers may with its default profile and capabilities, because what builds there is to build
 * here. Whatever is not here is refused with EPERM, which programs know how to live with; what the kernel is newer than this list for, with ENOSYS, so that C
 * libraries do without.
 *
 * Left out, among others:
 * - `keyctl add_key request_key`: keyrings know no namespaces, so that one package could leave another something, or read its caller's
 * - `io_uring_*`: does what other calls do, past this list, and had many faults
 * - `unshare setns` and namespaces by `clone`: a new user namespace gives back all capabilities over what is in it
 * - `mount` and all of its kind, `pivot_root`, `open_by_handle_at`: what is outside of the root
 * - `bpf perf_event_open userfaultfd kcmp pidfd_getfd process_madvise lookup_dcookie`: look into the kernel or into others
 * - `init_module kexec_load reboot swapon acct settimeofday sethostname syslog quotactl iopl` and their kind: the machine's own
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** By name. A name that an ABI does not have is ignored there. */
export const allowedCalls: readonly string[] = [
  // Files: to open, read, write and close them
  ...words(`
    open openat openat2 creat close close_range dup dup2 dup3 pipe pipe2 memfd_create memfd_secret
    read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek
    sendfile sendfile64 splice tee vmsplice copy_file_range readahead fadvise64 fadvise64_64 arm_fadvise64_64
    fcntl fcntl64 flock ioctl fsync fdatasync sync syncfs sync_file_range sync_file_range2
    truncate truncate64 ftruncate ftruncate64 fallocate cachestat
    io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`),
  // Files: what they are called and what is known of them
  ...words(`
    access faccessat faccessat2 stat stat64 fstat fstat64 lstat lstat64 newfstatat fstatat64 statx oldstat oldfstat oldlstat
    statfs statfs64 fstatfs fstatfs64 ustat getdents getdents64 readdir readlink readlinkat getcwd name_to_handle_at
    chdir fchdir chroot link linkat symlink symlinkat unlink unlinkat rename renameat renameat2
    mkdir mkdirat rmdir mknod mknodat umask
    chmod fchmod fchmodat fchmodat2 chown chown32 fchown fchown32 lchown lchown32 fchownat
    utime utimes utimensat utimensat_time64 futimesat
    getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
    listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat
    file_getattr file_setattr`),
  // What is waited for
  ...words(`
    select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64
    epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
    eventfd eventfd2 signalfd signalfd4 inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark
    timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`),
  // Memory
  ...words(`
    brk mmap mmap2 munmap mprotect mremap msync madvise mincore remap_file_pages
    mlock mlock2 mlockall munlock munlockall mseal map_shadow_stack membarrier pkey_alloc pkey_free pkey_mprotect
    shmget shmat shmdt shmctl`),
  // Processes and threads
  ...words(`
    fork vfork execve execveat exit exit_group wait4 waitid waitpid restart_syscall
    getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address
    futex futex_time64 futex_wait futex_wake futex_requeue futex_waitv get_robust_list set_robust_list rseq
    arch_prctl set_thread_area get_thread_area set_tls get_tls modify_ldt cacheflush breakpoint
    prctl capget capset seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
    pidfd_open pidfd_send_signal process_mrelease process_vm_readv process_vm_writev
    getrlimit ugetrlimit setrlimit getrusage times
    getpriority setpriority nice ioprio_get ioprio_set getcpu
    sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min
    sched_rr_get_interval sched_rr_get_interval_time64`),
  // Users and groups
  ...words(`
    getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32
    getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
    setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32`),
  // Signals
  ...words(`
    kill tkill tgkill pause signal sigaction sigpending sigprocmask sigreturn sigsuspend sigaltstack sgetmask ssetmask
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
    rt_sigtimedwait_time64 rt_tgsigqueueinfo`),
  // Time; to set the clock takes a capability that steps do not have
  ...words(`
    time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 adjtimex clock_adjtime clock_adjtime64
    nanosleep clock_nanosleep clock_nanosleep_time64 alarm getitimer setitimer
    timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64`),
  // Sockets, and messages between processes; `socket` has a rule of its own
  ...words(`
    socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
    send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64
    ipc semget semop semtimedop semtimedop_time64 semctl msgget msgsnd msgrcv msgctl
    mq_open mq_unlink mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64 mq_notify mq_getsetattr`),
  // The machine
  ...words('uname olduname oldolduname sysinfo getrandom'),
];

/** A rule for one argument of a call; only its lower 32 bits count. */
export interface ArgumentRule {
  /** The index of the argument, from 0. */
  readonly argument: number;
  /**
   * The call is allowed if the argument has none of these bits, is one of these values, or is none of these
   * values.
   */
  readonly test: 'no-bit-of' | 'one-of' | 'none-of';
  readonly values: readonly number[];
}

/** Flags of `clone` for new namespaces: of mounts, control groups, names, messages, users, processes and networks. */
const NAMESPACES = 0x7e020000;

/** Calls that are allowed with some arguments, and refused with EPERM otherwise. */
export const ruledCalls: Readonly<Record<string, ArgumentRule>> = {
  clone: { argument: 0, test: 'no-bit-of', values: [NAMESPACES] },
  // Linux as it is, with 32 bits (8), or pretending to be 2.6 (0x20000); the last value only asks.
  personality: { argument: 0, test: 'one-of', values: [0, 8, 0x20000, 0x20008, 0xffffffff] },
  // Sockets to the host of a virtual machine know no namespaces (AF_VSOCK).
  socket: { argument: 0, test: 'none-of', values: [40] },
  // Of the caller's own process alone: where processes have no namespace, a limit of processor time would
  // kill processes of the machine, and Landlock does not look at limits.
  prlimit64: { argument: 0, test: 'one-of', values: [0] },
  // The first process ends the others, and the command is over when it is: no process may stop it by tracing.
  ptrace: { argument: 1, test: 'none-of', values: [1] },
};

/**
 * Calls that C libraries do without if they are answered with ENOSYS; their arguments are in memory, where no
 * filter can look.
 */
export const unknownCalls: readonly string[] = ['clone3'];
