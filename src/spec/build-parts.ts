import { definitionFields } from './definition.ts';
import { expressionChecker } from './expression.ts';
import { FORM_KEYS, form, unknownKeys } from './forms.ts';
import { compileGlob } from './glob.ts';
import { checkImage } from './image-text.ts';
import { EMPTY_LIST, items, located, report, type SpecReading, scalars, text } from './reader.ts';
import { SCRATCH } from './scratch.ts';
import type { CopyEntry, Located, PackageRef, Subpackage } from './types.ts';
import { entry, isNull, kindName, toValue, type YamlMapping, type YamlNode } from './yaml/index.ts';

const COPY_KEYS: ReadonlySet<string> = new Set(['package', 'image', 'source', 'destination']);
const SUBPACKAGE_KEYS: ReadonlySet<string> = new Set([...FORM_KEYS, 'includes', 'excludes']);

const expressionProblem = expressionChecker();

/** Reads `includes` or `excludes`: a list of regular expressions. */
export function expressions(reading: SpecReading, map: YamlMapping, key: string): readonly Located<string>[] {
  const found = scalars(reading, map, key);
  if (found.length === 0) return EMPTY_LIST;
  return found.map((node) => {
    const value = isNull(node) ? '' : node.text;
    const problem = expressionProblem(value);
    if (problem !== undefined) {
      const message = `invalid regular expression ${JSON.stringify(value)} in ${key}: ${problem.error}`;
      const glob = /^[*?]|^[^\\]*\/\*/.test(value);
      const hint = glob ? 'Write .* for *: this is a regular expression, not a glob' : undefined;
      report(reading, node, { code: 'invalid-expression', message, hint });
    }
    return located(reading, node, value);
  });
}

/** Reads `retrieve`: a list of globs. */
export function globs(reading: SpecReading, map: YamlMapping, key: string): readonly Located<string>[] {
  const found = scalars(reading, map, key);
  if (found.length === 0) return EMPTY_LIST;
  return found.map((node) => {
    const value = isNull(node) ? '' : node.text;
    checkGlob(reading, node, value, key);
    return located(reading, node, value);
  });
}

function checkGlob(reading: SpecReading, node: YamlNode, value: string, what: string): void {
  const compiled = compileGlob(value);
  if (!('error' in compiled)) return;
  const message = `invalid glob ${JSON.stringify(value)} in ${what}: ${compiled.error}`;
  report(reading, node, { code: 'invalid-glob', message });
}

/** Reads `copy`: a list of maps with a source (package or image), a path in it and a destination. */
export function copies(reading: SpecReading, map: YamlMapping): readonly CopyEntry[] {
  const list = items(reading, entry(map, 'copy'), 'copy', 'maps');
  if (list.length === 0) return EMPTY_LIST;
  const found: CopyEntry[] = [];
  for (const node of list) {
    const copied = copy(reading, node);
    if (copied !== undefined) found.push(copied);
  }
  return found;
}

function copy(reading: SpecReading, node: YamlNode): CopyEntry | undefined {
  if (node.kind !== 'mapping') {
    const message = `each item of copy must be a map, not a ${kindName(node)}`;
    report(reading, node, { code: 'wrong-type', message });
    return undefined;
  }
  unknownKeys(reading, node, COPY_KEYS, 'an item of copy', true);
  const packageNode = entry(node, 'package');
  const imageNode = entry(node, 'image');
  const image = text(reading, imageNode, 'the image of copy').trim();
  if (imageNode !== undefined) checkImage(reading, imageNode, image);
  const source = text(reading, entry(node, 'source'), 'the source of copy');
  checkGlob(reading, entry(node, 'source') ?? node, source, 'the source of copy');
  const destination = text(reading, entry(node, 'destination'), 'the destination of copy');
  const ref: PackageRef | undefined = packageNode && form(reading, packageNode, 'the package of copy');
  const missing = [
    packageNode === undefined && image === '' ? 'package or image' : undefined,
    source === '' ? 'source' : undefined,
    destination === '' ? 'destination' : undefined,
  ].filter((key) => key !== undefined);
  if (missing.length > 0) {
    const message = `missing ${missing.join(' and ')} in an item of copy`;
    report(reading, node, { code: 'invalid-copy', message });
  }
  if (packageNode !== undefined && image !== '') {
    const message = 'an item of copy has both package and image; expected only one of them';
    report(reading, node, { code: 'invalid-copy', message });
  }
  if (image === SCRATCH) {
    const message = 'cannot copy from the image scratch, because it is empty';
    report(reading, entry(node, 'image') ?? node, { code: 'invalid-copy', message });
  }
  if (missing.length > 0 || (packageNode !== undefined && (ref === undefined || image !== '')))
    return undefined;
  return {
    ...(ref !== undefined && { package: ref }),
    ...(image !== '' && { image }),
    source,
    destination,
    place: reading.source.place(node.start),
  };
}

/** Reads `subpackages`: a list of package forms with their own filters. */
export function subpackages(reading: SpecReading, map: YamlMapping): readonly Subpackage[] {
  const list = items(reading, entry(map, 'subpackages'), 'subpackages', 'package forms');
  if (list.length === 0) return EMPTY_LIST;
  const found: Subpackage[] = [];
  for (const node of list) {
    if (node.kind !== 'mapping') {
      const message = `each item of subpackages must be a package form, not a ${kindName(node)}`;
      report(reading, node, { code: 'wrong-type', message });
      continue;
    }
    const before = reading.problems.length;
    unknownKeys(reading, node, SUBPACKAGE_KEYS, 'a subpackage', true);
    const fields = definitionFields(reading, node, 'each item of subpackages');
    if (fields.name === '') continue;
    const filters = {
      includes: expressions(reading, node, 'includes'),
      excludes: expressions(reading, node, 'excludes'),
    };
    found.push({
      ...fields,
      get values() {
        return toValue(node) as Subpackage['values'];
      },
      ...filters,
      place: reading.source.place(node.start),
      errors: reading.problems.slice(before).filter(({ severity }) => severity === 'error'),
    });
  }
  return found;
}
