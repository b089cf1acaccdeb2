import type { Diagnostic } from '../diagnostic/index.ts';
import { plainSource, type RenderOrigins, renderedSource, type YamlSource } from '../spec/index.ts';
import type {
  Template,
  TemplateError,
  TemplateProblem,
  TemplateSet,
  TemplateSource,
  Value,
} from '../template/index.ts';
import { readText } from './files.ts';
import type { TemplateFile } from './walk.ts';

/** A rendered file, or why it could not be rendered. */
export type Rendering =
  | { readonly source: YamlSource; readonly warnings: readonly Diagnostic[] }
  | { readonly problems: readonly Diagnostic[] };

/** One file, parsed once, to be rendered for each package that shares it. */
export interface Renderable {
  /** Whether it is the same for every package. */
  readonly constant: boolean;
  /** Renders with what `values` gives, which it may ask again when a place is wanted later; nothing else may use that. */
  render(values: () => Map<string, Value>): Rendering;
}

/** Renders the files of one tree with the templates that they share. */
export interface Renderer {
  prepare(shown: string, text: string): Promise<Renderable>;
  /** What is wrong with the shared templates. */
  problems(): Promise<readonly Diagnostic[]>;
}

/** What templates see of the world. */
export interface RenderOptions {
  readonly now: Date;
  readonly env: ReadonlyMap<string, string>;
}

/** Most bytes that a rendered file may have. */
const MAX_OUTPUT = 16 << 20;

/**
 * Makes the renderer of one tree. The template language is loaded when the first file with an action in it, or a
 * shared template, turns up.
 */
export function createRenderer(
  files: readonly TemplateFile[],
  root: string,
  options: RenderOptions,
): Renderer {
  const problems: Diagnostic[] = [];
  let loading: ReturnType<typeof loadShared> | undefined;
  const load = () => {
    loading ??= loadShared(files, root, problems);
    return loading;
  };
  return {
    async problems() {
      if (files.length > 0) await load();
      return problems;
    },
    async prepare(shown, text) {
      if (!text.includes('{{')) {
        const source = plainSource(shown, text);
        return { constant: true, render: () => ({ source, warnings: [] }) };
      }
      const { template, set } = await load();
      const tools = { template, set, options };
      try {
        const parsed = set.with({ name: shown, text });
        return { constant: false, render: (values) => renderOne(tools, parsed, values) };
      } catch (error) {
        if (!(error instanceof template.TemplateError)) throw error;
        const found = { problems: templateProblems('template-syntax', error) };
        return { constant: true, render: () => found };
      }
    },
  };
}

/** What rendering takes besides a template and values. */
interface Tools {
  readonly template: typeof import('../template/index.ts');
  readonly set: TemplateSet;
  readonly options: RenderOptions;
}

/** Parses the shared templates. One that is broken is reported and left out, so that the others still serve. */
async function loadShared(files: readonly TemplateFile[], root: string, problems: Diagnostic[]) {
  const template = await import('../template/index.ts');
  const sources: { name: string; text: string }[] = [];
  for (const file of files) {
    const read = readText(file.path, file.shown, file.link ? root : undefined);
    if ('problem' in read) {
      problems.push(read.problem);
      continue;
    }
    const source = { name: file.shown, text: read.text };
    try {
      template.parseTemplates([source]);
      sources.push(source);
    } catch (error) {
      if (!(error instanceof template.TemplateError)) throw error;
      problems.push(...templateProblems('template-syntax', error));
    }
  }
  return { template, set: template.parseTemplates(sources) };
}

const dataOf = (values: () => Map<string, Value>) => new Map<string, Value>([['Values', values()]]);

/** Where the text of a rendering came from, found by rendering once more. */
function originsAgain(tools: Tools, parsed: Template, values: () => Map<string, Value>): () => RenderOrigins {
  const { name } = parsed;
  const { text } = parsed.definition.source;
  // This outlives the rendering by far: it holds on to the text, and not to what was parsed of it.
  return originsOf.bind(undefined, tools, { name, text }, values);
}

function originsOf(tools: Tools, source: TemplateSource, values: () => Map<string, Value>): RenderOrigins {
  const { template, set, options } = tools;
  return template.render(set.with(source), dataOf(values), { ...options, limits }).origin;
}

const limits = { outputBytes: MAX_OUTPUT };

function renderOne(tools: Tools, parsed: Template, values: () => Map<string, Value>): Rendering {
  const { template, options } = tools;
  const warnings: Diagnostic[] = [];
  const onWarning = (problem: TemplateProblem): void => {
    warnings.push({ ...templateProblem('template-unstable', problem), severity: 'warning' });
  };
  try {
    const { text, origin } = template.render(parsed, dataOf(values), { ...options, limits, onWarning });
    // What differs each time cannot be rendered again.
    const again = warnings.length > 0 ? undefined : originsAgain(tools, parsed, values);
    return { source: renderedSource(parsed.name, text, origin, again), warnings };
  } catch (error) {
    if (!(error instanceof template.TemplateError)) throw error;
    return { problems: templateProblems('template-error', error) };
  }
}

function templateProblems(code: string, error: TemplateError): Diagnostic[] {
  return error.problems.map((problem) => templateProblem(code, problem));
}

function templateProblem(code: string, problem: TemplateProblem): Diagnostic {
  const { template: file, line, column, reason, expression, hint, via = [] } = problem;
  const notes = via.map((call) => ({
    message: `the template ${JSON.stringify(call.name)} is used here`,
    place: { file: call.template, line: call.line, column: call.column },
  }));
  const where = expression === undefined ? '' : ` in ${expression}`;
  return {
    code,
    severity: 'error',
    message: `${reason}${where}`,
    place: { file, line, column },
    ...(hint !== undefined && { hint: hint.charAt(0).toUpperCase() + hint.slice(1) }),
    ...(notes.length > 0 && { notes }),
  };
}
