/** YAML as nodes with offsets: values keep their text, and every node knows the place that a person wrote. */

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
export { type Origin, type Origins, plainSource, renderedSource, type Source } from './source.ts';
