import type { BytePath } from '../tar/index.ts';
import { createFilter, type Expressions, type Verdict } from './filter.ts';

/** The paths in a package, and the verdict for each candidate. */
export interface Selection {
  /** Sorted by bytes: kept paths and their parent folders. */
  readonly paths: readonly BytePath[];
  /** Those of `paths` that are included only as parent folders. */
  readonly folders: ReadonlySet<BytePath>;
  /** The verdict for each candidate, in the order of the candidates. */
  readonly verdicts: ReadonlyMap<BytePath, Verdict>;
  /** Expressions that matched no path. */
  readonly unmatched: readonly string[];
}

/** Selects the candidates that the filters keep, and all their parent folders. */
export function select(candidates: Iterable<BytePath>, expressions: Expressions): Selection {
  const filter = createFilter(expressions);
  const kept = new Set<BytePath>();
  const folders = new Set<BytePath>();
  const verdicts = new Map<BytePath, Verdict>();
  for (const path of candidates) {
    const verdict = filter.judge(path);
    verdicts.set(path, verdict);
    if (!verdict.keeps) continue;
    kept.add(path);
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  const paths = [...new Set([...kept, ...folders])].sort();
  return {
    paths,
    folders: new Set([...folders].filter((folder) => !kept.has(folder))),
    verdicts,
    unmatched: filter.unmatched(),
  };
}

/**
 * The paths of a set whose parent folder is not in the set. Everything below an added folder was added with
 * it, so these paths describe everything that was added to an image.
 */
export function topmost(paths: readonly BytePath[]): BytePath[] {
  const all = new Set(paths);
  return paths.filter((path) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      if (all.has(path.slice(0, at))) return false;
    return true;
  });
}
