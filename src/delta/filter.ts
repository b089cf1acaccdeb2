import { type RE2JS, RE2JSCompileException, RE2Set } from 're2js';
import { compileExpression } from '../spec/index.ts';
import { type BytePath, toText } from '../tar/index.ts';

/** Regular expressions for absolute paths in a package, from `build.yaml`. */
export interface Expressions {
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
}

/** The position of an expression in a spec: its list, and its index, which starts at 0. */
export interface ExpressionPosition {
  readonly list: keyof Expressions;
  readonly index: number;
}

/** The result of the filters for one path, and the first expression that determined it. */
export type Verdict =
  /** `by` is undefined if there are no `includes`, so that every path is included. */
  | { readonly keeps: true; readonly by?: ExpressionPosition }
  /** `by` is the matching `excludes` expression. Undefined if no `includes` expression matched. */
  | { readonly keeps: false; readonly by?: ExpressionPosition };

/** Decides which paths a package keeps, and remembers which expressions were never used. */
export interface Filter {
  /**
   * A path is kept if an `includes` expression matches (or there are none) and no `excludes` expression does.
   * The expressions are searched for in the path as text that starts with `/`; bytes that are not valid UTF-8
   * are U+FFFD. Equal verdicts are the same object.
   */
  judge(path: BytePath): Verdict;
  /** Whether the path is kept. */
  keeps(path: BytePath): boolean;
  /** The expressions that matched none of the paths so far, in order, without duplicates. */
  unmatched(): string[];
}

const KEPT: Verdict = { keeps: true };
const NOT_INCLUDED: Verdict = { keeps: false };

/** Creates a filter. Throws if an expression is invalid, because that was reported when the spec was read. */
export function createFilter({ includes, excludes }: Expressions): Filter {
  const expressions = [...includes, ...excludes];
  if (expressions.length === 0) return { judge: () => KEPT, keeps: () => true, unmatched: () => [] };
  const found = search(expressions.map(compile));
  const seen = new Set<number>();
  const verdicts = expressions.map(
    (_, at): Verdict =>
      at < includes.length
        ? { keeps: true, by: { list: 'includes', index: at } }
        : { keeps: false, by: { list: 'excludes', index: at - includes.length } },
  );
  const judge = (path: BytePath): Verdict => {
    let included = Number.POSITIVE_INFINITY;
    let excluded = Number.POSITIVE_INFINITY;
    for (const index of found(`/${toText(path)}`)) {
      seen.add(index);
      if (index < includes.length) included = Math.min(included, index);
      else excluded = Math.min(excluded, index);
    }
    const isIncluded = includes.length === 0 || included < includes.length;
    if (!isIncluded) return NOT_INCLUDED;
    return verdicts[excluded] ?? verdicts[included] ?? KEPT;
  };
  return {
    judge,
    keeps: (path) => judge(path).keeps,
    unmatched() {
      const matched = new Set([...seen].map((index) => expressions[index]));
      return [...new Set(expressions)].filter((expression) => !matched.has(expression));
    },
  };
}

function compile(expression: string): RE2JS {
  const compiled = compileExpression(expression);
  if ('program' in compiled) return compiled.program;
  throw new Error(`invalid regular expression ${JSON.stringify(expression)}: ${compiled.error}`);
}

/**
 * The indexes of the expressions found in a text. One automaton for all expressions reads the text only once.
 */
function search(programs: readonly RE2JS[]): (text: string) => Iterable<number> {
  const set = new RE2Set(RE2Set.UNANCHORED);
  try {
    for (const program of programs) set.add(program.pattern());
    set.compile();
    return (text) => set.match(text);
  } catch (error) {
    // All expressions together may exceed the size limit of one automaton.
    if (!(error instanceof RE2JSCompileException)) throw error;
    return (text) => programs.flatMap((program, index) => (program.test(text) ? [index] : []));
  }
}
