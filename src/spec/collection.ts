import { type Diagnostic, hasErrors, type Place } from '../diagnostic/index.ts';
import {
  type DefinitionFile,
  definition,
  emptyFile,
  keepDocument,
  noPackage,
  stampPackage,
} from './definition.ts';
import { formatPackage } from './package-id.ts';
import { items, report, type SpecReading } from './reader.ts';
import type { Definition } from './types.ts';
import { entry, kindName, readYaml, type YamlMapping, type YamlNode, type YamlSource } from './yaml/index.ts';

/** Reads `collection.yaml`: a list of packages under the key `packages`. */
export async function readCollection(source: YamlSource): Promise<DefinitionFile> {
  const { root, problems } = await readYaml(source);
  const reading: SpecReading = { source, problems: [...problems] };
  if (root === undefined) {
    if (problems.length === 0) reading.problems.push(emptyFile(source, 'a collection'));
    return noPackage(reading.problems);
  }
  if (root.kind !== 'mapping') {
    const message = `collection.yaml must be a map with the key packages, not a ${kindName(root)}`;
    report(reading, root, { code: 'wrong-type', message });
    return noPackage(reading.problems);
  }
  const list = items(reading, entry(root, 'packages'), 'packages', 'definitions');
  if (list.length === 0 && !hasErrors(reading.problems)) {
    const message = 'the collection is empty: expected a list of packages under the key packages';
    // An empty list can be intended. A missing list means that the key is misspelled or the file is
    // truncated.
    const severity = root.pairs.get('packages')?.value.kind === 'sequence' ? 'warning' : 'error';
    report(reading, root, { code: 'empty-collection', severity, message });
  }
  if (list.length === 0) return noPackage(reading.problems);
  keepDocument(source, root);
  const unnamed: Diagnostic[] = [];
  const byItem = list.map((item, i) => {
    const before = reading.problems.length;
    const found = definition(reading, item, 'each item of packages', i);
    if (found === undefined) unnamed.push(...reading.problems.slice(before));
    return found;
  });
  if (problems.length > 0) stampWarnings(reading, problems.length, root, list, byItem);
  const definitions = byItem.filter((found) => found !== undefined);
  return { definitions, problems: reading.problems, unnamed };
}

/**
 * Sets the package of the first `count` problems, if they are warnings. An error is left without a package,
 * because packages that use an alias from it are affected too.
 */
function stampWarnings(
  reading: SpecReading,
  count: number,
  root: YamlMapping,
  items: readonly YamlNode[],
  packages: readonly (Definition | undefined)[],
): void {
  const placeOf = (start: number): Place => reading.source.place(start);
  const places = items.map(({ start }) => placeOf(start));
  const keys = Array.from(root.pairs.values(), ({ key }) => key.start).sort((a, b) => a - b);
  const next = keys.find((start) => start > (root.pairs.get('packages')?.key.start ?? 0));
  for (let i = 0; i < count; i++) {
    const { severity, place } = reading.problems[i] ?? {};
    if (severity !== 'warning' || place === undefined) continue;
    if (next !== undefined && comparePlaces(placeOf(next), place) <= 0) continue;
    const owner = packages[places.findLastIndex((begin) => comparePlaces(begin, place) <= 0)];
    if (owner !== undefined) stampPackage(reading, i, formatPackage(owner), i + 1);
  }
}

const comparePlaces = (a: Place, b: Place): number =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
