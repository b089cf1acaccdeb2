/** One scalar. */
export interface YamlScalar {
  readonly kind: 'scalar';
  /** Its content, decoded: without quotes, escapes resolved, folded. */
  readonly text: string;
  /** Whether it is written without quotes and without a tag, so that its kind follows from its text. */
  readonly plain: boolean;
  /** The tag as written, such as `!!str`; empty where there is none. */
  readonly tag: string;
  readonly start: number;
  /** Offset just behind it, or -1 where it has no text of its own (an empty value, a block). */
  readonly end: number;
}

/** One list. */
export interface YamlSequence {
  readonly kind: 'sequence';
  readonly items: readonly YamlNode[];
  readonly start: number;
}

/** A key of a map and what it stands for. */
export interface YamlPair {
  readonly key: YamlScalar;
  readonly value: YamlNode;
}

/** One map, with what merge keys bring already in it. */
export interface YamlMapping {
  readonly kind: 'mapping';
  readonly pairs: ReadonlyMap<string, YamlPair>;
  readonly start: number;
}

/** A node of a YAML document. Aliases are the node that they stand for. */
export type YamlNode = YamlScalar | YamlSequence | YamlMapping;

/** Whether a node is null: nothing at all, `~`, or `null`. */
export function isNull(node: YamlNode): boolean {
  if (node.kind !== 'scalar') return false;
  if (node.tag === '!!null') return true;
  return node.plain && /^(?:|~|null|Null|NULL)$/.test(node.text);
}

/** The value under a key of a map, or undefined where it is absent or null, which mean the same. */
export function entry(node: YamlMapping, key: string): YamlNode | undefined {
  const value = node.pairs.get(key)?.value;
  return value === undefined || isNull(value) ? undefined : value;
}

/** How a kind of node is called in a message. */
export function kindName(node: YamlNode): string {
  return node.kind === 'scalar' ? 'scalar' : node.kind === 'sequence' ? 'list' : 'map';
}
