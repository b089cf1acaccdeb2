import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { fingerprint, formatPackage } from '../spec/index.ts';
import type { TreePackage } from '../tree/index.ts';

/** Two packages that would write the same files. */
export interface SameFiles {
  readonly problem: Diagnostic;
  /** The packages themselves, or those that the subpackages are cut from; both may be the same. */
  readonly packages: readonly [TreePackage, TreePackage];
}

/** A package or subpackage that is written under a name. */
interface Written {
  /** `category/name-version`. */
  readonly name: string;
  readonly place: Place;
  /** The package that it is, or is cut from. */
  readonly of: TreePackage;
}

/**
 * Finds packages, and subpackages of them, whose files would have the same names: there are dashes between name, category and
 * version, and there may be dashes in each. Clients could not tell them apart either.
 */
export function sameFiles(packages: Iterable<TreePackage>): readonly SameFiles[] {
  const byFile = new Map<string, Written[]>();
  const add = (file: string, one: Written): void => {
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
      // A name that a package gives twice itself is told of where its files are read.
      if (first === undefined || (first.of === other.of && first.name === other.name)) return [];
      return [{ problem: problem(file, first, other), packages: [first.of, other.of] as const }];
    }),
  );
}

function problem(file: string, first: Written, other: Written): Diagnostic {
  const message =
    first.name === other.name
      ? `${other.name} would be written twice, as ${file}`
      : `${first.name} and ${other.name} would both be written as ${file}, and clients could not tell them apart`;
  return {
    code: 'same-file',
    severity: 'error',
    message,
    place: other.place,
    package: other.of.key,
    hint: 'Give one of them another name, category or version, or keep them in repositories of their own',
    notes: [{ message: `${first.name} is defined here`, place: first.place }],
  };
}
