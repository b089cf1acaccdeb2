import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, formatDiagnostic, sortDiagnostics } from '../diagnostic/index.ts';
import { inFlags } from './advice.ts';
import type { CliContext } from './context.ts';
import { JsonLog } from './progress/json.ts';

/** Files above this size in bytes are not read for an excerpt. */
const largestSource = 4 << 20;

/** Reads the files that places name, relative to `cwd`, each once; undefined for one that cannot be read. */
export function sourceReader(cwd: string): (file: string) => string | undefined {
  const texts = new Map<string, string | undefined>();
  return (file) => {
    if (!texts.has(file)) {
      let text: string | undefined;
      try {
        const path = resolve(cwd, file);
        const info = statSync(path);
        if (info.isFile() && info.size <= largestSource) text = readFileSync(path, 'utf8');
      } catch {
        // The finding is shown without its source line.
      }
      texts.set(file, text);
    }
    return texts.get(file);
  };
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

/**
 * Writes warnings as `printDiagnostics` does; `--quiet` leaves them out, but `--fatal` fails all the same.
 */
export function printWarnings(context: CliContext, warnings: readonly Diagnostic[]): void {
  if (!context.display.quiet) printDiagnostics(context, warnings);
  else if (context.fatal && warnings.length > 0) context.setExitCode(1);
}

/** Adds to errors that several packages have in common, and that are shown once, whom else they stop. */
function withSharers(sorted: readonly Diagnostic[], all: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = ({ place, code, message }: Diagnostic): string => JSON.stringify([place, code, message]);
  const packages = new Map<string, Set<string>>();
  for (const one of all) {
    if (one.severity !== 'error' || one.package === undefined) continue;
    const group = packages.get(key(one)) ?? new Set();
    packages.set(key(one), group.add(one.package));
  }
  return sorted.map((one) => {
    const others = [...(packages.get(key(one)) ?? [])].filter((name) => name !== one.package).sort();
    if (one.severity !== 'error' || others.length === 0) return one;
    return { ...one, notes: [...(one.notes ?? []), { message: `the same stops ${others.join(', ')}` }] };
  });
}

/**
 * Writes findings to standard error as people read them, each with its source line, and how many there are.
 */
export function printDiagnostics(context: CliContext, diagnostics: Iterable<Diagnostic>): void {
  const all = Array.from(diagnostics, inFlags);
  const sorted = withSharers(sortDiagnostics(all), all);
  if (sorted.length === 0) return;
  if (context.fatal) context.setExitCode(1);
  if (context.display.logFormat === 'json') {
    const log = new JsonLog(context.stderr, context.now);
    for (const one of sorted) log.write({ type: 'diagnostic', ...one });
    return;
  }
  const options = { color: context.errorColor, source: sourceReader(context.cwd) };
  const texts = sorted.map((d) => `${formatDiagnostic(d, options)}\n`);
  const errors = sorted.filter((d) => d.severity === 'error').length;
  const counts = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(errors < sorted.length ? [plural(sorted.length - errors, 'warning')] : []),
  ];
  context.stderr.write(`${texts.join('\n')}${sorted.length > 1 ? `\n${counts.join(', ')}\n` : ''}`);
}
