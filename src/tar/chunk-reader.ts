/** Reads a stream of chunks by lengths of one's own choosing, copying only what lies across two chunks. */
export interface ChunkReader {
  /** The next `length` bytes where they are here already; undefined otherwise. Spares small reads a turn of the event loop. */
  takeNow(length: number): Buffer | undefined;
  /** The next `length` bytes; undefined where the stream ends before. */
  take(length: number): Promise<Buffer | undefined>;
  /** Between 1 and `length` of the next bytes, those that are here already; undefined where none are. */
  someNow(length: number): Buffer | undefined;
  /** Between 1 and `length` of the next bytes; undefined at the end of the stream. */
  some(length: number): Promise<Buffer | undefined>;
  /** Passes over `length` bytes, or all that are left where there are fewer: false then. */
  skip(length: number): Promise<boolean>;
  /** How many bytes were read or passed over. */
  readonly position: number;
  /** Reads to the end. */
  drain(): Promise<void>;
  /** Tells the source that no more is wanted. */
  close(): Promise<void>;
}

/** A stream that need not give what nobody wants to see, such as a file's. */
export interface SkippableSource extends AsyncIterable<Uint8Array> {
  /** Leaves out the next bytes; answers how many, which is fewer at the end. */
  skip(length: number): number;
}

/** A reader of this stream. */
export function chunkReader(source: AsyncIterable<Uint8Array>): ChunkReader {
  const chunks = source[Symbol.asyncIterator]();
  let current: Buffer = Buffer.alloc(0);
  let at = 0;
  let before = 0;
  let isAtEnd = false;

  /** Makes a non-empty chunk the current one; false at the end. */
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
      // A copy: the source may use a chunk's memory again once the next is asked for.
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
