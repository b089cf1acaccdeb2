import type { ActionStatement, Operand, Pipeline, Span } from './ast.ts';
import type { CallSite, SourceText } from './errors.ts';
import { entriesOf, type Maybe, type Value } from './value.ts';

/** One call of a definition during rendering. */
export interface Frame {
  /** The value of `$`. */
  readonly root: Maybe;
  /** The action that made the call; undefined for the main file. */
  readonly site: Span | undefined;
  readonly name: string;
  readonly parent: Frame | undefined;
  readonly main: MainFile;
}

/**
 * The name of the main file in one rendering. Files with equal text share one parse result, so the name is
 * kept here.
 */
export interface MainFile {
  readonly source: SourceText;
  readonly name: string;
}

/** The name of the file that contains a span. */
export function fileName({ source }: Span, { main }: Frame): string {
  return source === main.source ? main.name : source.name;
}

/** A piece of the output and its origin. */
type OutputSegment =
  | { readonly start: number; readonly kind: 'text'; readonly span: Span; readonly frame: Frame }
  | {
      readonly start: number;
      readonly kind: 'printed';
      readonly span: ActionStatement;
      readonly frame: Frame;
      readonly dot: Maybe;
      /** Values of the variables that the action reads. */
      readonly variables: readonly Maybe[];
    }
  | { readonly start: number; readonly kind: 'included'; readonly segments: readonly OutputSegment[] };

/** The value of one expression in an action. */
export interface InvolvedValue {
  /** As written in the action. */
  readonly expression: string;
  readonly value: Value;
}

/** The place in a template that produced a character of the output. */
export interface TemplateOrigin {
  /** The name of the source file. */
  readonly template: string;
  /** Starts at 1. */
  readonly line: number;
  /** Starts at 1, in UTF-16 units. */
  readonly column: number;
  /** The action that printed the character; undefined for text copied from the source. */
  readonly expression?: string;
  /** Fields and variables that the action reads, with their values. */
  readonly values?: readonly InvolvedValue[];
  /** The `template`, `block` and `include` calls that led there, innermost first. */
  readonly via?: readonly CallSite[];
}

/** Collects the output, with the origin of each piece. */
export class OutputBuffer {
  text = '';
  readonly segments: OutputSegment[] = [];

  copy(text: string, span: Span, frame: Frame): void {
    this.segments.push({ start: this.text.length, kind: 'text', span, frame });
    this.text += text;
  }

  print(text: string, span: ActionStatement, frame: Frame, dot: Maybe, variables: readonly Maybe[]): void {
    this.segments.push({ start: this.text.length, kind: 'printed', span, frame, dot, variables });
    this.text += text;
  }

  /** Appends the output of an `include` with its own origins. */
  splice(included: OutputBuffer): void {
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

/** Source text of a span, on one line and shortened if it is long. */
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

/** Reads nested fields of maps; undefined if one is missing. */
function follow(value: Maybe, fields: readonly string[]): Maybe {
  let at = value;
  for (const field of fields) at = entriesOf(at)?.get(field);
  return at;
}

function involved(segment: OutputSegment & { kind: 'printed' }): InvolvedValue[] {
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

/** The origin of the character at an offset; undefined if the output is empty. */
export function originOf(segments: readonly OutputSegment[], offset: number): TemplateOrigin | undefined {
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
    // Computed on demand: most callers read the place only.
    get expression() {
      return expressionText(span);
    },
    get values() {
      return involved(segment);
    },
    ...calls,
  };
}
