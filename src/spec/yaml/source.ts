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

const none: readonly [] = [];

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

/** Where the character at an offset of rendered text came from; undefined where nothing was produced. */
export type Origins = (offset: number) => Origin | undefined;

/**
 * A rendered file: places are those in the templates that its text came from. Origins hold on to all that a
 * rendering saw, which is many times the text; with `again`, which renders once more to the same text, they are kept for
 * the source that was asked last, and found anew for others.
 */
export function renderedSource(file: string, text: string, origins: Origins, again?: () => Origins): Source {
  const source = new RenderedSource(file, text, again ?? (() => origins));
  traced = { source, origins, offset: -1, origin: undefined };
  return source;
}

/** What was asked last: places of one source are asked for in a row, and a node's notes right after its place. */
let traced:
  | { readonly source: Source; readonly origins: Origins; offset: number; origin: Origin | undefined }
  | undefined;

class RenderedSource implements Source {
  readonly file: string;
  readonly text: string;
  readonly #again: () => Origins;

  constructor(file: string, text: string, again: () => Origins) {
    this.file = file;
    this.text = text;
    this.#again = again;
  }

  #at(offset: number): Origin | undefined {
    if (traced?.source !== this) {
      traced = { source: this, origins: this.#again(), offset: -1, origin: undefined };
    }
    if (traced.offset !== offset) {
      traced.offset = offset;
      // Behind the last character nothing was produced; what is missing there belongs to that character's place.
      traced.origin = traced.origins(Math.max(0, Math.min(offset, this.text.length - 1)));
    }
    return traced.origin;
  }

  place(start: number): Place {
    const from = this.#at(start);
    if (from === undefined) return { file: this.file };
    return { file: from.template, line: from.line, column: from.column };
  }

  notes(start: number): readonly Note[] {
    return (this.#at(start)?.via ?? none).map(({ template, line, column, name }) => ({
      message: `the template ${JSON.stringify(name)} is used here`,
      place: { file: template, line, column },
    }));
  }
}
