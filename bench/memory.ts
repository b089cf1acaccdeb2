/**
 * Peak memory of `luet-ts build` while it packages 2 GB: `node bench/memory.ts [ENGINE]`. Printed: the peak of the resident set of the
 * whole process (VmHWM of /proc), the time, and the archive's size, for each compression.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'luet-ts-bench-'));
const engine = process.argv[2];

function put(name: string, spec: string): void {
  mkdirSync(join(folder, 'tree', name), { recursive: true });
  writeFileSync(
    join(folder, 'tree', name, 'definition.yaml'),
    `name: ${name}\ncategory: bench\nversion: "1"\n`,
  );
  writeFileSync(join(folder, 'tree', name, 'build.yaml'), spec);
}

/** The peak of a process's resident set so far, in MB; undefined when it is gone. */
function peak(pid: number): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1000;
  } catch {
    return undefined;
  }
}

async function measure(compression: string): Promise<void> {
  const out = join(folder, compression);
  const words = [
    'build',
    '--tree',
    join(folder, 'tree'),
    'bench/large',
    '--destination',
    out,
    '--compression',
    compression,
    '--keep-images=false',
    '--network',
    'host',
    '--quiet',
  ];
  const start = performance.now();
  const child = spawn(
    join(import.meta.dirname, '../bin/luet-ts'),
    [...words, ...(engine === undefined ? [] : ['--engine', engine])],
    { stdio: 'inherit' },
  );
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, peak(child.pid ?? 0) ?? 0);
  }, 20);
  const code = await new Promise((resolve) => child.on('exit', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`the build ended with ${code}`);
  const archive = readdirSync(out).find((name) => name.startsWith('large') && name.includes('.tar')) ?? '';
  const size = statSync(join(out, archive)).size / 1e6;
  console.log(
    `${compression.padEnd(6)} peak ${most.toFixed(0).padStart(4)} MB   ${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s   archive ${size.toFixed(0).padStart(5)} MB`,
  );
}

put('seed', 'image: conformance/base:1\n');
// Half of it is noise, half of it compresses.
put(
  'large',
  'requires:\n- {name: seed, category: bench, version: ">=0"}\nsteps:\n- mkdir /large && cd /large && dd if=/dev/urandom of=a bs=1M count=1024 2>/dev/null && yes abcdefgh | head -c 1073741824 > b\n',
);
try {
  for (const compression of ['none', 'zstd', 'gzip']) await measure(compression);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
