import {
  type AliasEvent,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';
import type { Diagnostic } from '../../diagnostic/index.ts';
import { MapBuilder, type Report } from './map-builder.ts';
import type { YamlMapping, YamlNode, YamlScalar, YamlSequence } from './node.ts';
import type { YamlSource } from './source.ts';
import { shortTag, unknownTag } from './tags.ts';

/** Maximum nesting depth; the parser rejects deeper files. */
const MAX_DEPTH = 100;

/** Maximum factor by which aliases and merge keys may increase the number of nodes. */
const MAX_GROWTH = 20;

/** The growth limit does not apply below this number of nodes. */
const ALWAYS_FINE = 100_000;

/** A document (undefined if the file has none) and its problems except syntax errors. */
export interface Composed {
  readonly root?: YamlNode;
  readonly problems: readonly Diagnostic[];
}

/** Thrown inside a document that exceeds the growth limit, to stop at once. */
class TooLarge extends Error {}

/**
 * Parses the first YAML document of a text. Applies merge keys; reports invalid aliases and duplicate keys.
 * Syntax errors throw js-yaml's exception, which `readYaml` converts to diagnostics.
 */
export function compose(source: YamlSource): Composed {
  const events = parseEvents(source.text, { maxDepth: MAX_DEPTH });
  return new Composer(source, events).document();
}

/** Builds the nodes of one document in one pass over its events. */
class Composer {
  readonly #source: YamlSource;
  readonly #events: readonly Event[];
  readonly #problems: Diagnostic[] = [];
  /** Nodes by anchor; undefined while the node is still being read. */
  readonly #anchors = new Map<string, YamlNode | undefined>();
  /** Number of nodes below each anchored node, including those of its aliases. */
  readonly #sizes = new Map<YamlNode, number>();
  #next = 0;
  #size = 0;
  /** Offset of the last event that had one; used as the place of nodes without text. */
  #last = 0;

  constructor(source: YamlSource, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
  }

  document(): Composed {
    if (this.#events.length === 0) return { problems: [] };
    this.#next = 1;
    try {
      const root = this.#node();
      this.#rest();
      return { root, problems: this.#problems };
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error;
      return { problems: this.#problems };
    }
  }

  /** Warns about further documents. Go's YAML library ignores them too. */
  #rest(): void {
    // The events after the content are: end of document, start of the next document, its content.
    const after = this.#events[this.#next + 2];
    if (after === undefined || (after.type === EVENT_ID.SCALAR && after.valueStart < 0)) return;
    const at = offsetOf(after, this.#last);
    this.#report('yaml-documents', 'the file has several YAML documents; only the first one is used', at, {
      severity: 'warning',
    });
  }

  readonly #report: Report = (code, message, start, more = {}) => {
    const { end, severity = 'error', note, hint } = more;
    const place = this.#source.place(start, end);
    const notes = [
      ...(note ? [{ message: note.message, place: this.#source.place(note.at) }] : []),
      ...(this.#source.notes?.(start) ?? []),
    ];
    this.#problems.push({
      code,
      severity,
      message,
      place,
      ...(hint !== undefined && { hint }),
      ...(notes.length > 0 && { notes }),
    });
  };

  #grow(by: number, at: number): void {
    this.#size += by;
    if (this.#size > ALWAYS_FINE && this.#size > this.#events.length * MAX_GROWTH) {
      this.#report('yaml-alias', `aliases make this document more than ${MAX_GROWTH} times larger`, at);
      throw new TooLarge();
    }
  }

  #node(): YamlNode {
    const event = this.#events[this.#next++];
    if (event === undefined) throw new Error('js-yaml: unexpected end of events inside a document');
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event);
    const before = this.#size;
    if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) {
      throw new Error('js-yaml: unexpected event at the start of a node');
    }
    const anchor =
      event.anchorStart < 0 ? undefined : this.#source.text.slice(event.anchorStart, event.anchorEnd);
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    const stray = unknownTag(this.#source.text, event);
    if (stray !== undefined)
      this.#report('yaml-tag', stray.message, event.tagStart, {
        end: stray.end,
        severity: 'warning',
        hint: stray.hint,
      });
    const node =
      event.type === EVENT_ID.SCALAR
        ? this.#scalar(event)
        : event.type === EVENT_ID.SEQUENCE
          ? this.#sequence(event.start)
          : this.#mapping(event.start);
    if (anchor !== undefined) {
      this.#anchors.set(anchor, node);
      this.#sizes.set(node, this.#size - before);
    }
    return node;
  }

  #alias(event: AliasEvent): YamlNode {
    const { text } = this.#source;
    const name = text.slice(event.anchorStart, event.anchorEnd);
    this.#last = event.anchorEnd;
    const node = this.#anchors.get(name);
    if (node !== undefined) {
      this.#grow(this.#sizes.get(node) ?? 1, event.anchorStart);
      return node;
    }
    const message = this.#anchors.has(name)
      ? `alias *${name} is inside the node it refers to`
      : `unknown alias: there is no anchor &${name} before it`;
    this.#report('yaml-alias', message, event.anchorStart - 1, { end: event.anchorEnd });
    return emptyScalar(event.anchorStart);
  }

  #scalar(event: ScalarEvent): YamlScalar {
    this.#size++;
    const { text } = this.#source;
    const tag = event.tagStart < 0 ? '' : shortTag(text.slice(event.tagStart, event.tagEnd));
    const { style, valueStart: start, valueEnd } = event;
    const plain = style === SCALAR_STYLE.PLAIN && tag === '';
    if (start < 0) {
      return { kind: 'scalar', text: '', plain, tag, start: Math.max(event.tagEnd, this.#last), end: -1 };
    }
    this.#last = valueEnd;
    const value = event.fast ? text.slice(start, valueEnd) : getScalarValue(text, event);
    if (style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK) {
      return { kind: 'scalar', text: value, plain, tag, start: blockHeader(text, start), end: -1 };
    }
    if (style === SCALAR_STYLE.PLAIN) this.#warnFolded(start, valueEnd);
    const quote = style === SCALAR_STYLE.PLAIN ? 0 : 1;
    return { kind: 'scalar', text: value, plain, tag, start: start - quote, end: valueEnd + quote };
  }

  /** A dash at the beginning of a further line of a text was most likely meant to begin an item. */
  #warnFolded(start: number, end: number): void {
    const { text } = this.#source;
    const line = /\n[ \t]*(- [^\n]*)/.exec(text.slice(start, end));
    const [all = '', item = ''] = line ?? [];
    if (line === null) return;
    const at = start + line.index + all.length - item.length;
    const dash = text.slice(text.lastIndexOf('\n', start - 1) + 1, start).lastIndexOf('- ');
    const hint =
      dash < 0
        ? 'Write the list on lines of its own, or put the text in quotes'
        : `For an item of its own, write its dash below that of the item above, in column ${dash + 1}`;
    this.#report('yaml-folded', 'this line continues the text above, and is no item of a list', at, {
      end: at + item.length,
      severity: 'warning',
      hint,
    });
  }

  #sequence(start: number): YamlSequence {
    this.#grow(1, start);
    this.#last = start;
    const items: YamlNode[] = [];
    while (this.#events[this.#next]?.type !== EVENT_ID.POP) items.push(this.#node());
    this.#next++;
    return { kind: 'sequence', items, start };
  }

  #mapping(start: number): YamlMapping {
    this.#grow(1, start);
    this.#last = start;
    const builder = new MapBuilder(this.#report);
    while (this.#events[this.#next]?.type !== EVENT_ID.POP) builder.add(this.#node(), this.#node());
    this.#next++;
    return { kind: 'mapping', pairs: builder.pairs, start };
  }
}

function emptyScalar(start: number): YamlScalar {
  return { kind: 'scalar', text: '', plain: true, tag: '', start, end: -1 };
}

/** Offset of the `|` or `>` of a block scalar. */
function blockHeader(text: string, content: number): number {
  const lineEnd = text[content - 1] === '\n' ? content - 1 : content;
  const lineStart = text.lastIndexOf('\n', lineEnd - 1) + 1;
  const header = /[|>][-+0-9]*[ \t]*(?:[ \t]#[^\n]*)?\r?$/.exec(text.slice(lineStart, lineEnd));
  return header === null ? content : lineStart + header.index;
}

function offsetOf(event: Event, otherwise: number): number {
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start;
  return otherwise;
}
