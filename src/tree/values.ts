import { resolve } from 'node:path';
import type { Diagnostic } from '../diagnostic/index.ts';
import { plainSource, readYaml, toValue } from '../spec/index.ts';
import type { Value } from '../template/index.ts';
import { fileProblem, readText } from './files.ts';
import type { LoadOptions } from './types.ts';

const isMap = (value: Value | undefined): value is Map<string, Value> => value instanceof Map;

/** A deep copy, because templates may change the maps they get. */
function copy(value: Value): Value {
  if (isMap(value)) return overlay(value, new Map());
  return Array.isArray(value) ? value.map(copy) : value;
}

/**
 * Overlays `base` with `over`: maps are merged by key, other values are replaced. The result shares no map or
 * list with either.
 */
export function overlay(
  base: ReadonlyMap<string, Value>,
  over: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const merged = new Map<string, Value>();
  for (const [key, value] of base) if (!over.has(key)) merged.set(key, copy(value));
  for (const [key, value] of over) {
    const below = base.get(key);
    merged.set(key, isMap(value) && isMap(below) ? overlay(below, value) : copy(value));
  }
  return merged;
}

/** Reads and overlays `--values` files; later ones override earlier ones. */
export async function readValues(
  options: Pick<LoadOptions, 'cwd' | 'values'>,
  problems: Diagnostic[],
): Promise<ReadonlyMap<string, Value>> {
  let values = new Map<string, Value>();
  for (const file of options.values ?? []) {
    const read = readText(resolve(options.cwd, file), file, undefined);
    if ('problem' in read) {
      problems.push(read.problem);
      continue;
    }
    const { root, problems: found } = await readYaml(plainSource(file, read.text));
    problems.push(...found);
    const value = root === undefined ? null : toValue(root);
    if (value instanceof Map) values = overlay(values, value);
    else if (value !== null) {
      problems.push(fileProblem('values-file', file, 'a values file must be a map'));
    }
  }
  return values;
}
