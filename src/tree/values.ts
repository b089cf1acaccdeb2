import { resolve } from 'node:path';
import type { Diagnostic } from '../diagnostic/index.ts';
import { plainSource, readYaml, toValue } from '../spec/index.ts';
import type { Value } from '../template/index.ts';
import { fileProblem, readText } from './files.ts';
import type { LoadOptions } from './types.ts';

const isMap = (value: Value | undefined): value is Map<string, Value> => value instanceof Map;

/** A copy that shares nothing with its original: templates may change the maps that they are given. */
function copy(value: Value): Value {
  if (isMap(value)) return overlay(value, new Map());
  return Array.isArray(value) ? value.map(copy) : value;
}

/**
 * `base` with the values of `over` laid on it: maps merge key by key, all else is replaced. The result shares no
 * map or list with either.
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

/** The `--values` files laid over each other, later ones winning. */
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
      problems.push(fileProblem('values-file', file, 'a values file must be a map of names to values'));
    }
  }
  return values;
}
