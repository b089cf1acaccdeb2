import type { Command } from 'commander';
import { DiagnosticError } from '../../diagnostic/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { list } from '../options.ts';
import { printText } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { templateTime } from '../trees.ts';

interface Flags {
  readonly values?: readonly string[];
  readonly templates?: string;
}

/** Adds `util template`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('template')
    .description('Renders one template and prints it, exactly as a build.yaml would be rendered')
    .argument('<file>', 'the template, or - for standard input')
    .option('--values <file>', 'what .Values holds, as YAML; later files win (repeatable)', list)
    .option('--templates <folder>', 'take shared define blocks from the *.yaml files of this folder')
    .action((file: string, flags: Flags) => template(file, flags, context));
  addExamples(command, [
    ['luet-ts util template build.yaml --values definition.yaml', "one package's build spec"],
    ["echo '{{ .Values.name | upper }}' | luet-ts util template - --values v.yaml", 'to try something out'],
    ['luet-ts util template build.yaml --values v.yaml --templates tree/templates', 'with shared templates'],
  ]);
}

async function template(file: string, flags: Flags, context: CliContext): Promise<void> {
  const { renderTemplate } = await import('../../tree/index.ts');
  const rendered = await renderTemplate({
    ...(file === '-' ? { text: await readAll(context.stdin) } : {}),
    file,
    values: flags.values ?? [],
    ...(flags.templates === undefined ? {} : { templates: flags.templates }),
    cwd: context.cwd,
    now: templateTime(context),
    env: context.env,
  });
  if (rendered.text === undefined) throw new DiagnosticError(rendered.problems);
  await printText(rendered.text, context);
  printDiagnostics(context, rendered.problems);
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  return Buffer.concat(chunks);
}
