/**
 * Renders Go templates (text/template) with the functions of sprig and Helm. Example: rendering `make -j{{
 * .Values.jobs }}` with `jobs: 4` gives `make -j4`. A template is parsed once and rendered many times.
 *
 * `Rendered.origin` gives the template, line and column that produced any character of the output, so that an
 * error in rendered YAML can point to the source. Rendering is deterministic: random functions are not
 * supported, and the limits count work, not time. This room knows neither YAML files nor packages.
 */

import type { Span, TemplateDefinition } from './ast.ts';
import { isEmpty } from './ast.ts';
import { toUnicode } from './bytes.ts';
import { TemplateError, type TemplateProblem } from './errors.ts';
import { functionTable } from './functions/index.ts';
import { callSites, expressionText, type Frame, fileName, originOf, type TemplateOrigin } from './output.ts';
import { parseFile } from './parser.ts';
import { type Limits, TemplateRenderer } from './render.ts';
import type { Value } from './value.ts';

export { type CallSite, TemplateError, type TemplateProblem } from './errors.ts';
export type { InvolvedValue, TemplateOrigin } from './output.ts';
export type { Limits } from './render.ts';
export type { Value } from './value.ts';
export { resolvePlain } from './yaml-resolve.ts';

/** A template file. */
export interface TemplateSource {
  /** The path of the file, as shown in errors. */
  readonly name: string;
  readonly text: string;
}

/** A parsed main file together with the templates it can call. Can be rendered any number of times. */
export interface Template {
  /** The name of the main source. */
  readonly name: string;
  readonly definition: TemplateDefinition;
  /** Finds the definition that a `template` action or `include` names. */
  readonly lookup: (name: string) => TemplateDefinition | undefined;
}

/** Number of main file texts to cache. */
const KEPT_TEXTS = 64;

/** Parsed shared templates. */
export class TemplateSet {
  readonly #shared: ReadonlyMap<string, TemplateDefinition>;
  /** The most recent main file texts; with their definitions if a text was seen more than once. */
  readonly #own = new Map<string, ReadonlyMap<string, TemplateDefinition> | undefined>();

  constructor(shared: ReadonlyMap<string, TemplateDefinition>) {
    this.#shared = shared;
  }

  /** Names that the shared templates define. */
  get names(): readonly string[] {
    return [...this.#shared.keys()];
  }

  /**
   * Parses a main file. Its definitions replace shared ones of the same name, for this file only. Throws a
   * TemplateError with all errors of the file.
   */
  with(source: TemplateSource): Template {
    const own = this.#parsed(source);
    const definition = own.get('');
    if (definition === undefined) throw new Error('a parsed file has a main definition');
    const lookup = (name: string): TemplateDefinition | undefined => {
      const found = own.get(name);
      const shared = this.#shared.get(name);
      return found === undefined || (shared !== undefined && isEmpty(found.body)) ? shared : found;
    };
    return { name: source.name, definition, lookup: (name) => (name === '' ? definition : lookup(name)) };
  }

  /**
   * Parses a main file, or reuses the result for the same text: in many trees most main files are equal. The
   * file's name is kept separately.
   */
  #parsed({ name, text }: TemplateSource): ReadonlyMap<string, TemplateDefinition> {
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
 * Parses shared templates. If several sources define the same name, the last definition that is not empty is
 * used. Text outside definitions is ignored. Throws a TemplateError with all errors of all sources.
 */
export function parseTemplates(sources: readonly TemplateSource[]): TemplateSet {
  const shared = new Map<string, TemplateDefinition>();
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

/** Options of `render`. */
export interface RenderOptions {
  /** Variables that `env` and `expandenv` can read. Default: none. */
  readonly env?: ReadonlyMap<string, string>;
  /** Result of `now`: a date, or nanoseconds since 1970. Without it, `now` fails. */
  readonly now?: Date | bigint;
  /** Limits that stop runaway templates. Default: `defaultLimits`. */
  readonly limits?: Partial<Limits>;
  /** Called once for each place whose output can differ from run to run, such as a use of `now`. */
  readonly onWarning?: (warning: TemplateProblem) => void;
}

/** The limits used if `RenderOptions` gives none. */
export const defaultLimits: Limits = { depth: 1000, outputBytes: 64 * 1024 * 1024, steps: 5_000_000 };

/** The result of rendering. */
export interface Rendered {
  readonly text: string;
  /**
   * The place in a template that produced the character at an offset of the text. Undefined for an empty
   * text.
   */
  origin(offset: number): TemplateOrigin | undefined;
}

/**
 * Renders a template. Functions such as `set` and `unset` change `data` in place, as in Go, so pass data that
 * nothing else uses. Bytes that are not valid UTF-8 become U+FFFD in the text. Throws a TemplateError with
 * the place and the expression that failed.
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
  const renderer = new TemplateRenderer(template.lookup, data, main, {
    env: options.env ?? new Map(),
    now: nanoseconds === undefined ? undefined : () => nanoseconds,
    limits: { ...defaultLimits, ...options.limits },
    warn,
  });
  renderer.run(template.definition);
  const { segments } = renderer.output;
  const { text, before } = toUnicode(renderer.output.text);
  return {
    text,
    origin: (offset) => (offset < text.length ? originOf(segments, before(offset)) : undefined),
  };
}
