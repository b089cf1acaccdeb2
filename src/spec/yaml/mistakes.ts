import { isCollection, isScalar, type Node, visit, type YAMLParseError } from 'yaml';
import { quoted } from './tags.ts';

/** A frequent mistake, recognised by an error that the parser reports somewhere after it. */
export interface Mistake {
  /** Offset of the mistake itself, not of the parse error. */
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string;
  /**
   * The text with the mistake corrected and all other characters at the same offsets, to find further
   * mistakes.
   */
  readonly mended: string;
}

/** Maximum length in characters of a line to examine. */
const LONGEST = 2000;

/** The mistake that caused a parse error; undefined if it is not a frequent one. */
export function usualMistake(
  text: string,
  error: Pick<YAMLParseError, 'message' | 'pos'>,
  root: Node | null,
): Mistake | undefined {
  const [at] = error.pos;
  const line = lineAt(text, at);
  // Such a long line was not written by hand.
  if (line.end - line.start > LONGEST) return undefined;
  return textBehindFlow(text, at) ?? dashWithoutSpace(text, at) ?? unclosed(text, error, root);
}

/** The line that contains an offset. */
function lineAt(text: string, at: number): { readonly start: number; readonly end: number } {
  const end = text.indexOf('\n', at);
  return { start: text.lastIndexOf('\n', at - 1) + 1, end: end === -1 ? text.length : end };
}

/**
 * `- [ -e /a ]
 *
 * true`: a list with text after it.
 */
function textBehindFlow(text: string, at: number): Mistake | undefined {
  const { start, end } = lineAt(text, at);
  const line = text.slice(start, end).trimEnd();
  const [, before = '', value = '', open = ''] =
    /^(\s*(?:- +)*(?:[\w.-]+: +)?)(([[{]).*[\]}][ \t]*[^\s\]},#:].*)$/.exec(line) ?? [];
  if (value === '' || at <= start + before.length) return undefined;
  const from = start + before.length;
  return {
    start: from,
    end: from + value.length,
    message: `unexpected text after the ${open === '[' ? 'list' : 'map'} that starts with '${open}'`,
    hint: `Put the text in quotes: ${before.trimStart()}${quoted(value)}`,
    mended: filled(text, from, from + value.length),
  };
}

/** `-echo c` in a list. */
function dashWithoutSpace(text: string, at: number): Mistake | undefined {
  const { start, end } = lineAt(text, at);
  const line = text.slice(start, end).trimEnd();
  const [, indent = '', item = ''] = /^(\s*)-([^\s-].*)$/.exec(line) ?? [];
  if (item === '' || at > start + indent.length) return undefined;
  const dash = start + indent.length;
  return {
    start: dash,
    end: start + line.length,
    message: "missing space after the dash: list items start with '- '",
    hint: `Write: - ${item}`,
    mended: `${text.slice(0, dash)}- ${text.slice(dash + 2)}`,
  };
}

/** The innermost list, map or quoted text that is not closed. */
function unclosed(
  text: string,
  { message, pos: [at] }: Pick<YAMLParseError, 'message' | 'pos'>,
  root: Node | null,
): Mistake | undefined {
  const [, sign = ''] = /(?:end with a |Missing closing )(["'\]}])/.exec(message) ?? [];
  if (sign === '' || root === null) return undefined;
  const opener = { ']': '[', '}': '{' }[sign] ?? sign;
  let from = -1;
  visit(root, (_, node) => {
    if (!(isCollection(node) || isScalar(node)) || !node.range) return;
    const [start, end] = node.range;
    const isOpen = text[start] === opener && start < at && end >= at;
    if (isOpen && start > from) from = start;
  });
  if (from < 0) return undefined;
  const { end } = lineAt(text, from);
  const what = { '[': 'list', '{': 'map' }[opener] ?? 'text in quotes';
  return {
    start: from,
    end: from + 1,
    message: `the ${what} that starts here is not closed`,
    hint:
      what === 'text in quotes'
        ? `Add ${sign} at its end`
        : `Add '${sign}' at its end, or put it in quotes if it is text`,
    mended: filled(text, from, end),
  };
}

/** The text with a part replaced by a neutral word. */
const filled = (text: string, from: number, end: number): string =>
  `${text.slice(0, from)}${'x'.repeat(end - from)}${text.slice(end)}`;
