/** Reads a stream of chunks in pieces of any length. Copies only bytes that cross a chunk boundary. */
export interface ChunkReader {
  /**
   * The next `length` bytes if they are already in memory, otherwise undefined. Makes small reads faster,
   * because they need no turn of the event loop.
   */
  takeNow(length: number): Buffer | undefined;
  /** The next `length` bytes, or undefined if the stream ends before that. */
  take(length: number): Promise<Buffer | undefined>;
  /** The next bytes that are already in memory: at least 1, at most `length`. Undefined if there are none. */
  someNow(length: number): Buffer | undefined;
  /** The next bytes, at least 1 and at most `length`. Undefined at the end of the stream. */
  some(length: number): Promise<Buffer | undefined>;
  /** Skips `length` bytes. False if the stream ends before that. */
  skip(length: number): Promise<boolean>;
  /** Number of bytes read or skipped so far. */
  readonly position: number;
  /** Reads the rest of the stream and discards it. */
  drain(): Promise<void>;
  /** Tells the source that no more bytes are needed. */
  close(): Promise<void>;
}

/** A stream that can skip bytes without reading them, such as a file. */
export interface SkippableSource extends AsyncIterable<Uint8Array> {
  /** Skips the next `length` bytes. Returns the number of skipped bytes, which is smaller at the end. */
  skip(length: number): number;
}

/** Creates a reader for a stream. */
export function chunkReader(source: AsyncIterable<Uint8Array>): ChunkReader {
  const chunks = source[Symbol.asyncIterator]();
  let current: Buffer = Buffer.alloc(0);
  let at = 0;
  let before = 0;
  let isAtEnd = false;

  /** Loads the next non-empty chunk. False at the end of the stream. */
  async function refill(): Promise<boolean> {
    while (!isAtEnd) {
      const { done, value } = await chunks.next();
      isAtEnd = done === true;
      if (done || value.length === 0) continue;
      before += current.length;
      current = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      at = 0;
      return true;
    }
    return false;
  }

  function takeNow(length: number): Buffer | undefined {
    if (current.length - at < length) return undefined;
    at += length;
    return current.subarray(at - length, at);
  }

  function someNow(length: number): Buffer | undefined {
    return at === current.length ? undefined : takeNow(Math.min(length, current.length - at));
  }

  async function some(length: number): Promise<Buffer | undefined> {
    return someNow(length) ?? ((await refill()) ? someNow(length) : undefined);
  }

  async function take(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0; ) {
      const part = await some(missing);
      if (part === undefined) return undefined;
      // Copy, because the source may reuse the memory of a chunk when the next one is requested.
      parts.push(part.length === length ? part : Buffer.from(part));
      missing -= part.length;
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async function skip(length: number): Promise<boolean> {
    let missing = length - (someNow(length)?.length ?? 0);
    if (missing > 0 && 'skip' in source) {
      const skipped = (source as SkippableSource).skip(missing);
      before += skipped;
      missing -= skipped;
    }
    while (missing > 0) {
      const part = await some(missing);
      if (part === undefined) return false;
      missing -= part.length;
    }
    return true;
  }

  return {
    takeNow,
    take,
    someNow,
    some,
    skip,
    get position() {
      return before + at;
    },
    async drain() {
      at = current.length;
      while (await refill()) at = current.length;
    },
    async close() {
      if (!isAtEnd) await chunks.return?.();
      isAtEnd = true;
    },
  };
}
