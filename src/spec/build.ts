import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { copies, expressions, globs, subpackages } from './build-parts.ts';
import { environmentProblem } from './environment.ts';
import { forms, unknownKeys } from './forms.ts';
import { checkImage, warnIfValueMissing } from './image-text.ts';
import { EMPTY_LIST, flag, items, located, report, type SpecReading, text, texts } from './reader.ts';
import { checkScratch } from './scratch.ts';
import type { BuildSpec, Located } from './types.ts';
import {
  entry,
  isNull,
  kindName,
  readYaml,
  type YamlMapping,
  type YamlNode,
  type YamlSource,
} from './yaml/index.ts';

/** The keys allowed in `build.yaml`. */
const BUILD_KEYS: ReadonlySet<string> = new Set([
  'image',
  'requires',
  'requires_final_images',
  'conflicts',
  'provides',
  'prelude',
  'steps',
  'env',
  'copy',
  'unpack',
  'package_dir',
  'includes',
  'excludes',
  'subpackages',
  'retrieve',
]);

/** A rendered `build.yaml` and its problems. */
export interface BuildFile {
  /** Undefined only if the text is not a YAML map. */
  readonly spec?: BuildSpec;
  readonly problems: readonly Diagnostic[];
  /**
   * The errors that may have hidden subpackages, so that `spec` may not contain all of them. Undefined if
   * there are none.
   */
  readonly hiding?: readonly Diagnostic[];
}

/** Reads a rendered `build.yaml`. An empty one belongs to a virtual package. */
export async function readBuild(source: YamlSource): Promise<BuildFile> {
  const { root, problems } = await readYaml(source);
  // A misspelled key is an error, because its value (steps, filters, a version) would be ignored.
  const reading: SpecReading = { source, problems: [...problems], misspelled: 'error' };
  const errors = problems.filter(isError);
  const named = source.text.includes('subpackages');
  const result = (spec?: BuildSpec, lost: readonly Diagnostic[] = []): BuildFile => {
    const hiding = [...(named ? errors : []), ...lost];
    return {
      ...(spec === undefined ? {} : { spec }),
      problems: reading.problems,
      ...(hiding.length === 0 ? {} : { hiding }),
    };
  };
  if (root === undefined && errors.length > 0) return result();
  if (root === undefined || isNull(root)) {
    const nothing: YamlMapping = { kind: 'mapping', pairs: new Map(), start: 0 };
    return result(buildSpec(reading, nothing));
  }
  if (root.kind === 'mapping') {
    const spec = buildSpec(reading, root);
    return result(spec, hidingErrors(reading, root, spec));
  }
  report(reading, root, {
    code: 'wrong-type',
    message: `build.yaml must be a map with keys such as steps, not a ${kindName(root)}`,
  });
  return result(undefined, named ? reading.problems.filter(isError) : []);
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

/**
 * The errors that may hide subpackages: the key is misspelled, or some of its items are invalid. Recognised
 * by the name of the key in the message.
 */
function hidingErrors({ problems }: SpecReading, map: YamlMapping, spec: BuildSpec): readonly Diagnostic[] {
  const list = entry(map, 'subpackages');
  const count = list?.kind === 'sequence' ? list.items.length : list === undefined || isNull(list) ? 0 : 1;
  const isComplete = count === spec.subpackages.length;
  return problems.filter(
    ({ severity, message, hint = '' }) =>
      severity === 'error' &&
      (hint.includes('"subpackages"') || (!isComplete && /\bsubpackages\b/.test(message))),
  );
}

function buildSpec(reading: SpecReading, map: YamlMapping): BuildSpec {
  unknownKeys(reading, map, BUILD_KEYS, 'build.yaml', true);
  const image = optionalText(reading, map, 'image');
  const packageDir = optionalText(reading, map, 'package_dir');
  const spec = new ParsedBuild(reading.source, map.start, {
    image,
    requires: forms(reading, map, 'requires'),
    requiresFinalImages: flag(reading, map, 'requires_final_images'),
    conflicts: forms(reading, map, 'conflicts'),
    provides: map.pairs.has('provides') ? forms(reading, map, 'provides') : undefined,
    prelude: texts(reading, map, 'prelude'),
    steps: texts(reading, map, 'steps'),
    env: environment(reading, map),
    copy: copies(reading, map),
    unpack: flag(reading, map, 'unpack'),
    packageDir,
    includes: expressions(reading, map, 'includes'),
    excludes: expressions(reading, map, 'excludes'),
    subpackages: subpackages(reading, map),
    retrieve: globs(reading, map, 'retrieve'),
  });
  checkBase(reading, map, spec);
  checkScratch(reading, map, spec);
  return spec;
}

// The place is computed on demand, because most places are never used.
class ParsedBuild implements BuildSpec {
  readonly image: BuildSpec['image'];
  readonly requires: BuildSpec['requires'];
  readonly requiresFinalImages: boolean;
  readonly conflicts: BuildSpec['conflicts'];
  readonly provides: BuildSpec['provides'];
  readonly prelude: BuildSpec['prelude'];
  readonly steps: BuildSpec['steps'];
  readonly env: BuildSpec['env'];
  readonly copy: BuildSpec['copy'];
  readonly unpack: boolean;
  readonly packageDir: BuildSpec['packageDir'];
  readonly includes: BuildSpec['includes'];
  readonly excludes: BuildSpec['excludes'];
  readonly subpackages: BuildSpec['subpackages'];
  readonly retrieve: BuildSpec['retrieve'];
  readonly #source: YamlSource;
  readonly #start: number;

  constructor(source: YamlSource, start: number, parts: Omit<BuildSpec, 'place'>) {
    this.image = parts.image;
    this.requires = parts.requires;
    this.requiresFinalImages = parts.requiresFinalImages;
    this.conflicts = parts.conflicts;
    this.provides = parts.provides;
    this.prelude = parts.prelude;
    this.steps = parts.steps;
    this.env = parts.env;
    this.copy = parts.copy;
    this.unpack = parts.unpack;
    this.packageDir = parts.packageDir;
    this.includes = parts.includes;
    this.excludes = parts.excludes;
    this.subpackages = parts.subpackages;
    this.retrieve = parts.retrieve;
    this.#source = source;
    this.#start = start;
  }

  get place(): Place {
    return this.#source.place(this.#start);
  }
}

/** A single string with its place; undefined if it is missing or empty. */
function optionalText(reading: SpecReading, map: YamlMapping, key: string): Located<string> | undefined {
  const node = entry(map, key);
  const value = text(reading, node, key).trim();
  if (node === undefined || value === '') return undefined;
  if (key === 'image') checkImage(reading, node, value);
  return located(reading, node, value);
}

/**
 * Checks that commands have an image to run in, and that the package does not have both an image and
 * requirements.
 */
function checkBase(reading: SpecReading, map: YamlMapping, spec: BuildSpec): void {
  if (spec.image !== undefined) {
    const requires = map.pairs.get('requires');
    if (spec.requires.length === 0 || requires === undefined) return;
    report(reading, requires.key, {
      code: 'image-with-requires',
      severity: 'warning',
      message:
        'the package has image and requires; it starts from the image, which does not contain the required packages',
      hint: 'Remove image or requires',
    });
    return;
  }
  if (spec.requires.length > 0) return;
  for (const key of ['steps', 'unpack', 'package_dir', 'prelude'] as const) {
    const node = map.pairs.get(key)?.key;
    const used = {
      steps: spec.steps.length > 0,
      unpack: spec.unpack,
      package_dir: spec.packageDir !== undefined,
      prelude: spec.prelude.length > 0,
    };
    if (node === undefined || !used[key]) continue;
    report(reading, node, {
      code: 'no-image',
      // A prelude without steps has no effect on the package.
      severity: key === 'prelude' ? 'warning' : 'error',
      message: `missing image: ${key} needs image or requires`,
      hint: 'Set image to a base image, or requires to the packages to build on',
    });
  }
}

function checkEnvironment(reading: SpecReading, node: YamlNode, item: string): void {
  const problem = environmentProblem(item);
  if (problem === undefined) return;
  const { reason: message, hint } = problem;
  report(reading, node, { code: 'invalid-env', message, hint, ...warnIfValueMissing(item) });
}

function environment(reading: SpecReading, map: YamlMapping): readonly Located<string>[] {
  const list = items(reading, entry(map, 'env'), 'env', 'strings');
  if (list.length === 0) return EMPTY_LIST;
  const found: Located<string>[] = [];
  for (const node of list) {
    if (node.kind === 'scalar' && /^[^\s=$"'\\]+=/.test(node.text) && !node.text.includes('\0')) {
      found.push(located(reading, node, node.text));
      checkEnvironment(reading, node, node.text);
      continue;
    }
    const what = node.kind === 'scalar' ? JSON.stringify(node.text) : `a ${kindName(node)}`;
    const pair = node.kind === 'mapping' && node.pairs.size === 1 ? [...node.pairs.values()][0] : undefined;
    const hint = pair?.value.kind === 'scalar' ? `Write "${pair.key.text}=${pair.value.text}"` : undefined;
    report(reading, node, {
      code: 'invalid-env',
      message: `invalid item of env: expected NAME=value, not ${what}`,
      hint,
    });
  }
  return found;
}
