import { YAMLException } from 'js-yaml';
import type { Diagnostic } from '../../diagnostic/index.ts';
import { compose } from './compose.ts';
import { explain } from './explain.ts';
import type { YamlNode } from './node.ts';
import type { YamlSource } from './source.ts';

/** The result of reading: `root` is undefined if the file is empty or invalid. */
export interface YamlResult {
  readonly root?: YamlNode;
  readonly problems: readonly Diagnostic[];
}

/**
 * Reads one document. If it has syntax errors, a second, slower library finds all of them and describes each
 * better.
 */
export async function readYaml(source: YamlSource): Promise<YamlResult> {
  try {
    return compose(source);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { problems: await explain(source, error) };
  }
}
