import { RE2JS, RE2JSException } from 're2js';
import { withKnownProperties } from '../expression/index.ts';

/** Maximum length in characters, because longer expressions can take very much time and memory. */
const MAX_LENGTH = 10_000;

/** A regular expression to search paths with, or an error. */
export type CompiledExpression =
  | { readonly program: RE2JS }
  | {
      /** What is wrong: a sentence without a final full stop. */
      readonly error: string;
      /** Offset of the error in the expression, if known. */
      readonly offset?: number;
    };

/** Removes group names outside character classes: they have no effect, and re2js rejects repeated ones. */
function withoutGroupNames(expression: string): string {
  const parts = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<([A-Za-z0-9_]+)>/gs;
  return expression.replace(parts, (all, name) => (name === undefined ? all : '('));
}

/**
 * Compiles an `includes` or `excludes` expression with the syntax of Go's regexp package (RE2). It is
 * searched for in a path; it need not match the whole path.
 */
export function compileExpression(expression: string): CompiledExpression {
  if (expression.length > MAX_LENGTH) return { error: `it is longer than ${MAX_LENGTH} characters` };
  const named = withKnownProperties(expression);
  if ('error' in named) return named;
  try {
    return { program: RE2JS.compile(withoutGroupNames(named.text)) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return explain(expression, error.message);
  }
}

function explain(expression: string, message: string): CompiledExpression {
  const reason = message
    .replace(/^error parsing regexp: /, '')
    .replace(/: ``$/, '')
    .trim();
  const part = /: `(.+)`$/s.exec(reason)?.[1];
  const offset = part === undefined ? -1 : expression.indexOf(part);
  return offset < 0 ? { error: reason } : { error: reason, offset };
}

/** Recognises expressions that are always valid: literal text, escaped characters, `.`, `.*` and anchors. */
const OBVIOUS = /^\^?(?:[A-Za-z0-9_/@%:,~= -]|\\[.+*?()[\]{}^$/|-]|\.[*+]?)*\$?$/;

/**
 * Creates a function that checks expressions. Each distinct expression is compiled only once, and most need
 * not be compiled.
 */
export function expressionChecker(): (
  expression: string,
) => Exclude<CompiledExpression, { program: RE2JS }> | undefined {
  const known = new Map<string, Exclude<CompiledExpression, { program: RE2JS }> | undefined>();
  return (expression) => {
    if (expression.length <= MAX_LENGTH && OBVIOUS.test(expression)) return undefined;
    if (!known.has(expression)) {
      const compiled = compileExpression(expression);
      known.set(expression, 'error' in compiled ? compiled : undefined);
    }
    return known.get(expression);
  };
}
