import { nearest } from '../diagnostic/index.ts';
import { type CoreItem, irreducibleCore } from './core.ts';
import type { Candidate, Request, Requirement } from './types.ts';
import type { Universe } from './universe.ts';

/** Why a request has no solution. */
export interface Explanation {
  /** Sentences, one a line, from the request to the contradiction. */
  readonly message: string;
  /** Demands that cannot hold together, while any part of them can. */
  readonly core: readonly CoreItem[];
  /** Requirements of the core that nothing satisfies, whatever else is chosen. */
  readonly missing: readonly Missing[];
}

/** A requirement that no candidate of the universe satisfies. */
export interface Missing {
  /** The one that requires; undefined for the request. */
  readonly from: Candidate | undefined;
  readonly requirement: Requirement;
  /** The versions that exist under that name, oldest first; empty where nothing bears the name. */
  readonly versions: readonly string[];
  /** A name that exists and was perhaps meant. */
  readonly nearest?: string;
}

/** Explains a request that has no solution; throws where it has one. */
export function explain(universe: Universe, request: Request): Explanation {
  const core = irreducibleCore(universe, request);
  const missing = core.flatMap((item): Missing[] => {
    if (item.kind !== 'requires' || universe.options(item.requirement).groups.length > 0) return [];
    const { name } = item.requirement;
    const versions = universe.versionsOf(name).map((candidate) => candidate.version);
    const close = versions.length > 0 ? undefined : nearest(name, universe.names());
    return [{ from: item.from, requirement: item.requirement, versions, ...(close && { nearest: close }) }];
  });
  return { message: core.map((item) => sentence(universe, item)).join('\n'), core, missing };
}

function sentence(universe: Universe, item: CoreItem): string {
  if (item.kind === 'package') return `${form(item.candidate)} is requested`;
  const { name, selector, origin } = item.requirement;
  const who = item.from === undefined ? 'the request' : form(item.from);
  const versions = universe.versionsOf(name).map((candidate) => candidate.version);
  const exist = versions.length > 0 ? `; there is ${versions.join(', ')}` : '; there is none';
  const verb = item.kind === 'requires' ? 'requires' : 'conflicts with';
  return `${who} ${verb} ${name} ${selector}${origin === undefined ? '' : ` (${origin})`}${exist}`;
}

const form = ({ name, version }: Candidate): string => `${name}-${version}`;
