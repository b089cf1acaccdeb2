import { escapeTerminal } from '../../diagnostic/index.ts';

/** Of a longer line the end is shown, in bytes. */
const LONGEST_LINE = 4096;

/** Colours, movements and titles that a command meant for a terminal of its own. */
const sequences =
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-~]/g;

/**
 * What a line of a command's output shows: without terminal sequences, and of what was drawn over the last.
 */
export function shownLine(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8').replace(sequences, '');
  const drawn = text.split('\r').filter((part) => part.trim() !== '');
  return escapeTerminal(drawn.at(-1) ?? '').trimEnd();
}

/** Puts the output of many packages together to lines. */
export class OutputLines {
  /**
   * Bytes, not text, until a line is whole: a chunk may end in the middle of a character. By package and
   * stream.
   */
  readonly #unfinished = new Map<string, Map<string, string>>();

  /**
   * Takes output; gives the lines that are whole now, empty ones left out, and what stands in the last one.
   */
  take(name: string, stream: string, chunk: Uint8Array): { lines: string[]; current: string } {
    const streams = this.#unfinished.get(name) ?? new Map<string, string>();
    this.#unfinished.set(name, streams);
    const lines = ((streams.get(stream) ?? '') + Buffer.from(chunk).toString('latin1')).split('\n');
    const rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    streams.set(stream, rest);
    return { lines: lines.map(shownLine).filter((line) => line !== ''), current: shownLine(rest) };
  }

  /** What a command wrote behind its last newline, once it has ended. */
  finish(name: string): string[] {
    const streams = [...(this.#unfinished.get(name)?.values() ?? [])];
    this.#unfinished.delete(name);
    return streams.map(shownLine).filter((line) => line !== '');
  }
}
