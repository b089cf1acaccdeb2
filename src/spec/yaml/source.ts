import type { Note, Place } from '../../diagnostic/index.ts';

/**
 * A text to read as YAML, with a mapping from offsets to places in the source file. For a rendered file,
 * these are places in its templates.
 */
export interface YamlSource {
  /** Path of the file, as shown to users. */
  readonly file: string;
  readonly text: string;
  /**
   * The place of an offset. If `end` (exclusive) is given and on the same line, the place has an end column.
   */
  place(start: number, end?: number): Place;
  /** The template calls that produced the text at an offset, if it comes from a shared template. */
  notes?(start: number): readonly Note[];
}

/** Offsets of the first character of each line. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

/** Line and column of an offset, both starting at 1. `starts` are the offsets of the lines. */
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

/** A source for a file that was not rendered. Its lines are counted when the first place is needed. */
export function plainSource(file: string, text: string): YamlSource {
  return new PlainSource(file, text);
}

/** Line offsets of the source used last. Caching one is enough, because places are requested file by file. */
let counted: { readonly source: YamlSource; readonly starts: readonly number[] } | undefined;

// A class with two fields, because sources are kept in memory with their packages.
class PlainSource implements YamlSource {
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

/** The place in a template that produced a character of rendered text. */
export interface RenderOrigin {
  /** Path of the template, as shown to users. */
  readonly template: string;
  readonly line: number;
  readonly column: number;
  /** The template calls that led there, innermost first. */
  readonly via?: readonly {
    readonly template: string;
    readonly line: number;
    readonly column: number;
    readonly name: string;
  }[];
}

/** Returns the origin of the character at an offset of rendered text; undefined if the text is empty. */
export type RenderOrigins = (offset: number) => RenderOrigin | undefined;

/**
 * A source for a rendered file: its places are those in the templates. Origins keep all data of a rendering
 * in memory, many times the size of the text. With `again`, which renders the same text again, only the
 * origins of the source used last are kept, and are computed again for other sources.
 */
export function renderedSource(
  file: string,
  text: string,
  origins: RenderOrigins,
  again?: () => RenderOrigins,
): YamlSource {
  const source = new RenderedSource(file, text, again ?? (() => origins));
  traced = { source, origins, offset: -1, origin: undefined };
  return source;
}

/**
 * The last lookup. Caching one is enough: places are requested file by file, and a node's notes directly
 * after its place.
 */
let traced:
  | {
      readonly source: YamlSource;
      readonly origins: RenderOrigins;
      offset: number;
      origin: RenderOrigin | undefined;
    }
  | undefined;

class RenderedSource implements YamlSource {
  readonly file: string;
  readonly text: string;
  readonly #again: () => RenderOrigins;

  constructor(file: string, text: string, again: () => RenderOrigins) {
    this.file = file;
    this.text = text;
    this.#again = again;
  }

  #at(offset: number): RenderOrigin | undefined {
    if (traced?.source !== this) {
      traced = { source: this, origins: this.#again(), offset: -1, origin: undefined };
    }
    if (traced.offset !== offset) {
      traced.offset = offset;
      // An offset after the end, such as that of missing text, gets the place of the last character.
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
      message: `template ${JSON.stringify(name)} is called here`,
      place: { file: template, line, column },
    }));
  }
}
