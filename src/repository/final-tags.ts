import type { Diagnostic, Place } from '../diagnostic/index.ts';

/** A package whose content is pushed to a registry with its own tag. */
export interface TaggedPackage {
  /** `category/name-version`. */
  readonly package: string;
  /** `name-category-version`. */
  readonly fingerprint: string;
  /** Place of its definition. */
  readonly place?: Place | undefined;
}

/** Suffix of the tag for a package's metadata. */
export const METADATA = '.metadata.yaml';

/** The format of tags (distribution specification). */
const form = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const LONGEST = 128;

/** The tag under which clients search a package: its fingerprint with each `+` replaced by `-`. */
export const finalTag = (fingerprint: string): string => fingerprint.replaceAll('+', '-');

/**
 * Problems of the tags of some packages: invalid tags, which clients could not find, and tags that two
 * packages share, which clients could not distinguish.
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
