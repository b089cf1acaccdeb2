import type { Note, Place } from '../../diagnostic/index.ts';

/**
 * A text that is read as YAML, and the way from an offset in it back to what a person wrote. For a file as it
 * lies on disk that is the same text; for a rendered one it is the template that the text came from.
 */
export interface Source {
  /** The file as it is shown. */
  readonly file: string;
  readonly text: string;
  /** The place of an offset; `end` (exclusive) adds the end column where the span stays on one line. */
  place(start: number, end?: number): Place;
  /** How the text at an offset came into this file, where a shared template brought it. */
  notes?(start: number): readonly Note[];
}

/** Offsets at which the lines of a text begin. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

/** Line and column of an offset, counted from 1, by the offsets at which lines begin. */
export function lineAndColumn(starts: readonly number[], offset: number): { line: number; column: number } {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}

const none: readonly Note[] = [];

/** A file read as it lies on disk. Lines are counted when the first place is asked for, not before. */
export function plainSource(file: string, text: string): Source {
  return new PlainSource(file, text);
}

/** Where the lines begin of the source that was asked last: places are asked for file by file. */
let counted: { readonly source: Source; readonly starts: readonly number[] } | undefined;

// Sources are kept with their packages, for their values: a class keeps no more than this.
class PlainSource implements Source {
  readonly file: string;
  readonly text: string;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  place(start: number, end?: number): Place {
    if (counted?.source !== this) counted = { source: this, starts: lineStarts(this.text) };
    const { starts } = counted;
    const { file, text } = this;
    const { line, column } = lineAndColumn(starts, start);
    const lineEnd = (starts[line] ?? text.length + 1) - 1;
    return end !== undefined && end > start && end <= lineEnd
      ? { file, line, column, endColumn: column + end - start }
      : { file, line, column };
  }
}

/** Where a character of rendered text came from. */
export interface Origin {
  /** Name of the template, which is the file as it is shown. */
  readonly template: string;
  readonly line: number;
  readonly column: number;
  /** The calls that led there, innermost first. */
  readonly via?: readonly {
    readonly template: string;
    readonly line: number;
    readonly column: number;
    readonly name: string;
  }[];
}

/** A rendered file: places are those in the templates that its text came from. */
export function renderedSource(
  file: string,
  text: string,
  origin: (offset: number) => Origin | undefined,
): Source {
  // Behind the last character nothing was produced; what is missing there belongs to that character's place.
  // A node's place and its notes are asked for one after the other.
  let latest: { readonly offset: number; readonly origin: Origin | undefined } | undefined;
  const at = (offset: number) => {
    if (latest?.offset !== offset)
      latest = { offset, origin: origin(Math.max(0, Math.min(offset, text.length - 1))) };
    return latest.origin;
  };
  return {
    file,
    text,
    place(start) {
      const from = at(start);
      return from === undefined ? { file } : { file: from.template, line: from.line, column: from.column };
    },
    notes(start) {
      const via = at(start)?.via;
      if (via === undefined) return none;
      return via.map(({ template, line, column, name }) => ({
        message: `the template ${JSON.stringify(name)} is used here`,
        place: { file: template, line, column },
      }));
    },
  };
}
