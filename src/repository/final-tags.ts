import type { Diagnostic, Place } from '../diagnostic/index.ts';

/** A package whose content goes to a registry under a tag of its own. */
export interface TaggedPackage {
  /** `category/name-version`. */
  readonly package: string;
  /** `name-category-version`. */
  readonly fingerprint: string;
  /** Where it is defined. */
  readonly place?: Place | undefined;
}

/** The suffix of the tag of a package's metadata. */
export const METADATA = '.metadata.yaml';

/** What a tag can be (distribution specification). */
const form = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const LONGEST = 128;

/** The tag under which clients look for a package: its fingerprint with every `+` as `-`. */
export const finalTag = (fingerprint: string): string => fingerprint.replaceAll('+', '-');

/**
 * What is wrong with the tags of some packages: those that cannot be a tag, and those that two packages share. A client could not find
 * the one, and could not tell the others apart.
 */
export function tagProblems(packages: readonly TaggedPackage[]): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const owners = new Map<string, TaggedPackage>();
  for (const pack of packages) {
    const tag = finalTag(pack.fingerprint);
    const why = impossible(tag);
    if (why !== undefined) {
      problems.push(
        problem(pack, `${pack.package} cannot have an image of its content: its tag ${tag} ${why}`),
      );
      continue;
    }
    const other = owners.get(tag);
    if (other === undefined) owners.set(tag, pack);
    else if (other.fingerprint !== pack.fingerprint)
      problems.push(
        problem(
          pack,
          `${pack.package} and ${other.package} would have the same tag ${tag}, in which + is written as -`,
        ),
      );
  }
  return problems;
}

function impossible(tag: string): string | undefined {
  if (`${tag}${METADATA}`.length > LONGEST)
    return `has ${tag.length} characters, and with ${METADATA} more than the ${LONGEST} that a tag may have`;
  if (form.test(tag)) return undefined;
  const wrong = [...tag].find((sign, at) => !(at === 0 ? /[A-Za-z0-9_]/ : /[A-Za-z0-9._-]/).test(sign));
  return `has the sign ${JSON.stringify(wrong)}, which a tag cannot have${tag.startsWith(wrong ?? '') ? ' there' : ''}`;
}

const problem = ({ package: pack, place }: TaggedPackage, message: string): Diagnostic => ({
  code: 'impossible-tag',
  severity: 'error',
  message,
  package: pack,
  ...(place === undefined ? {} : { place }),
  hint: 'Give one of them another version, or push no images of contents',
});
