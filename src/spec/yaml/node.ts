/** A scalar. */
export interface YamlScalar {
  readonly kind: 'scalar';
  /** Decoded content: without quotes, escapes resolved, lines folded. */
  readonly text: string;
  /** Whether it has neither quotes nor a tag, so that its text determines its type. */
  readonly plain: boolean;
  /** The tag as written, such as `!!str`; empty if there is none. */
  readonly tag: string;
  readonly start: number;
  /** Offset after the last character, or -1 for an empty value or a block scalar. */
  readonly end: number;
}

/** A list. */
export interface YamlSequence {
  readonly kind: 'sequence';
  readonly items: readonly YamlNode[];
  readonly start: number;
}

/** A key of a map and its value. */
export interface YamlPair {
  readonly key: YamlScalar;
  readonly value: YamlNode;
}

/** A map, with merge keys already applied. */
export interface YamlMapping {
  readonly kind: 'mapping';
  readonly pairs: ReadonlyMap<string, YamlPair>;
  readonly start: number;
}

/** A node of a YAML document. Aliases are resolved to their nodes. */
export type YamlNode = YamlScalar | YamlSequence | YamlMapping;

/** Whether a node is null: empty, `~` or `null`. */
export function isNull(node: YamlNode): boolean {
  if (node.kind !== 'scalar') return false;
  if (node.tag === '!!null') return true;
  return node.plain && /^(?:|~|null|Null|NULL)$/.test(node.text);
}

/** The value of a key; undefined if it is missing or null, which mean the same. */
export function entry(node: YamlMapping, key: string): YamlNode | undefined {
  const value = node.pairs.get(key)?.value;
  return value === undefined || isNull(value) ? undefined : value;
}

/** The name of a node's kind in messages. */
export function kindName(node: YamlNode): string {
  return node.kind === 'scalar' ? 'scalar' : node.kind === 'sequence' ? 'list' : 'map';
}
