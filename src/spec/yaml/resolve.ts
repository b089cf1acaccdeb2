import { resolvePlain, type Value } from '../../template/index.ts';
import type { YamlNode, YamlScalar } from './node.ts';

/** Longer texts are no numbers: reading one of a million digits would take long. */
const LONGEST_NUMBER = 400;

/** What a plain scalar means, as in templates: a tree and its templates read the same YAML. */
const plainValue = (text: string): Value => (text.length > LONGEST_NUMBER ? text : resolvePlain(text));

/**
 * The value of a scalar where any type is allowed. A known tag determines the type; with an unknown tag it is
 * text.
 */
export function resolveScalar(scalar: YamlScalar): Value {
  if (scalar.plain) return plainValue(scalar.text);
  switch (scalar.tag) {
    case '!!null':
      return null;
    case '!!int':
    case '!!bool':
      return plainValue(scalar.text);
    case '!!float': {
      const value = plainValue(scalar.text);
      return typeof value === 'bigint' ? Number(value) : value;
    }
    case '!!binary':
      return Buffer.from(scalar.text, 'base64').toString();
    default:
      return scalar.text;
  }
}

/**
 * Converts a node to a value for templates. Each alias becomes a separate copy, because templates can change
 * maps (`compose` has limited the growth).
 */
export function toValue(node: YamlNode): Value {
  if (node.kind === 'scalar') return resolveScalar(node);
  if (node.kind === 'sequence') return node.items.map(toValue);
  const map = new Map<string, Value>();
  for (const [key, { value }] of node.pairs) map.set(key, toValue(value));
  return map;
}
