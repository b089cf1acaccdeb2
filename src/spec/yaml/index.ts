/**
 * Reads YAML into nodes that keep the text of scalars as written, and the offset of each node. Offsets can be
 * converted to places in the source file, or in the template of a rendered file.
 */

export { compose } from './compose.ts';
export {
  entry,
  isNull,
  kindName,
  type YamlMapping,
  type YamlNode,
  type YamlScalar,
} from './node.ts';
export { readYaml, type YamlResult } from './read.ts';
export { toValue } from './resolve.ts';
export {
  plainSource,
  type RenderOrigin,
  type RenderOrigins,
  renderedSource,
  type YamlSource,
} from './source.ts';
export { quoted } from './tags.ts';
