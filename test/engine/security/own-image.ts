import { type BaseImage, conformanceBase } from '../../../scripts/base-image.ts';

/** An image whose shell is run by the program that begins it; x86-64 alone. */
export const OWN_IMAGE = 'luet-ts-test/own:1';

/**
 * Code that sets the mode of `/proc/self/exe` to what it is on every Debian, and exits with the error: open,
 * fchmod 0755, exit_group.
 */
const code = '488d3d22000000 31f6 b802000000 0f05 89c7 beed010000 b85b000000 0f05 f7d8 89c7 b8e7000000 0f05';

/** What the kernel starts in place of the C library's loader: a program of one segment, which is all of the file. */
function loader(): Buffer {
  const bytes = Buffer.from(code.replaceAll(' ', ''), 'hex');
  const head = Buffer.alloc(120);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.writeUInt32LE(0x003e0003, 16);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(120, 24);
  head.writeUInt32LE(64, 32);
  head.writeUInt32LE(0x00380040, 52);
  head.writeUInt16LE(1, 56);
  const whole = Buffer.concat([head, bytes, Buffer.from('/proc/self/exe\0')]);
  // What is loaded, readable and to be run, in pages.
  whole.writeUInt32LE(1, 64);
  whole.writeUInt32LE(5, 68);
  for (const at of [96, 104]) whole.writeUInt32LE(whole.length, at);
  whole.writeUInt32LE(4096, 112);
  return whole;
}

/** Makes it. */
export async function ownImage(): Promise<BaseImage> {
  const script = { type: 'file', content: Buffer.from('#!/proc/self/exe\n'), mode: 0o755 } as const;
  const files: BaseImage['files'] = {
    bin: { type: 'directory' },
    'bin/sh': script,
    lib64: { type: 'directory' },
    'lib64/ld-linux-x86-64.so.2': { type: 'file', content: loader(), mode: 0o755 },
  };
  return { ...(await conformanceBase()), reference: OWN_IMAGE, files };
}
