import { EVENT_ID, type Event, SCALAR_STYLE } from 'js-yaml';

/** The tags that YAML itself knows. */
const KNOWN: ReadonlySet<string> = new Set(
  'binary bool float int map merge null omap pairs seq set str timestamp value yaml'
    .split(' ')
    .map((name) => `!!${name}`),
);

/** `!<tag:yaml.org,2002:str>` and `!!str` are one tag; `!` says that a scalar is a string. */
export function shortTag(tag: string): string {
  if (tag === '!') return '!!str';
  const verbatim = /^!<tag:yaml\.org,2002:(.*)>$/.exec(tag);
  return verbatim === null ? tag : `!!${verbatim[1] ?? ''}`;
}

/** A tag that was most likely meant to be text, such as a shell's `!`. */
export interface StrayTag {
  readonly message: string;
  readonly hint: string;
  /** Offset just behind the tag or, where it stands before a scalar, behind that. */
  readonly end: number;
}

/** What begins with `!` is no part of the value, and nobody's spec means that. Undefined for YAML's own tags. */
export function strayTag(text: string, event: Event): StrayTag | undefined {
  if (!('tagStart' in event) || event.tagStart < 0) return undefined;
  const { tagStart, tagEnd } = event;
  const tag = text.slice(tagStart, tagEnd);
  if (tag !== '!' && KNOWN.has(shortTag(tag))) return undefined;
  const isScalar = event.type === EVENT_ID.SCALAR;
  const end = isScalar ? Math.max(tagEnd, event.anchorEnd, event.valueEnd) : tagEnd;
  const meant = text.slice(tagStart, end);
  const isWord = isScalar && (event.valueStart < 0 || event.style === SCALAR_STYLE.PLAIN);
  return {
    message: `${JSON.stringify(tag)} is read as a tag of YAML, and is no part of the value`,
    hint: `Put the text in quotes${isWord && !meant.includes('\n') ? `: ${quoted(meant)}` : ''}`,
    end,
  };
}

/** A text of one line in quotes, as YAML reads them. */
function quoted(text: string): string {
  return /["\\]/.test(text) ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}
