import type { BytePath } from '../tar/index.ts';
import { createFilter, type Expressions, type Verdict } from './filter.ts';

/** Which paths a package holds, and what its expressions said about each candidate. */
export interface Selection {
  /** Sorted by bytes: what was kept, and the folders on the way there. */
  readonly paths: readonly BytePath[];
  /** Those of `paths` that are there only because something below them is. */
  readonly folders: ReadonlySet<BytePath>;
  /** What the expressions say about each candidate, in the order of the candidates. */
  readonly verdicts: ReadonlyMap<BytePath, Verdict>;
  /** Expressions that were found in no path. */
  readonly unmatched: readonly string[];
}

/** The package holds those candidates that its expressions keep, and every folder on the way to one. */
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
 * The paths of a set that have no folder of theirs in it. What is below an added folder was added with it, so these alone
 * say which paths of an image a package was given.
 */
export function topmost(paths: readonly BytePath[]): BytePath[] {
  const all = new Set(paths);
  return paths.filter((path) => {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      if (all.has(path.slice(0, at))) return false;
    return true;
  });
}
