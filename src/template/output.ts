import type { ActionStatement, Operand, Pipeline, Span } from './ast.ts';
import type { CallSite, Source } from './errors.ts';
import { entriesOf, type Maybe, type Value } from './value.ts';

/** One rendering of one definition, and how it was reached. */
export interface Frame {
  /** Its `$`. */
  readonly root: Maybe;
  /** The action that called it, and the name that it called; undefined for the main file. */
  readonly site: Span | undefined;
  readonly name: string;
  readonly parent: Frame | undefined;
  readonly main: MainFile;
}

/** What the main file is called in one rendering: files of the same text are parsed once, whatever their names. */
export interface MainFile {
  readonly source: Source;
  readonly name: string;
}

/** The name of the file that a place is in. */
export function fileName({ source }: Span, { main }: Frame): string {
  return source === main.source ? main.name : source.name;
}

/** Where a stretch of output came from. */
type Segment =
  | { readonly start: number; readonly kind: 'text'; readonly span: Span; readonly frame: Frame }
  | {
      readonly start: number;
      readonly kind: 'printed';
      readonly span: ActionStatement;
      readonly frame: Frame;
      readonly dot: Maybe;
      /** The values of the variables that the action reads. */
      readonly variables: readonly Maybe[];
    }
  | { readonly start: number; readonly kind: 'included'; readonly segments: readonly Segment[] };

/** A value that an expression of an action had. */
export interface Involved {
  /** As the action writes it. */
  readonly expression: string;
  readonly value: Value;
}

/** Where a character of the output came from. */
export interface Origin {
  /** The file, as its source was named. */
  readonly template: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters (UTF-16 units). */
  readonly column: number;
  /** The action that printed it; absent for text that was copied from the source. */
  readonly expression?: string;
  /** The fields and variables that the action reads, with their values. */
  readonly values?: readonly Involved[];
  /** The `template`, `block` and `include` calls that led there, innermost first. */
  readonly via?: readonly CallSite[];
}

/** Text as it is produced, and from where. */
export class Output {
  text = '';
  readonly segments: Segment[] = [];

  copy(text: string, span: Span, frame: Frame): void {
    this.segments.push({ start: this.text.length, kind: 'text', span, frame });
    this.text += text;
  }

  print(text: string, span: ActionStatement, frame: Frame, dot: Maybe, variables: readonly Maybe[]): void {
    this.segments.push({ start: this.text.length, kind: 'printed', span, frame, dot, variables });
    this.text += text;
  }

  /** What an `include` gave, printed unchanged. */
  splice(included: Output): void {
    this.segments.push({ start: this.text.length, kind: 'included', segments: included.segments });
    this.text += included.text;
  }
}

/** The calls that led to a frame, innermost first. */
export function callSites(frame: Frame): CallSite[] {
  const sites: CallSite[] = [];
  for (let f: Frame | undefined = frame; f?.site !== undefined; f = f.parent) {
    const { source, start } = f.site;
    sites.push({ template: fileName(f.site, f), ...source.position(start), name: f.name });
  }
  return sites;
}

/** The expression at a span, on one line and cut where it is long. */
export function expressionText({ source, start, end }: Span): string {
  const text = source.text.slice(start, end).replace(/\s+/g, ' ').trim();
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

/** All operands of a pipeline, at any depth. */
function* operands(pipeline: Pipeline): Generator<Operand> {
  for (const command of pipeline.commands) {
    for (const operand of [command.first, ...command.args]) {
      yield operand;
      if (operand.kind === 'pipeline') yield* operands(operand);
      if (operand.kind === 'chain' && operand.of.kind === 'pipeline') yield* operands(operand.of);
    }
  }
}

/** Follows fields through maps; undefined where they lead nowhere. */
function follow(value: Maybe, fields: readonly string[]): Maybe {
  let at = value;
  for (const field of fields) at = entriesOf(at)?.get(field);
  return at;
}

function involved(segment: Segment & { kind: 'printed' }): Involved[] {
  const found = new Map<string, Value>();
  for (const operand of operands(segment.span.pipeline)) {
    let value: Maybe;
    if (operand.kind === 'field') value = follow(segment.dot, operand.fields);
    else if (operand.kind === 'dot') value = segment.dot;
    else if (operand.kind === 'variable') {
      const at = segment.span.reads.indexOf(operand.name);
      value = follow(operand.name === '$' ? segment.frame.root : segment.variables[at], operand.fields);
    } else continue;
    found.set(expressionText(operand), value ?? null);
  }
  return Array.from(found, ([expression, value]) => ({ expression, value }));
}

/** The origin of a character; undefined where nothing was produced. */
export function originOf(segments: readonly Segment[], offset: number): Origin | undefined {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((segments[middle]?.start ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const segment = segments[low];
  if (segment === undefined || offset < 0) return undefined;
  if (segment.kind === 'included') return originOf(segment.segments, offset - segment.start);
  const { span, frame } = segment;
  const at = segment.kind === 'text' ? Math.min(span.start + offset - segment.start, span.end) : span.start;
  const { line, column } = span.source.position(at);
  const via = callSites(frame);
  const calls = via.length > 0 ? { via } : {};
  const template = fileName(span, frame);
  if (segment.kind === 'text') return { template, line, column, ...calls };
  return {
    template,
    line,
    column,
    // Most who ask for a place never ask for these.
    get expression() {
      return expressionText(span);
    },
    get values() {
      return involved(segment);
    },
    ...calls,
  };
}
