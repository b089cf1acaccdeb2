/**
 * Splits a stream into chunks of equal length, except the last. Each chunk is a copy, because the source may
 * reuse its memory.
 */
export async function* rechunk(
  source: AsyncIterable<Uint8Array>,
  length: number,
): AsyncGenerator<Buffer, void, undefined> {
  let chunk = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + length - filled);
      chunk.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < length) continue;
      yield chunk;
      chunk = Buffer.allocUnsafeSlow(length);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}
