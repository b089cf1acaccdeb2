import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import { packageName } from '../spec/index.ts';
import type { Tree, TreePackage, View } from '../tree/index.ts';
import { type Member, type Need, type NeedGraph, Needs, wantedText } from './needs.ts';

/** Packages and their needs, and problems of packages that could not be solved. */
export interface NeedGraphResult extends NeedGraph {
  readonly view: View;
  /** Why packages could not be solved. They are among the members, but without needs. */
  readonly problems: readonly Diagnostic[];
}

/**
 * The needs of some packages and of everything that they need. Without packages: the needs of each package of
 * the tree, by its own solution.
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
        // The relation of a subpackage to its main package is in no other solution.
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

/** Replaces control characters, which a picture cannot show. */
const plain = (text: string): string => text.replace(/[\x00-\x1f\x7f]/g, ' ');

/** Groups needs by pair of packages and kind: a picture has one arrow for each group. */
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
    // A requirement of the package's own name in any version needs no label.
    const told = same.filter((need) => !own(need) || !/^(?:>=0)?$/.test(need.selector));
    const labels = told.map((need) => (own(need) ? need.selector : wantedText(need)));
    return [{ from, to, kind, label: [...new Set(labels)].join(', ') }];
  });
}

/**
 * The graph for Graphviz: an arrow from each package to the packages it needs. Copied files are dashed,
 * contents are dotted, and an arrow with a circle leads to a main package.
 */
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

/** The graph for Mermaid, with the same arrows as `dotOf`. */
export function mermaidOf(graph: NeedGraph): string {
  // In quotes, Mermaid supports only numeric entities for escaping.
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
