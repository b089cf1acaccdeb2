import { isAbsolute, relative, resolve } from 'node:path';
import type { Located } from '../spec/index.ts';
import { KEY_SCHEME } from './key.ts';
import { PlanIndex } from './plan-index.ts';
import { PLAN_FORMAT, type ResolvedPlan } from './types.ts';

/** Thrown if a text is not a resolved plan that this version supports. */
export class PlanFormatError extends Error {
  override readonly name = 'PlanFormatError';
}

/**
 * Maps are written as a list of pairs, because JavaScript objects do not keep the order of keys such as `1`.
 */
const MAP = '$map';

/**
 * Writes a resolved plan as JSON (docs/plan.md). Folders below the absolute path `base` are written relative
 * to it, so that the plan can be used in another checkout. Equal plans give equal text.
 */
export function encodePlan(plan: ResolvedPlan, base: string): string {
  const shorten = (path: string): string => {
    const short = relative(base, path);
    return short.startsWith('..') || isAbsolute(short) ? path : short === '' ? '.' : short;
  };
  const text = JSON.stringify(withPaths(plan, shorten), jsonOf, 1);
  return `${text}\n`;
}

/** A value in a form that JSON supports. The place of a located text is computed only when it is read. */
function jsonOf(_: string, value: unknown): unknown {
  if (value instanceof Map) return { [MAP]: [...value] };
  if (!isLocated(value)) return value;
  const { value: text, place, notes } = value;
  return { value: text, place, ...(notes === undefined ? {} : { notes }) };
}

const isLocated = (value: unknown): value is Located<string> =>
  typeof value === 'object' && value !== null && 'value' in value && 'place' in value;

/**
 * Reads a resolved plan. Relative folders are relative to the absolute path `base`. Throws a
 * `PlanFormatError` if the text is not JSON, has another format or key scheme, or refers to something that it
 * does not contain.
 */
export function decodePlan(text: string, base: string): ResolvedPlan {
  const plan = parse(text);
  if (plan.format !== PLAN_FORMAT)
    throw new PlanFormatError(`plan format ${String(plan.format)} is not supported: expected ${PLAN_FORMAT}`);
  if (plan.keyScheme !== KEY_SCHEME)
    throw new PlanFormatError(
      `key scheme ${String(plan.keyScheme)} is not supported: expected ${KEY_SCHEME}; make the plan again`,
    );
  for (const list of ['packages', 'images', 'nodes', 'artifacts'] as const)
    if (!Array.isArray(plan[list])) throw new PlanFormatError(`"${list}" is missing: expected a list`);
  try {
    const whole = withPaths(plan, (path) => resolve(base, path));
    checkNames(whole);
    return whole;
  } catch (error) {
    throw new PlanFormatError(`the plan is damaged: ${(error as Error).message}`, { cause: error });
  }
}

function parse(text: string): ResolvedPlan {
  try {
    const plan = JSON.parse(text, (_, value: unknown) => mapOf(value)) as ResolvedPlan | null;
    if (typeof plan === 'object' && plan !== null) return plan;
  } catch (error) {
    throw new PlanFormatError(`not JSON: ${(error as Error).message}`, { cause: error });
  }
  throw new PlanFormatError('expected a JSON object');
}

function mapOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !(MAP in value)) return value;
  return new Map(value[MAP] as [string, string][]);
}

/**
 * Checks that every package, node and artifact that the plan refers to exists, and comes before those that
 * need it.
 */
function checkNames(plan: ResolvedPlan): void {
  const index = new PlanIndex(plan);
  for (const [at, { id, package: name, parent, copies, retrieveAfter }] of plan.nodes.entries()) {
    if (id !== at) throw new Error(`node ${at} has the id ${id}`);
    index.package(name);
    const before = [
      ...(parent.kind === 'node' ? [parent.node] : []),
      ...copies.flatMap(({ from }) => (from.kind === 'node' ? [from.node] : [])),
    ];
    for (const other of before)
      if (index.node(other).id >= at)
        throw new Error(`node ${at} comes before node ${other}, which it needs`);
    if (parent.kind === 'final') for (const part of parent.parts) index.artifact(part.artifact);
    for (const other of retrieveAfter) index.artifact(other);
  }
  for (const artifact of plan.artifacts) {
    index.package(artifact.package);
    if (artifact.node !== undefined) index.node(artifact.node);
  }
}

/** A plan with all paths replaced. */
function withPaths(plan: ResolvedPlan, path: (given: string) => string): ResolvedPlan {
  return {
    ...plan,
    packages: plan.packages.map((pack) => ({ ...pack, folder: path(pack.folder) })),
    images: plan.images.map(({ at, ...image }) =>
      at === undefined ? image : { ...image, at: { ...at, path: path(at.path) } },
    ),
    nodes: plan.nodes.map((node) =>
      node.parent.kind === 'dockerfile'
        ? { ...node, parent: { ...node.parent, path: path(node.parent.path) } }
        : node,
    ),
  };
}
