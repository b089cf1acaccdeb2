import { nearest } from '../diagnostic/index.ts';
import { parseSelector } from '../version/index.ts';
import type { CandidateGroup, Catalog, RequirementOptions } from './catalog.ts';
import { irreducibleCore } from './core.ts';
import type { CoreItem } from './demands.ts';
import { sentences } from './sentences.ts';
import { storyOf } from './story.ts';
import type { Candidate, Claim, Request } from './types.ts';

/** The reason why a request has no solution. */
export interface Explanation {
  /**
   * The steps, one sentence on each line, from the request to the contradiction. The middle of a very long
   * explanation is left out.
   */
  readonly message: string;
  /** All steps, one sentence each. */
  readonly steps: readonly string[];
  /**
   * A minimal set of contradicting demands: every proper subset can be satisfied. Demands of the request come
   * first.
   */
  readonly core: readonly CoreItem[];
  /** The contradictions at the end of the explanation, at least one. Each rules out some solutions. */
  readonly problems: readonly Problem[];
}

/** One contradiction. */
export type Problem =
  /** The selector is invalid, so nothing satisfies it. */
  | (Claim & { readonly kind: 'invalid-selector'; readonly reason: string })
  /** No package has or provides the name. */
  | (Claim & { readonly kind: 'unknown-name'; readonly nearest?: string })
  /** The name exists or is provided, but not in a version that the selector admits. */
  | (Claim & {
      readonly kind: 'no-version';
      /** The versions of that name, oldest first. */
      readonly versions: readonly string[];
      /** The packages that provide the name, in versions that do not match. */
      readonly providers: readonly Candidate[];
    })
  /** `from` conflicts with `with`; `because` lists the claims that need one of `with`. */
  | (Claim & {
      readonly kind: 'conflict';
      readonly with: readonly Candidate[];
      readonly because: readonly Claim[];
    })
  /**
   * No single version satisfies all these claims. `requested` has the versions that the request gives by id.
   */
  | {
      readonly kind: 'two-versions';
      readonly name: string;
      readonly claims: readonly Claim[];
      readonly requested: readonly Candidate[];
    }
  /** All options for a claim are ruled out by the other demands of the core together. */
  | (Claim & { readonly kind: 'none-left' });

/**
 * Number of lines above which the middle of a message is left out, and number of lines to keep at each end.
 */
const LONG = 40;
const KEPT = 15;

/** Explains why a request has no solution. Throws if it has one. */
export function explain(catalog: Catalog, request: Request): Explanation {
  const core = irreducibleCore(catalog, request);
  const problems = problemsOf(catalog, core);
  const steps = sentences(catalog, storyOf(catalog, core), problems);
  const message =
    steps.length <= LONG
      ? steps
      : [...steps.slice(0, KEPT), `… ${steps.length - 2 * KEPT} more steps …`, ...steps.slice(-KEPT)];
  return { message: message.join('\n'), steps, core, problems };
}

/** A claim and its options. */
interface Answered extends Claim {
  readonly options: RequirementOptions;
}

const plain = ({ from, requirement }: Claim): Claim => ({ from, requirement });

function problemsOf(catalog: Catalog, core: readonly CoreItem[]): Problem[] {
  const answered = (claim: Claim): Answered => ({
    ...plain(claim),
    options: catalog.options(claim.requirement),
  });
  const claims = core.filter((item) => item.kind === 'requires').map(answered);
  const conflicts = core.filter((item) => item.kind === 'conflicts').map(answered);
  const requested = core.filter((item) => item.kind === 'package').map((item) => item.candidate);
  const problems = [
    ...claims
      .filter(({ options }) => options.groups.length === 0)
      .map((claim) => missing(catalog, plain(claim))),
    ...conflicts.map((conflict) => clash(conflict, claims, requested)),
    ...doubled(claims, requested),
  ];
  const [first] = claims;
  return problems.length > 0 || first === undefined ? problems : [{ kind: 'none-left', ...plain(first) }];
}

function missing(catalog: Catalog, claim: Claim): Problem {
  const { name, selector } = claim.requirement;
  const parsed = parseSelector(selector);
  if ('error' in parsed) return { ...claim, kind: 'invalid-selector', reason: parsed.error };
  const versions = catalog.versionsOf(name).map((candidate) => candidate.version);
  const providers = catalog.providersOf(name);
  if (versions.length > 0 || providers.length > 0) {
    return { ...claim, kind: 'no-version', versions, providers };
  }
  const meant = nearest(name, [...catalog.names(), ...catalog.providedNames()]);
  return { ...claim, kind: 'unknown-name', ...(meant !== undefined && { nearest: meant }) };
}

/** The members in both of two groups of one family. */
function common(a: CandidateGroup, b: CandidateGroup): Candidate[] {
  if (a.family !== b.family) return [];
  return a.spans.flatMap(([first, last]) =>
    b.spans.flatMap(([from, to]) => a.family.members.slice(Math.max(first, from), Math.min(last, to) + 1)),
  );
}

/** A conflict, with those of its targets that the rest of the core needs. */
function clash(conflict: Answered, claims: readonly Answered[], requested: readonly Candidate[]): Problem {
  const hit = conflict.options.groups.filter((group) => group.family.name !== conflict.from?.name);
  const wanted = new Set<Candidate>();
  const because = claims.filter(({ options }) => {
    const shared = options.groups.flatMap((a) => hit.flatMap((b) => common(a, b)));
    for (const candidate of shared) wanted.add(candidate);
    return shared.length > 0;
  });
  for (const { family, spans } of hit) {
    for (const candidate of requested) {
      const index = family.members.indexOf(candidate);
      if (spans.some(([first, last]) => first <= index && index <= last)) wanted.add(candidate);
    }
  }
  return { kind: 'conflict', ...plain(conflict), with: [...wanted], because: because.map(plain) };
}

/** Claims on one name whose versions exclude each other. Names with alternative providers are ignored. */
function doubled(claims: readonly Answered[], requested: readonly Candidate[]): Problem[] {
  const problems: Problem[] = [];
  const direct = claims.filter(({ options: { groups } }) => groups.length === 1 && !groups[0]?.provider);
  const byName = Map.groupBy(direct, (claim) => claim.requirement.name);
  for (const name of new Set([...requested.map((c) => c.name), ...byName.keys()])) {
    const asked = requested.filter((candidate) => candidate.name === name);
    const alike = [
      ...Map.groupBy(byName.get(name) ?? [], (claim) => claim.requirement.selector).values(),
    ].flatMap((some) => {
      const group = some[0]?.options.groups[0];
      return group === undefined ? [] : [{ some, group }];
    });
    const excluded = alike.filter(({ some, group }) =>
      asked.length > 0
        ? asked.some((candidate) => !admitted(group, candidate))
        : alike.some((other) => common(group, other.group).length === 0 && !versionsOfOne(some, other.some)),
    );
    if (excluded.length === 0 && asked.length < 2) continue;
    const against = excluded.flatMap(({ some }) => some.map(plain));
    problems.push({ kind: 'two-versions', name, claims: against, requested: asked });
  }
  return problems;
}

const admitted = ({ family, spans }: CandidateGroup, candidate: Candidate): boolean => {
  const index = family.members.indexOf(candidate);
  return spans.some(([first, last]) => first <= index && index <= last);
};

/** Whether all these claims come from versions of one package, of which only one can be selected. */
function versionsOfOne(a: readonly Claim[], b: readonly Claim[]): boolean {
  const [first] = a;
  if (first?.from === undefined || [...a, ...b].some((claim) => claim.from?.name !== first.from?.name))
    return false;
  return !a.some((claim) => b.some((other) => other.from === claim.from));
}
