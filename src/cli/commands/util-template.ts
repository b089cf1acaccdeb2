import { DiagnosticError } from '../../diagnostic/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { argument } from '../flags/arguments.ts';
import { commaList, withValue } from '../flags/define.ts';
import { printText } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { templateTime } from '../trees.ts';

interface Flags {
  readonly values?: readonly string[];
  readonly templates?: string;
}

/** `util template`. */
export default class UtilTemplate extends LuetCommand<typeof UtilTemplate> {
  static override description = 'Renders one template and prints it, exactly as a build.yaml is rendered';
  static override args = { file: argument('the template; - for standard input') };
  static override flags = {
    values: commaList({
      value: '<file>',
      summary: 'YAML file with the content of .Values (repeatable; later files win)',
    }),
    templates: withValue({
      value: '<folder>',
      summary: 'folder with shared define blocks in *.yaml files',
    }),
  };
  static override examples = [
    {
      command: 'luet-ts util template build.yaml --values definition.yaml',
      description: "one package's build spec",
    },
    {
      command: "echo '{{ .Values.name | upper }}' | luet-ts util template - --values v.yaml",
      description: 'to try something out',
    },
    {
      command: 'luet-ts util template build.yaml --values v.yaml --templates tree/templates',
      description: 'with shared templates',
    },
  ];

  override run(): Promise<void> {
    return template(this.args.file, this.flags, this.context);
  }
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
