import { EVENT_ID, type Event, SCALAR_STYLE } from 'js-yaml';

/** The standard tags of YAML. */
const KNOWN: ReadonlySet<string> = new Set(
  'binary bool float int map merge null omap pairs seq set str timestamp value yaml'
    .split(' ')
    .map((name) => `!!${name}`),
);

/** Short form of a tag: `!<tag:yaml.org,2002:str>` becomes `!!str`. A lone `!` means string. */
export function shortTag(tag: string): string {
  if (tag === '!') return '!!str';
  const verbatim = /^!<tag:yaml\.org,2002:(.*)>$/.exec(tag);
  return verbatim === null ? tag : `!!${verbatim[1] ?? ''}`;
}

/** An unknown tag that was probably meant as text, such as `!` in a shell command. */
export interface UnknownTag {
  readonly message: string;
  readonly hint: string;
  /** Offset after the tag or, if the tag is before a scalar, after the scalar. */
  readonly end: number;
}

/**
 * Finds a tag that is not a standard tag: it would be dropped from the value, which is never intended.
 * Undefined for standard tags.
 */
export function unknownTag(text: string, event: Event): UnknownTag | undefined {
  if (!('tagStart' in event) || event.tagStart < 0) return undefined;
  const { tagStart, tagEnd } = event;
  const tag = text.slice(tagStart, tagEnd);
  if (tag !== '!' && KNOWN.has(shortTag(tag))) return undefined;
  const isScalar = event.type === EVENT_ID.SCALAR;
  const end = isScalar ? Math.max(tagEnd, event.anchorEnd, event.valueEnd) : tagEnd;
  const meant = text.slice(tagStart, end);
  const isWord = isScalar && (event.valueStart < 0 || event.style === SCALAR_STYLE.PLAIN);
  return {
    message: `YAML reads ${JSON.stringify(tag)} as a tag, so it is not part of the value`,
    hint: `Put the text in quotes${isWord && !meant.includes('\n') ? `: ${quoted(meant)}` : ''}`,
    end,
  };
}

/** A single-line text as a quoted YAML scalar. */
export function quoted(text: string): string {
  return /["\\]/.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}
