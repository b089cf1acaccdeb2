import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, replaceFileSync } from '../disk/index.ts';
import type { CliContext } from './context.ts';

/**
 * How long packages took in earlier runs of this user's. Only a help: a file that is lost or broken is
 * written again.
 */
export interface History {
  /** Milliseconds that a package, named `category/name-version`, took last; else another version of it. */
  usual(name: string): number | undefined;
  /** The same of some packages: of those of which it is known. */
  durations(names: readonly string[]): ReadonlyMap<string, number>;
  /** Remembers how long packages took. Never throws. */
  remember(durations: ReadonlyMap<string, number>): void;
}

/** Packages that are remembered: those of the last runs. */
const KEPT = 5000;

/** A name without its version. */
const stem = (name: string): string => name.replace(/-v?\d[^/]*$/, '');

/** The history below the user's state folder. */
export function openHistory(context: Pick<CliContext, 'env' | 'home' | 'runId'>): History {
  const folder = join(context.env.XDG_STATE_HOME || join(context.home, '.local/state'), 'luet-ts');
  const file = join(folder, 'history.json');
  const known = read(file);
  const stems = new Map([...known].map(([name, took]) => [stem(name), took]));
  const usual = (name: string): number | undefined => known.get(name) ?? stems.get(stem(name));
  return {
    usual,
    durations(names) {
      const took = names.map((name) => [name, usual(name)] as const);
      return new Map(took.filter((one): one is readonly [string, number] => one[1] !== undefined));
    },
    remember(durations) {
      if (durations.size === 0) return;
      // Another run may have written meanwhile. What is set again goes to the end, and so stays longest.
      const all = read(file);
      for (const [name, took] of durations) {
        all.delete(name);
        all.set(name, Math.round(took));
      }
      const kept = [...all].slice(-KEPT);
      const text = `${JSON.stringify({ version: 1, milliseconds: Object.fromEntries(kept) })}\n`;
      try {
        makeFolder(folder);
        replaceFileSync(file, text, `${file}.${context.runId}`);
      } catch {
        // The times are not remembered, which costs nothing but a worse estimate.
      }
    },
  };
}

function read(file: string): Map<string, number> {
  try {
    const { version, milliseconds } = JSON.parse(readFileSync(file, 'utf8')) as {
      version?: unknown;
      milliseconds?: Record<string, unknown>;
    };
    if (version !== 1) return new Map();
    return new Map(
      Object.entries(milliseconds ?? {}).filter(
        (one): one is [string, number] => typeof one[1] === 'number' && one[1] >= 0,
      ),
    );
  } catch {
    return new Map();
  }
}
