import type { Source } from './errors.ts';
import type { NumberLiteral } from './literals.ts';
import type { GoFunction, Maybe } from './value.ts';

/** A stretch of a template's source, from `start` to before `end`. */
export interface Span {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
}

/** Fields as `.a.b` writes them. */
export type Fields = readonly string[];

export interface NumberOperand extends Span {
  readonly kind: 'number';
  readonly number: NumberLiteral;
  /** Its value where nothing else is asked for; undefined where it does not fit an int. */
  readonly ideal: Maybe;
}
export interface StringOperand extends Span {
  readonly kind: 'string';
  readonly text: string;
}
export interface FunctionOperand extends Span {
  readonly kind: 'function';
  readonly name: string;
  readonly fn: GoFunction;
}
export interface ChainOperand extends Span {
  readonly kind: 'chain';
  readonly of: Operand;
  readonly fields: Fields;
}

/** One word of a command. */
export type Operand =
  | NumberOperand
  | StringOperand
  | FunctionOperand
  | ChainOperand
  | Pipeline
  | (Span & { readonly kind: 'bool'; readonly value: boolean })
  | (Span & { readonly kind: 'nil' })
  | (Span & { readonly kind: 'dot' })
  | (Span & { readonly kind: 'field'; readonly fields: Fields })
  | (Span & { readonly kind: 'variable'; readonly name: string; readonly fields: Fields });

/** Words: a function and its arguments, or one value. */
export interface Command extends Span {
  readonly first: Operand;
  readonly args: readonly Operand[];
}

/** Commands, each giving its value to the next; the last value is declared or assigned to variables, if there are any. */
export interface Pipeline extends Span {
  readonly kind: 'pipeline';
  readonly commands: readonly Command[];
  readonly variables: readonly string[];
  readonly assigns: boolean;
}

export type Statement =
  | (Span & { readonly kind: 'text'; readonly text: string })
  | ActionStatement
  | (Span & { readonly kind: 'break' | 'continue' })
  | ConditionStatement
  | RangeStatement
  | TemplateStatement;

export interface ActionStatement extends Span {
  readonly kind: 'action';
  readonly pipeline: Pipeline;
  /** The variables that it reads, but for `$`. */
  readonly reads: readonly string[];
}
export interface ConditionStatement extends Span {
  readonly kind: 'if' | 'with';
  readonly pipeline: Pipeline;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[] | undefined;
}
export interface RangeStatement extends Span {
  readonly kind: 'range';
  readonly pipeline: Pipeline;
  readonly body: readonly Statement[];
  readonly otherwise: readonly Statement[] | undefined;
}
export interface TemplateStatement extends Span {
  readonly kind: 'template';
  readonly name: string;
  readonly pipeline: Pipeline | undefined;
}

/** What a `define`, a `block`, or a whole file makes known under a name. */
export interface Definition {
  readonly name: string;
  readonly source: Source;
  readonly start: number;
  readonly body: readonly Statement[];
}

/** Whether a body holds nothing but space, so that it does not replace a definition of the same name. */
export function isEmpty(body: readonly Statement[]): boolean {
  return body.every((s) => s.kind === 'text' && /^[\s\u0085]*$/.test(s.text.replaceAll('\ufeff', 'x')));
}
