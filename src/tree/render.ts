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

/** A rendered file, or the problems that prevented rendering. */
export type Rendering =
  | { readonly source: YamlSource; readonly warnings: readonly Diagnostic[] }
  | { readonly problems: readonly Diagnostic[] };

/** A parsed file that is rendered for each package that shares it. */
export interface Renderable {
  /** Whether the result is the same for every package. */
  readonly constant: boolean;
  /**
   * Renders with the result of `values`, which may be called again later to find a place. It must return a
   * new map each time.
   */
  render(values: () => Map<string, Value>): Rendering;
}

/** Renders the files of one tree with the templates that they share. */
export interface TreeRenderer {
  prepare(shown: string, text: string): Promise<Renderable>;
  /** The problems of the shared templates. */
  problems(): Promise<readonly Diagnostic[]>;
}

/** External inputs of templates. */
export interface TreeInputs {
  readonly now: Date;
  readonly env: ReadonlyMap<string, string>;
}

/** Maximum size in bytes of a rendered file. */
const MAX_OUTPUT = 16 << 20;

/**
 * Creates the renderer of one tree. The template engine is loaded when the first template action or shared
 * template is found.
 */
export function createRenderer(
  files: readonly TemplateFile[],
  root: string,
  options: TreeInputs,
): TreeRenderer {
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
      const { template, set, broken } = await load();
      const tools = { template, set, broken, options };
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

/** A file of shared templates that has errors. */
interface BrokenFile {
  readonly problems: readonly Diagnostic[];
  /** Undefined if the file cannot be read. */
  readonly text?: string;
}

/** The inputs of rendering except the template and its values. */
interface RenderTools {
  readonly template: typeof import('../template/index.ts');
  readonly set: TemplateSet;
  readonly broken: readonly BrokenFile[];
  readonly options: TreeInputs;
}

/** Parses the shared templates. Invalid ones are reported and left out, so that the others can be used. */
async function loadShared(files: readonly TemplateFile[], root: string, problems: Diagnostic[]) {
  const template = await import('../template/index.ts');
  const sources: { name: string; text: string }[] = [];
  const broken: BrokenFile[] = [];
  for (const file of files) {
    const read = readText(file.path, file.shown, file.link ? root : undefined);
    if ('problem' in read) {
      problems.push(read.problem);
      broken.push({ problems: [read.problem] });
      continue;
    }
    const source = { name: file.shown, text: read.text };
    try {
      template.parseTemplates([source]);
      sources.push(source);
    } catch (error) {
      if (!(error instanceof template.TemplateError)) throw error;
      const found = templateProblems('template-syntax', error);
      problems.push(...found);
      broken.push({ problems: found, text: read.text });
    }
  }
  return { template, set: template.parseTemplates(sources), broken };
}

const dataOf = (values: () => Map<string, Value>) => new Map<string, Value>([['Values', values()]]);

/** Finds the origins of a rendered text by rendering it again. */
function originsAgain(
  tools: RenderTools,
  parsed: Template,
  values: () => Map<string, Value>,
): () => RenderOrigins {
  const { name } = parsed;
  const { text } = parsed.definition.source;
  // Keeps only the text in memory, not the parsed template, because this function lives as long as the tree.
  return originsOf.bind(undefined, tools, { name, text }, values);
}

function originsOf(
  tools: RenderTools,
  source: TemplateSource,
  values: () => Map<string, Value>,
): RenderOrigins {
  const { template, set, options } = tools;
  return template.render(set.with(source), dataOf(values), { ...options, limits }).origin;
}

const limits = { outputBytes: MAX_OUTPUT };

function renderOne(tools: RenderTools, parsed: Template, values: () => Map<string, Value>): Rendering {
  const { template, options } = tools;
  const warnings: Diagnostic[] = [];
  const onWarning = (problem: TemplateProblem): void => {
    warnings.push({ ...templateProblem('template-unstable', problem), severity: 'warning' });
  };
  try {
    const { text, origin } = template.render(parsed, dataOf(values), { ...options, limits, onWarning });
    // Output that differs from run to run cannot be reproduced by rendering again.
    const again = warnings.length > 0 ? undefined : originsAgain(tools, parsed, values);
    return { source: renderedSource(parsed.name, text, origin, again), warnings };
  } catch (error) {
    if (!(error instanceof template.TemplateError)) throw error;
    return { problems: causesOf(templateProblems('template-error', error), error, tools) };
  }
}

/** If a template is missing because its file has errors, only those errors are reported. */
function causesOf(
  found: readonly Diagnostic[],
  { reason }: TemplateError,
  { broken }: RenderTools,
): readonly Diagnostic[] {
  const name = /^unknown template (".*")$/.exec(reason)?.[1];
  if (name === undefined) return found;
  const cause = broken.find(({ text }) => text === undefined || text.includes(name));
  if (cause === undefined) return found;
  const uses = found.flatMap(({ place, notes = [] }) => [
    { message: `the template ${name} is used here`, ...(place !== undefined && { place }) },
    ...notes,
  ]);
  return cause.problems.map((one) => ({ ...one, notes: [...(one.notes ?? []), ...uses] }));
}

function templateProblems(code: string, error: TemplateError): Diagnostic[] {
  return error.problems.map((problem) => templateProblem(code, problem));
}

function templateProblem(code: string, problem: TemplateProblem): Diagnostic {
  const { template: file, line, column, reason, expression, hint, via = [] } = problem;
  const notes = via.map((call) => ({
    message: `template ${JSON.stringify(call.name)} is called here`,
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
