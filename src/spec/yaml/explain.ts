import type { YAMLException } from 'js-yaml';
import type { Node, YAMLParseError } from 'yaml';
import type { Diagnostic } from '../../diagnostic/index.ts';
import type { Mistake } from './mistakes.ts';
import type { YamlSource } from './source.ts';

/** Maximum length in characters for the second library; longer texts would take seconds. */
const EXPLAINABLE = 200_000;

/** Maximum number of reported errors; further ones usually follow from the first. */
const MOST = 20;

/** A syntax error in a text. */
interface Fault {
  readonly message: string;
  readonly start: number;
  readonly end?: number | undefined;
  readonly hint?: string | undefined;
}

/**
 * Finds all syntax errors in an invalid YAML text with a slower library. `first` is the error of the faster
 * library.
 */
export async function explain(source: YamlSource, first: YAMLException): Promise<readonly Diagnostic[]> {
  const { text } = source;
  const found = text.length > EXPLAINABLE ? [] : await faultsOf(text);
  // In rare cases only the first library reports an error; then its message is used.
  const faults =
    found.length > 0 ? found : [{ message: first.reason, start: first.mark?.position ?? 0, end: undefined }];
  return faults.map((fault) => syntaxError(source, fault));
}

/**
 * All errors, sorted by place. After a frequent mistake, a parser also reports errors that are none. So each
 * such mistake is corrected in memory, and the rest is parsed again.
 */
async function faultsOf(original: string): Promise<readonly Fault[]> {
  const { parseDocument } = await import('yaml');
  const { usualMistake } = await import('./mistakes.ts');
  const mistakes: Fault[] = [];
  let text = original;
  for (;;) {
    let errors: readonly YAMLParseError[];
    let mistake: Mistake | undefined;
    try {
      const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, version: '1.2' });
      errors = document.errors.filter(({ code }) => code !== 'MULTIPLE_DOCS').sort(byPlace);
      mistake = firstMistake(text, errors.slice(0, MOST), document.contents, usualMistake);
    } catch (error) {
      // The library is recursive, so deep nesting can overflow the stack.
      if (error instanceof RangeError) return mistakes;
      throw error;
    }
    if (mistake === undefined || mistakes.length >= MOST) {
      const others = errors.slice(0, MOST).map(({ message, pos: [start, end] }) => ({
        message,
        start,
        end,
        hint: hintFor(text, message, start),
      }));
      return [...mistakes, ...others].sort((a, b) => a.start - b.start).slice(0, MOST);
    }
    const { start, end, message, hint } = mistake;
    mistakes.push({ start, end, message, hint });
    text = mistake.mended;
  }
}

function firstMistake(
  text: string,
  errors: readonly YAMLParseError[],
  root: Node | null,
  usualMistake: typeof import('./mistakes.ts').usualMistake,
): Mistake | undefined {
  for (const error of errors) {
    const mistake = usualMistake(text, error, root);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}

const byPlace = ({ pos: [a] }: YAMLParseError, { pos: [b] }: YAMLParseError): number => a - b;

function sentence(text: string): string {
  return (text.charAt(0).toLowerCase() + text.slice(1)).replace(/\.$/, '');
}

function syntaxError(source: YamlSource, { message, start, end, hint }: Fault): Diagnostic {
  const notes = source.notes?.(start) ?? [];
  return {
    code: 'yaml-syntax',
    severity: 'error',
    message: sentence(message),
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
