import type { Catalog, Family, IndexRange, RequirementOptions } from './catalog.ts';
import type { CoreItem } from './demands.ts';

/** The index of the selected member of each family; families without a selected member are missing. */
export type Model = ReadonlyMap<Family, number>;

/** Maximum number of changes to try. The search finds the rest. */
const EFFORT = 200_000;

interface Demanding {
  readonly item: CoreItem;
  readonly at: { readonly family: Family; readonly index: number } | undefined;
  readonly options: RequirementOptions | undefined;
}

const within = (spans: readonly IndexRange[], index: number): boolean =>
  spans.some(([first, last]) => first <= index && index <= last);

/**
 * Finds necessary demands of a core without searching. If an assignment violates only one demand, that demand
 * is necessary. Changing one package so that this demand is satisfied often gives an assignment that violates
 * only one other demand, and so on, along whole chains of requirements.
 */
export class Rotation {
  readonly #demands: readonly Demanding[];
  readonly #byFamily = new Map<Family, Demanding[]>();
  #effort = EFFORT;

  constructor(catalog: Catalog, core: readonly CoreItem[]) {
    this.#demands = core.map((item) => {
      const owner = item.kind === 'package' ? item.candidate : item.from;
      const at = owner === undefined ? undefined : catalog.place(owner.id);
      const options = item.kind === 'package' ? undefined : catalog.options(item.requirement);
      return { item, at, options };
    });
    for (const demand of this.#demands) {
      const families = new Set(demand.options?.groups.map((group) => group.family));
      if (demand.at !== undefined) families.add(demand.at.family);
      for (const family of families) {
        const known = this.#byFamily.get(family);
        if (known === undefined) this.#byFamily.set(family, [demand]);
        else known.push(demand);
      }
    }
  }

  /**
   * Starts from an assignment that violates only one demand; adds all demands that it proves necessary to
   * `needed`.
   */
  spread(model: Model, violated: CoreItem, needed: Set<CoreItem>): void {
    const start = this.#demands.find((demand) => demand.item === violated);
    if (start === undefined) return;
    needed.add(violated);
    const current = new Map(model);
    /** Open branches: undo changes down to `depth`, then make the change and continue with its demand. */
    const changes: { readonly family: Family; readonly before: number | undefined }[] = [];
    const open = this.#repairs(start, current).map((repair) => ({ ...repair, demand: start, depth: 0 }));
    for (let next = open.pop(); next !== undefined && this.#effort > 0; next = open.pop()) {
      while (changes.length > next.depth) {
        const undone = changes.pop();
        if (undone !== undefined) assign(current, undone.family, undone.before);
      }
      changes.push({ family: next.family, before: current.get(next.family) });
      assign(current, next.family, next.index);
      const broken = this.#violated(next.family, current, next.demand);
      if (broken === undefined || needed.has(broken.item)) continue;
      needed.add(broken.item);
      for (const repair of this.#repairs(broken, current)) {
        open.push({ ...repair, demand: broken, depth: changes.length });
      }
    }
  }

  /** The only demand that a change of a family violates; undefined if it violates none or several. */
  #violated(family: Family, model: Model, repaired: Demanding): Demanding | undefined {
    let found: Demanding | undefined;
    for (const demand of this.#byFamily.get(family) ?? []) {
      this.#effort--;
      if (!violates(demand, model)) continue;
      if (found !== undefined || demand === repaired) return undefined;
      found = demand;
    }
    return found;
  }

  /** Changes of one package that may satisfy a violated demand. */
  #repairs({ item, at, options }: Demanding, model: Model): { family: Family; index: number | undefined }[] {
    if (item.kind === 'package') return at === undefined ? [] : [at];
    const repairs: { family: Family; index: number | undefined }[] = [];
    const others = (family: Family, keep: (index: number) => boolean): void => {
      for (const index of family.members.keys()) {
        if (keep(index) && index !== model.get(family)) repairs.push({ family, index });
      }
    };
    if (at !== undefined) {
      repairs.push({ family: at.family, index: undefined });
      others(at.family, () => true);
    }
    for (const { family, spans } of options?.groups ?? []) {
      if (item.kind === 'requires') others(family, (index) => within(spans, index));
      else if (model.has(family)) repairs.push({ family, index: undefined });
    }
    return repairs;
  }
}

function assign(model: Map<Family, number>, family: Family, index: number | undefined): void {
  if (index === undefined) model.delete(family);
  else model.set(family, index);
}

function violates({ item, at, options }: Demanding, model: Model): boolean {
  if (item.kind === 'package') return at !== undefined && model.get(at.family) !== at.index;
  if (at !== undefined && model.get(at.family) !== at.index) return false;
  const met = options?.groups.some(({ family, spans }) => {
    if (item.kind === 'conflicts' && family === at?.family) return false;
    const index = model.get(family);
    return index !== undefined && within(spans, index);
  });
  return item.kind === 'requires' ? !met : met === true;
}
