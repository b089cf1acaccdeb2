import type { BuildResult } from '../build/index.ts';
import { escapeTerminal } from '../diagnostic/index.ts';
import type { CliContext } from './context.ts';
import { duration } from './units.ts';

/** The last lines of a build: how many packages became what, and which did not. */
export function summarize(
  { packages, failed, skipped }: BuildResult,
  milliseconds: number,
  context: CliContext,
): void {
  if (context.display.quiet && failed.length === 0) return;
  const counts = (['built', 'cut', 'empty', 'unchanged'] as const)
    .map((outcome) => ({ outcome, count: packages.filter((one) => one.outcome === outcome).length }))
    .filter(({ count }) => count > 0)
    .map(({ outcome, count }) => `${count} ${outcome}`);
  if (failed.length > 0) counts.push(`${failed.length} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} not built`);
  context.stderr.write(`${counts.join(', ') || 'nothing to build'} in ${duration(milliseconds)}\n`);
  for (const { package: name, diagnostics } of failed) {
    const [first] = diagnostics;
    const at =
      first?.place === undefined
        ? ''
        : ` at ${first.place.file}${first.place.line === undefined ? '' : `:${first.place.line}`}`;
    context.stderr.write(
      `failed: ${escapeTerminal(name)}${escapeTerminal(at)}: ${escapeTerminal(first?.message ?? '')}\n`,
    );
  }
}
