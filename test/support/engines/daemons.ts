import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Daemon } from './keeper.ts';

const asRoot = process.getuid?.() === 0;

/** Holds sockets, pids and logs of engines of our own; gone after a restart of the machine. */
export function stateFolder(name: string): string {
  const base = asRoot ? '/run' : process.env.XDG_RUNTIME_DIR || tmpdir();
  return join(base, 'luet-ts', name);
}

const overlayMagic = 0x794c7630;

/**
 * Holds images of an engine of our own, and stays. Overlay mounts cannot lie on an overlay, which is what the root
 * of a container is: a folder that can hold them is preferred, even one in memory.
 */
export function dataFolder(name: string): string {
  const candidates = ['/var/lib/luet-ts', '/dev/shm/luet-ts'].map((base) => join(base, name));
  const fits = candidates.find((folder) => {
    try {
      let there = folder;
      while (!existsSync(there)) there = dirname(there);
      return statfsSync(there).type !== overlayMagic;
    } catch {
      return false;
    }
  });
  return fits ?? join('/var/lib/luet-ts', name);
}

/** A network bridge of the daemon's own, beside those that other daemons have. */
function bridge(
  name: string,
  address: string,
): Pick<Daemon, 'before' | 'after'> & { readonly flags: readonly string[] } {
  return {
    flags: ['--bridge', name],
    before: [
      ['ip', 'link', 'add', name, 'type', 'bridge'],
      ['ip', 'addr', 'add', address, 'dev', name],
      ['ip', 'link', 'set', name, 'up'],
    ],
    after: [['ip', 'link', 'del', name]],
  };
}

function dockerd(name: string, label: string, program: string, network: ReturnType<typeof bridge>): Daemon {
  const folder = stateFolder(name);
  const data = dataFolder(name);
  mkdirSync(data, { recursive: true, mode: 0o711 });
  const own = process.env.LUET_TS_DOCKERD_FLAGS?.split(' ').filter((flag) => flag !== '');
  const socket = join(folder, 'engine.sock');
  return {
    name: label,
    folder,
    socket,
    argv: [
      program,
      ...['--host', `unix://${socket}`, '--data-root', data, '--exec-root', join(folder, 'exec')],
      ...['--pidfile', join(folder, 'dockerd.pid'), ...(own ?? network.flags)],
    ],
    before: own === undefined ? (network.before ?? []) : [],
    // The daemon leaves the network namespace of host networking mounted.
    after: [
      ['sh', '-c', 'umount "$0"/exec/netns/*', folder],
      ...(own === undefined ? (network.after ?? []) : []),
    ],
  };
}

/** The Docker that this machine has (`dockerd` on the PATH), on a socket and with a data folder of its own. */
export function installedDocker(): Daemon {
  // Where nothing else has made it, the bridge is the daemon's own affair.
  const network = existsSync('/sys/class/net/docker0')
    ? bridge('luet-ts-docker', '172.30.0.1/16')
    : { flags: [] };
  return dockerd('docker', 'Docker', 'dockerd', network);
}

/** Docker 29 from `bin`, a folder that `engines/docker-29.sh` has filled. */
export function docker29(bin: string): Daemon {
  const daemon = dockerd(
    'docker-29',
    'Docker 29',
    join(bin, 'dockerd'),
    bridge('luet-ts-dock29', '172.31.0.1/16'),
  );
  return { ...daemon, env: { PATH: `${bin}:${process.env.PATH}` } };
}

/** The podman that this machine has, serving the Docker API. */
export function installedPodman(): Daemon {
  const folder = stateFolder('podman');
  const socket = join(folder, 'engine.sock');
  const data = dataFolder('podman');
  const storage = asRoot ? ['--root', data, '--runroot', join(folder, 'run')] : [];
  const flags = [
    ...storage,
    ...(existsSync('/run/systemd/system') ? [] : ['--cgroup-manager', 'cgroupfs']),
    ...(existsSync('/usr/bin/runc') || existsSync('/usr/sbin/runc') ? ['--runtime', 'runc'] : []),
  ];
  // Containers get the limits of the service or higher ones, which it is not always allowed to give.
  const limits = existsSync('/usr/bin/prlimit')
    ? ['/usr/bin/prlimit', '--nofile=4096', '--nproc=4096', '--']
    : [];
  return {
    name: 'podman',
    folder,
    socket,
    argv: [...limits, 'podman', ...flags, 'system', 'service', '--time', '0', `unix://${socket}`],
    // Podman leaves its storage mounted on itself.
    after: asRoot ? [['umount', join(data, 'overlay')]] : [],
  };
}
