import { type RE2JS, RE2JSCompileException, RE2Set } from 're2js';
import { compileExpression } from '../spec/index.ts';
import { type BytePath, toText } from '../tar/index.ts';

/** Expressions over absolute paths inside a package, as `build.yaml` has them. */
export interface Expressions {
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
}

/** One expression of a spec: which list it stands in, and where there, counted from 0. */
export interface ExpressionPosition {
  readonly list: keyof Expressions;
  readonly index: number;
}

/** What expressions say about one path, and the first expression that decides it. */
export type Verdict =
  /** `by` is absent where there are no `includes`, so that every path counts as included. */
  | { readonly keeps: true; readonly by?: ExpressionPosition }
  /** `by` is the `excludes` expression; absent where no `includes` expression was found in the path. */
  | { readonly keeps: false; readonly by?: ExpressionPosition };

/** Says which paths a package keeps, and which expressions had no part in it. */
export interface Filter {
  /**
   * Whether some `includes` expression is found in the path (or there is none), and no `excludes` expression is.
   * The path is searched as text that begins with `/`; a byte that is no part of UTF-8 reads as U+FFFD. Equal verdicts
   * are the same object.
   */
  judge(path: BytePath): Verdict;
  /** Whether the path is kept. */
  keeps(path: BytePath): boolean;
  /** The expressions that were found in none of the paths asked for so far, in their order, each once. */
  unmatched(): string[];
}

const KEPT: Verdict = { keeps: true };
const NOT_INCLUDED: Verdict = { keeps: false };

/** A filter of these expressions. Throws where one does not compile: whoever read them has said so already. */
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
  throw new Error(`the expression ${JSON.stringify(expression)} does not compile: ${compiled.error}`);
}

/** The indexes of the programs that are found in a text. One automaton of all of them reads it once. */
function search(programs: readonly RE2JS[]): (text: string) => Iterable<number> {
  const set = new RE2Set(RE2Set.UNANCHORED);
  try {
    for (const program of programs) set.add(program.pattern());
    set.compile();
    return (text) => set.match(text);
  } catch (error) {
    // Together they may be larger than one automaton may be.
    if (!(error instanceof RE2JSCompileException)) throw error;
    return (text) => programs.flatMap((program, index) => (program.test(text) ? [index] : []));
  }
}
