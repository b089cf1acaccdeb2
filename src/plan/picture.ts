import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import { packageName } from '../spec/index.ts';
import type { Tree, TreePackage, View } from '../tree/index.ts';
import { type Member, type Need, type NeedGraph, Needs, wantedText } from './needs.ts';

/** Packages and their needs, and what stood in the way of knowing some. */
export interface NeedGraphResult extends NeedGraph {
  readonly view: View;
  /** Why packages could not be solved; they are among the members, without needs. */
  readonly problems: readonly Diagnostic[];
}

/**
 * The needs of some packages and of everything that they need or, without packages, of the whole tree: then each
 * package with what its own solution chose for it.
 */
export function needGraph(tree: Tree, view: View, packages?: readonly TreePackage[]): NeedGraphResult {
  const needs = new Needs(tree, view);
  const members = new Map<string, Member>();
  const found = new Map<string, Need>();
  const problems: Diagnostic[] = [];
  const whole = view === 'runtime' ? tree.runtime.packages : tree.packages.filter((one) => needs.has(one));
  for (const pack of packages ?? whole) {
    try {
      const graph = needs.of(pack);
      for (const member of graph.members)
        if (packages !== undefined || member.key === pack.key) members.set(member.key, member);
      for (const need of graph.needs) {
        // Nobody else tells of a subpackage what it is cut from.
        if (packages === undefined && need.from !== pack.key && need.kind !== 'cut') continue;
        found.set(JSON.stringify([need.from, need.to, need.kind, need.name, need.selector]), need);
        for (const end of [need.from, need.to]) {
          const member = members.has(end) ? undefined : graph.members.find(({ key }) => key === end);
          if (member !== undefined) members.set(member.key, member);
        }
      }
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      problems.push(...error.diagnostics);
      const { name, category, version } = pack.definition;
      members.set(pack.key, { name, category, version, key: pack.key });
    }
  }
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return {
    view,
    members: [...members.values()].sort((a, b) => compare(a.key, b.key)),
    needs: [...found.values()].sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to)),
    problems,
  };
}

/** Control characters have no place in a picture. */
const plain = (text: string): string => text.replace(/[\x00-\x1f\x7f]/g, ' ');

/** Needs by the two packages that they are between: a picture has one arrow for each pair and kind. */
function arrows({
  members,
  needs,
}: NeedGraph): readonly (Pick<Need, 'from' | 'to' | 'kind'> & { readonly label: string })[] {
  const names = new Map(members.map((member) => [member.key, packageName(member)]));
  const byPair = Map.groupBy(needs, ({ from, to, kind }) => JSON.stringify([from, to, kind]));
  return [...byPair.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { from, to, kind } = first;
    const own = ({ name }: Need): boolean => name === names.get(to);
    // What is required by its own name in any version says nothing that the arrow does not.
    const told = same.filter((need) => !own(need) || !/^(?:>=0)?$/.test(need.selector));
    const labels = told.map((need) => (own(need) ? need.selector : wantedText(need)));
    return [{ from, to, kind, label: [...new Set(labels)].join(', ') }];
  });
}

/** A graph in Graphviz's language, an arrow from each package to what it needs; copied files dashed, content dotted, and a circle where it is cut from. */
export function dotOf(graph: NeedGraph): string {
  const text = (value: string): string => `"${plain(value).replace(/[\\"]/g, '\\$&')}"`;
  const styles = {
    requires: '',
    copies: 'style=dashed',
    content: 'style=dotted',
    cut: 'arrowhead=odot',
  } as const;
  const rows = arrows(graph).map(({ from, to, kind, label }) => {
    const attributes = [styles[kind], label === '' ? '' : `label=${text(label)}`].filter(Boolean).join(', ');
    return `  ${text(from)} -> ${text(to)}${attributes === '' ? '' : ` [${attributes}]`};`;
  });
  return [
    'digraph tree {',
    '  rankdir=LR;',
    '  node [shape=box, fontname="sans-serif"];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...graph.members.map(({ key }) => `  ${text(key)};`),
    ...rows,
    '}',
    '',
  ].join('\n');
}

/** A graph in Mermaid's language; arrows as in `dotOf`. */
export function mermaidOf(graph: NeedGraph): string {
  // Mermaid knows numbered entities inside of quotes, and nothing else that quotes them.
  const text = (value: string): string =>
    `"${plain(value).replace(/[^\w /.:+=~@,-]/g, (c) => `#${c.codePointAt(0)};`)}"`;
  const numbers = new Map(graph.members.map(({ key }, at) => [key, `p${at}`]));
  const lines = { requires: '-->', copies: '-.->', content: '==>', cut: '--o' } as const;
  const rows = arrows(graph).map(({ from, to, kind, label }) => {
    const caption = label === '' ? '' : `|${text(label)}|`;
    return `  ${numbers.get(from)} ${lines[kind]}${caption} ${numbers.get(to)}`;
  });
  return [
    'flowchart LR',
    ...graph.members.map(({ key }) => `  ${numbers.get(key)}[${text(key)}]`),
    ...rows,
    '',
  ].join('\n');
}
