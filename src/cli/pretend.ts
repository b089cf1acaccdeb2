import type { Plan } from '../plan/index.ts';
import type { CliContext } from './context.ts';

/**
 * Says what a build would write: as text each package once, in order; as data in Luet's shape, for each
 * target.
 */
export async function pretend(
  plan: Plan,
  output: 'terminal' | 'json' | 'yaml',
  { stdout }: CliContext,
): Promise<void> {
  const { plannedPackages } = await import('../plan/index.ts');
  if (output === 'json') {
    const { jsonText } = await import('../diagnostic/index.ts');
    stdout.write(`${jsonText({ packages: plannedPackages(plan) })}\n`);
  } else if (output === 'yaml') {
    const { dump } = await import('js-yaml');
    stdout.write(dump({ packages: plannedPackages(plan) }));
  } else {
    const { escapeTerminal } = await import('../diagnostic/index.ts');
    const names = plan.artifacts.filter(({ wanted }) => wanted).map(({ package: pack }) => pack.key);
    stdout.write(names.map((name) => `${escapeTerminal(name)}\n`).join(''));
  }
}
