import { YAMLException } from 'js-yaml';
import type { YAMLParseError } from 'yaml';
import type { Diagnostic } from '../../diagnostic/index.ts';
import { compose } from './compose.ts';
import type { YamlNode } from './node.ts';
import type { Source } from './source.ts';

/** What was read: no root where the file is empty or cannot be read. */
export interface YamlResult {
  readonly root?: YamlNode;
  readonly problems: readonly Diagnostic[];
}

/**
 * Reads one document. A file with syntax errors is read a second time by a slower library that finds all of
 * them and says more about each.
 */
export async function readYaml(source: Source): Promise<YamlResult> {
  try {
    return compose(source);
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return { problems: await explain(source, error) };
  }
}

async function explain(source: Source, first: YAMLException): Promise<readonly Diagnostic[]> {
  const found = (await carefulErrors(source.text)).map(({ message, pos: [start, end] }) =>
    syntaxError(source, sentence(message), start, end),
  );
  // The two libraries differ about what is an error in rare cases: the first one's word counts then.
  return found.length > 0 ? found : [syntaxError(source, sentence(first.reason), first.mark?.position ?? 0)];
}

/** Longer texts would take the careful library seconds. */
const EXPLAINABLE = 200_000;

/** More errors than these follow from each other. */
const MOST = 20;

async function carefulErrors(text: string): Promise<readonly YAMLParseError[]> {
  if (text.length > EXPLAINABLE) return [];
  const { parseDocument } = await import('yaml');
  try {
    const { errors } = parseDocument(text, { prettyErrors: false, uniqueKeys: false, version: '1.2' });
    return errors.filter(({ code }) => code !== 'MULTIPLE_DOCS').slice(0, MOST);
  } catch (error) {
    // It reads nested collections recursively.
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function sentence(text: string): string {
  return (text.charAt(0).toLowerCase() + text.slice(1)).replace(/\.$/, '');
}

function syntaxError(source: Source, message: string, start: number, end?: number): Diagnostic {
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

/** What mistakes that are made again and again have in common, by the text at which reading failed. */
function hintFor(text: string, message: string, start: number): string | undefined {
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const line = text.slice(
    lineStart,
    text.indexOf('\n', start) === -1 ? undefined : text.indexOf('\n', start),
  );
  if (/^ *\t/.test(line)) return 'Indent with spaces: YAML allows no tabs there';
  if (/: .*: /.test(line) && /mapping|map/i.test(message)) {
    return "Put a value that holds ': ' in quotes";
  }
  if (/^\s*(?:- |[^#'"]*: )[*&!%@`>|]/.test(line))
    return 'Put a value that begins with such a sign in quotes';
  if (/^\s*(?:- |[^#'"]*: ){{/.test(line)) return 'Put a value that begins with {{ in quotes';
  return undefined;
}
