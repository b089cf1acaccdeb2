import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Diagnostic, hasErrors } from '../diagnostic/index.ts';
import { decode, fileProblem, readText, reason } from './files.ts';
import { createRenderer } from './render.ts';
import type { LoadOptions } from './types.ts';
import { overlay, readValues } from './values.ts';
import { templateFiles } from './walk.ts';

/** Options for rendering a single template. */
export interface TemplateOptions extends Pick<LoadOptions, 'cwd' | 'values' | 'now' | 'env'> {
  /** Name of the template in messages, usually its path. */
  readonly file: string;
  /** The template's text. Default: read from the file. */
  readonly text?: Uint8Array;
  /** A folder with shared templates in `*.yaml` files. */
  readonly templates?: string;
}

/** The rendered text (undefined if there were errors) and all problems. */
export interface RenderedTemplate {
  readonly text?: string;
  readonly problems: readonly Diagnostic[];
}

/**
 * Renders one template like a `build.yaml`, but with `.Values` only from values files. Problems are returned
 * in `problems`.
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
      problems.push(fileProblem('unreadable', templates, `cannot read this folder: ${reason(error)}`));
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
