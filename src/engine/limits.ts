import { EngineError } from './errors.ts';

/**
 * The error for processes that the kernel killed because memory ran out; `limit` is the workspace's own, in
 * bytes.
 */
export function outOfMemory(message: string, limit: number | undefined, cause?: unknown): EngineError {
  const whole = limit === undefined ? message : `${message}; the limit is ${binary(limit)}`;
  return new EngineError(whole, { kind: 'out-of-memory', limit, cause });
}

/** Bytes in the largest binary unit that gives a whole number. */
function binary(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; bytes % 1024 === 0 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${bytes} ${units[unit]}`;
}
