/**
 * Go's text/template with sprig's text functions and Helm's additions, for JavaScript. Templates are parsed once and
 * rendered many times; every character of the output leads back to the place in a source that it came from.
 */

import type { Definition, Span } from './ast.ts';
import { isEmpty } from './ast.ts';
import { settle } from './bytes.ts';
import { TemplateError, type TemplateProblem } from './errors.ts';
import { functionTable } from './functions/index.ts';
import { callSites, expressionText, type Frame, fileName, type Origin, originOf } from './output.ts';
import { parseFile } from './parser.ts';
import { type Limits, Renderer } from './render.ts';
import type { Value } from './value.ts';

export { type CallSite, TemplateError, type TemplateProblem } from './errors.ts';
export type { Involved, Origin } from './output.ts';
export type { Limits } from './render.ts';
export type { Value } from './value.ts';

/** A template file. */
export interface TemplateSource {
  /** The file's path, as errors show it. */
  readonly name: string;
  readonly text: string;
}

/** A main file together with what it may call, parsed; rendered as often as wanted. */
export interface Template {
  /** The name of the main source. */
  readonly name: string;
  readonly definition: Definition;
  /** Looks up what `template` and `include` name. */
  readonly lookup: (name: string) => Definition | undefined;
}

/** Main files that are kept in mind: few enough that they take little room. */
const KEPT_TEXTS = 64;

/** Shared templates, parsed. */
export class TemplateSet {
  readonly #shared: ReadonlyMap<string, Definition>;
  /** Texts of the main files that were added last; with their definitions where they came more than once. */
  readonly #own = new Map<string, ReadonlyMap<string, Definition> | undefined>();

  constructor(shared: ReadonlyMap<string, Definition>) {
    this.#shared = shared;
  }

  /** The names that the shared templates define. */
  get names(): readonly string[] {
    return [...this.#shared.keys()];
  }

  /**
   * Adds a main file, whose own definitions replace shared ones of the same name. The set itself stays as it is.
   * Throws a TemplateError with every fault of the file.
   */
  with(source: TemplateSource): Template {
    const own = this.#parsed(source);
    const definition = own.get('');
    if (definition === undefined) throw new Error('a parsed file has a main definition');
    const lookup = (name: string): Definition | undefined => {
      const found = own.get(name);
      const shared = this.#shared.get(name);
      return found === undefined || (shared !== undefined && isEmpty(found.body)) ? shared : found;
    };
    return { name: source.name, definition, lookup: (name) => (name === '' ? definition : lookup(name)) };
  }

  /** In many trees most main files are alike: such a text is kept parsed, and a rendering knows the file's name. */
  #parsed({ name, text }: TemplateSource): ReadonlyMap<string, Definition> {
    const known = this.#own.get(text);
    if (known !== undefined) return known;
    const own = parseFile(name, text, functionTable);
    if (this.#own.has(text)) this.#own.set(text, own);
    else {
      const [oldest] = this.#own.keys();
      if (oldest !== undefined && this.#own.size >= KEPT_TEXTS) this.#own.delete(oldest);
      this.#own.set(text, undefined);
    }
    return own;
  }
}

/**
 * Parses shared templates; of several definitions of one name in different sources the last one that is not empty counts. Text outside of
 * definitions means nothing. Throws a TemplateError with every fault of every source.
 */
export function parseTemplates(sources: readonly TemplateSource[]): TemplateSet {
  const shared = new Map<string, Definition>();
  const problems: TemplateProblem[] = [];
  for (const { name, text } of sources) {
    try {
      for (const [defined, definition] of parseFile(name, text, functionTable)) {
        if (defined !== '' && !(shared.has(defined) && isEmpty(definition.body)))
          shared.set(defined, definition);
      }
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      problems.push(...error.problems);
    }
  }
  const [first, ...others] = problems;
  if (first !== undefined) throw new TemplateError(first, ...others);
  return new TemplateSet(shared);
}

/** How a template is rendered. */
export interface RenderOptions {
  /** What `env` and `expandenv` see; nothing without it. */
  readonly env?: ReadonlyMap<string, string>;
  /** What `now` gives: a date, or nanoseconds since 1970. Without it, `now` fails. */
  readonly now?: Date | bigint;
  /** Bounds that end runaway templates; see `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Told, once for each place, what keeps the output from being the same every time. */
  readonly onWarning?: (warning: TemplateProblem) => void;
}

/** The bounds of a rendering where none are given. */
export const defaultLimits: Limits = { depth: 1000, outputBytes: 64 * 1024 * 1024, steps: 5_000_000 };

/** What a template was rendered to. */
export interface Rendered {
  readonly text: string;
  /** Where the character at an offset of the text came from; undefined for an empty text. */
  origin(offset: number): Origin | undefined;
}

/**
 * Renders a template. Functions such as `set` and `unset` change the data in place, as they do in Go, so pass data that nothing else
 * uses. Bytes that are no UTF-8 become U+FFFD in the text. Throws a TemplateError that names the place and the expression that failed.
 */
export function render(template: Template, data: Map<string, Value>, options: RenderOptions = {}): Rendered {
  const warned = new Set<Span>();
  const { now, onWarning } = options;
  const nanoseconds = now instanceof Date ? BigInt(now.getTime()) * 1_000_000n : now;
  const warn = (span: Span, frame: Frame, reason: string): void => {
    if (onWarning === undefined || warned.has(span)) return;
    warned.add(span);
    const via = callSites(frame);
    onWarning({
      template: fileName(span, frame),
      ...span.source.position(span.start),
      reason,
      expression: expressionText(span),
      ...(via.length > 0 ? { via } : {}),
    });
  };
  const main = { source: template.definition.source, name: template.name };
  const renderer = new Renderer(template.lookup, data, main, {
    env: options.env ?? new Map(),
    now: nanoseconds === undefined ? undefined : () => nanoseconds,
    limits: { ...defaultLimits, ...options.limits },
    warn,
  });
  renderer.run(template.definition);
  const { segments } = renderer.output;
  const { text, before } = settle(renderer.output.text);
  return {
    text,
    origin: (offset) => (offset < text.length ? originOf(segments, before(offset)) : undefined),
  };
}
