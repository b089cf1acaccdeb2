import { Readable } from 'node:stream';
import { digestOf } from '../layer/verify.ts';
import type { Digest, Image, Platform } from '../types.ts';
import { fileLayer } from './docker.ts';
import { imageOfLayers } from './rootfs.ts';

/**
 * An archive that contains only the root folder. Podman ignores layers without entries, and then counts
 * layers wrongly.
 */
function emptyRoot(): Buffer {
  const header = Buffer.alloc(512);
  const write = (text: string, at: number): void => void header.write(text, at, 'latin1');
  write('./', 0);
  write('0000755', 100);
  for (const at of [108, 116]) write('0000000', at);
  for (const at of [124, 136]) write('00000000000', at);
  write('        5', 148);
  write('ustar\x0000', 257);
  const sum = header.reduce((all, byte) => all + byte, 0);
  write(`${sum.toString(8).padStart(6, '0')}\0`, 148);
  return Buffer.concat([header, Buffer.alloc(1024)]);
}

let known: Buffer | undefined;

function content(): Buffer {
  known ??= emptyRoot();
  return known;
}

/** Digest of the layer of `emptyImage`. */
export function emptyLayer(): Digest {
  return digestOf(content());
}

/**
 * An empty image, always with the same bytes. It has one layer, because some engines reject images without
 * layers.
 */
export function emptyImage(platform: Platform): Promise<Image> {
  const bytes = content();
  const layer = fileLayer({ size: bytes.length, read: () => Readable.from([bytes]) });
  return imageOfLayers([layer], { platform });
}
