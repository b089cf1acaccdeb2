import { YAMLException } from 'js-yaml';
import type { YAMLParseError } from 'yaml';
import type { Diagnostic } from '../../diagnostic/index.ts';
import { compose } from './compose.ts';
import type { YamlNode } from './node.ts';
import type { YamlSource } from './source.ts';

/** The result of reading: `root` is undefined if the file is empty or invalid. */
export interface YamlResult {
  readonly root?: YamlNode;
  readonly problems: readonly Diagnostic[];
}

/**
 * Reads one document. If it has syntax errors, a second, slower library finds all of them and describes each
 * better.
 */
export async function readYaml(source: YamlSource): Promise<YamlResult> {
  try {
    return compose(source);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { problems: await explain(source, error) };
  }
}

async function explain(source: YamlSource, first: YAMLException): Promise<readonly Diagnostic[]> {
  const found = (await carefulErrors(source.text)).map(({ message, pos: [start, end] }) =>
    syntaxError(source, sentence(message), start, end),
  );
  // In rare cases only the first library reports an error; then its message is used.
  return found.length > 0 ? found : [syntaxError(source, sentence(first.reason), first.mark?.position ?? 0)];
}

/** Maximum length in characters for the second library; longer texts would take seconds. */
const EXPLAINABLE = 200_000;

/** Maximum number of reported errors; further ones usually follow from the first. */
const MOST = 20;

async function carefulErrors(text: string): Promise<readonly YAMLParseError[]> {
  if (text.length > EXPLAINABLE) return [];
  const { parseDocument } = await import('yaml');
  try {
    const { errors } = parseDocument(text, { prettyErrors: false, uniqueKeys: false, version: '1.2' });
    return errors.filter(({ code }) => code !== 'MULTIPLE_DOCS').slice(0, MOST);
  } catch (error) {
    // The library is recursive, so deep nesting can overflow the stack.
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function sentence(text: string): string {
  return (text.charAt(0).toLowerCase() + text.slice(1)).replace(/\.$/, '');
}

function syntaxError(source: YamlSource, message: string, start: number, end?: number): Diagnostic {
  const hint = hintFor(source.text, message, start);
  const notes = source.notes?.(start) ?? [];
  return {
    code: 'yaml-syntax',
    severity: 'error',
    message,
    place: source.place(start, end),
    ...(hint !== undefined && { hint }),
    ...(notes.length > 0 && { notes }),
  };
}

/** A hint for frequent mistakes, recognised by the text at the position of the error. */
function hintFor(text: string, message: string, start: number): string | undefined {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const line = text.slice(
    lineStart,
    text.indexOf('\n', start) === -1 ? undefined : text.indexOf('\n', start),
  );
  if (/^ *\t/.test(line)) return 'Indent with spaces: YAML does not allow tabs here';
  if (/: .*: /.test(line) && /mapping|map/i.test(message)) {
    return "Put a value that holds ': ' in quotes";
  }
  if (/^\s*(?:- |[^#'"]*: )[*&!%@`>|]/.test(line))
    return 'Put a value that starts with this character in quotes';
  if (/^\s*(?:- |[^#'"]*: ){{/.test(line)) return 'Put a value that starts with {{ in quotes';
  return undefined;
}
