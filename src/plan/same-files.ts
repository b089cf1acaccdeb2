import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { fingerprint, formatPackage } from '../spec/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** Two packages with the same file names. */
export interface SameFiles {
  readonly problem: Diagnostic;
  /** The packages, or the main packages of the subpackages; both can be the same. */
  readonly packages: readonly [TreePackage, TreePackage];
}

/** A package or subpackage to write. */
interface OutputName {
  /** `category/name-version`. */
  readonly name: string;
  readonly place: Place;
  /** The package itself, or the main package of the subpackage. */
  readonly of: TreePackage;
}

/**
 * Finds packages and subpackages with the same file names: name, category and version are joined with dashes,
 * but can contain dashes themselves. Clients cannot distinguish such packages either.
 */
export function sameFiles(packages: Iterable<TreePackage>): readonly SameFiles[] {
  const byFile = new Map<string, OutputName[]>();
  const add = (file: string, one: OutputName): void => {
    const known = byFile.get(file);
    if (known === undefined) byFile.set(file, [one]);
    else known.push(one);
  };
  for (const of of packages) {
    const { definition, build, key } = of;
    add(fingerprint(definition), { name: key, of, place: definition.place });
    for (const sub of build?.subpackages ?? [])
      add(fingerprint(sub), { name: formatPackage(sub), of, place: sub.place });
  }
  return [...byFile].flatMap(([file, [first, ...others]]) =>
    others.flatMap((other) => {
      // Two subpackages with the same name in one file are reported when the file is read.
      if (first === undefined || (first.of === other.of && first.name === other.name)) return [];
      return [{ problem: problem(file, first, other), packages: [first.of, other.of] as const }];
    }),
  );
}

function problem(file: string, first: OutputName, other: OutputName): Diagnostic {
  const message =
    first.name === other.name
      ? `two subpackages named ${other.name} would be written to the same file ${file}`
      : `${first.name} and ${other.name} would be written to the same file ${file}, and clients could not distinguish them`;
  return {
    code: 'same-file',
    severity: 'error',
    message,
    place: other.place,
    package: other.of.key,
    hint: 'Change the name, category or version of one of them, or put them into different repositories',
    notes: [{ message: `definition of ${first.name}`, place: first.place }],
  };
}
