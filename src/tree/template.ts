import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, hasErrors } from '../diagnostic/index.ts';
import { decode, fileProblem, readText, reason } from './files.ts';
import { createRenderer } from './render.ts';
import type { LoadOptions } from './types.ts';
import { overlay, readValues } from './values.ts';
import { templateFiles } from './walk.ts';

/** One template to render on its own. */
export interface TemplateOptions extends Pick<LoadOptions, 'cwd' | 'values' | 'now' | 'env'> {
  /** The file, or how the text is called where it is no file's. */
  readonly file: string;
  /** The template itself; read from the file where absent. */
  readonly text?: Uint8Array;
  /** A folder whose `*.yaml` files define shared templates. */
  readonly templates?: string;
}

/** What a template gave: its text where there was no error, and everything found. */
export interface RenderedTemplate {
  readonly text?: string;
  readonly problems: readonly Diagnostic[];
}

/**
 * Renders one template as a `build.yaml` is rendered, with `.Values` from values files alone. What is wrong is in
 * `problems`.
 */
export async function renderTemplate(options: TemplateOptions): Promise<RenderedTemplate> {
  const { cwd, file, templates, now = new Date(0) } = options;
  const problems: Diagnostic[] = [];
  const values = await readValues(options, problems);
  const read =
    options.text === undefined
      ? readText(resolve(cwd, file), file, undefined)
      : decode(Buffer.from(options.text), file);
  if ('problem' in read) problems.push(read.problem);
  const shared: { readonly path: string; readonly shown: string; readonly link: boolean }[] = [];
  let real = '';
  if (templates !== undefined) {
    try {
      real = realpathSync(resolve(cwd, templates));
      shared.push(...templateFiles({ path: resolve(cwd, templates), shown: templates }, problems));
    } catch (error) {
      problems.push(fileProblem('unreadable', templates, `this folder cannot be read: ${reason(error)}`));
    }
  }
  const env = new Map(Object.entries(options.env ?? {}).filter((pair) => pair[1] !== undefined));
  const renderer = createRenderer(shared, real, { now, env: env as Map<string, string> });
  problems.push(...(await renderer.problems()));
  if ('problem' in read || hasErrors(problems)) return { problems };
  const renderable = await renderer.prepare(file, read.text);
  const rendering = renderable.render(() => overlay(values, new Map()));
  if ('problems' in rendering) return { problems: [...problems, ...rendering.problems] };
  return { text: rendering.source.text, problems: [...problems, ...rendering.warnings] };
}
