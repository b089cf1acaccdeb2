/** The next step while parsing frames: bytes to inspect, bytes to skip, or the end of a frame. */
type Step = { readonly look: number } | { readonly pass: number } | 'over';

/**
 * Splits a zstd stream into chunks that never cross the end of a frame, because Node's decompressor drops
 * data after a frame in the same chunk. Data that is not a zstd frame passes through, so that the
 * decompressor reports it.
 */
export async function* cutAtFrames(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const walk = walkFrames();
  let step = walk.next();
  let seen: number[] = [];
  let passed = 0;
  for await (const chunk of source) {
    let start = 0;
    for (let at = 0; at < chunk.length && !step.done; ) {
      if (step.value === 'over') {
        if (at > start) yield chunk.subarray(start, at);
        start = at;
        step = walk.next();
      } else if ('look' in step.value) {
        seen.push(chunk[at++] ?? 0);
        if (seen.length < step.value.look) continue;
        step = walk.next(seen);
        seen = [];
      } else {
        const part = Math.min(step.value.pass - passed, chunk.length - at);
        at += part;
        passed += part;
        if (passed < step.value.pass) continue;
        step = walk.next();
        passed = 0;
      }
    }
    if (start < chunk.length) yield chunk.subarray(start);
  }
}

/**
 * Parses the frame structure of a stream (RFC 8878, section 3.1) by lengths only. Ends at data that is not a
 * frame.
 */
function* walkFrames(): Generator<Step, void, number[]> {
  for (;;) {
    const magic = number(yield { look: 4 });
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) yield* pass(number(yield { look: 4 }));
    else if (magic === 0xfd2fb528) yield* walkFrame();
    else return;
    yield 'over';
  }
}

function* walkFrame(): Generator<Step, void, number[]> {
  const descriptor = number(yield { look: 1 });
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const window = isSingleSegment ? 0 : 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const size = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  yield* pass(window + dictionary + size);
  for (;;) {
    const block = number(yield { look: 3 });
    const isRunLength = ((block >> 1) & 3) === 1;
    yield* pass(isRunLength ? 1 : block >> 3);
    if ((block & 1) !== 0) break;
  }
  const hasChecksum = (descriptor & 4) !== 0;
  yield* pass(hasChecksum ? 4 : 0);
}

function* pass(length: number): Generator<Step, void, number[]> {
  if (length > 0) yield { pass: length };
}

/** Reads a little-endian number. */
const number = (bytes: readonly number[]): number => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
