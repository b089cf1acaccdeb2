import { RE2JS, RE2JSException } from 're2js';

/** Longer expressions could take more time and memory than a tree should be able to ask for. */
const MAX_LENGTH = 10_000;

/** An expression that a path can be searched with, or why it is none. */
export type Compiled =
  | { readonly program: RE2JS }
  | {
      /** What is wrong, as a sentence without a final full stop. */
      readonly error: string;
      /** Offset in the expression, where it is known. */
      readonly offset?: number;
    };

/** Group names, outside character classes: nothing refers to them, and re2js refuses a repeated one. */
function withoutGroupNames(expression: string): string {
  const parts = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<([A-Za-z0-9_]+)>/gs;
  return expression.replace(parts, (all, name) => (name === undefined ? all : '('));
}

/**
 * Compiles an `includes` or `excludes` expression as Go's regexp reads it (RE2). It is searched for in a path,
 * not matched against all of it.
 */
export function compileExpression(expression: string): Compiled {
  if (expression.length > MAX_LENGTH) return { error: `it is longer than ${MAX_LENGTH} characters` };
  try {
    return { program: RE2JS.compile(withoutGroupNames(expression)) };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return explain(expression, error.message);
  }
}

function explain(expression: string, message: string): Compiled {
  const reason = message
    .replace(/^error parsing regexp: /, '')
    .replace(/: ``$/, '')
    .trim();
  const part = /: `(.+)`$/s.exec(reason)?.[1];
  const offset = part === undefined ? -1 : expression.indexOf(part);
  return offset < 0 ? { error: reason } : { error: reason, offset };
}

/** Paths with the usual endings: literal text, escaped signs, `.`, `.*`, anchors. Nothing can be wrong in it. */
const OBVIOUS = /^\^?(?:[A-Za-z0-9_/@%:,~= -]|\\[.+*?()[\]{}^$/|-]|\.[*+]?)*\$?$/;

/** Says what is wrong with expressions, each distinct one compiled once; most need no compiling at all. */
export function expressionChecker(): (
  expression: string,
) => Exclude<Compiled, { program: RE2JS }> | undefined {
  const known = new Map<string, Exclude<Compiled, { program: RE2JS }> | undefined>();
  return (expression) => {
    if (expression.length <= MAX_LENGTH && OBVIOUS.test(expression)) return undefined;
    if (!known.has(expression)) {
      const compiled = compileExpression(expression);
      known.set(expression, 'error' in compiled ? compiled : undefined);
    }
    return known.get(expression);
  };
}
