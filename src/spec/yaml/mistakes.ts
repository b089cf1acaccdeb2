import { isCollection, isScalar, type Node, visit, type YAMLParseError } from 'yaml';
import { quoted } from './tags.ts';

/** A mistake that is made again and again, known by the error that a parser gives somewhere behind it. */
export interface Mistake {
  /** Where it was made, not where reading failed. */
  readonly start: number;
  readonly end: number;
  readonly message: string;
  readonly hint: string;
  /** The text without the mistake and with every other character in its place, to look for further ones. */
  readonly mended: string;
}

/** Longest line that is looked at, in characters. */
const LONGEST = 2000;

/** What an error of the parser comes from; undefined where it is none of the usual mistakes. */
export function usualMistake(
  text: string,
  error: Pick<YAMLParseError, 'message' | 'pos'>,
  root: Node | null,
): Mistake | undefined {
  const [at] = error.pos;
  const line = lineAt(text, at);
  // Nobody wrote that by hand.
  if (line.end - line.start > LONGEST) return undefined;
  return textBehindFlow(text, at) ?? dashWithoutSpace(text, at) ?? unclosed(text, error, root);
}

/** The line that an offset lies in. */
function lineAt(text: string, at: number): { readonly start: number; readonly end: number } {
  const end = text.indexOf('\n', at);
  return { start: text.lastIndexOf('\n', at - 1) + 1, end: end === -1 ? text.length : end };
}

/** `- [ -e /a ] || true`: a list, and text behind it. */
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
    message: `a value that begins with '${open}' is a ${open === '[' ? 'list' : 'map'}, and text follows behind its end`,
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
    message: "an item of a list begins with '- ', and no space follows this dash",
    hint: `Write: - ${item}`,
    mended: `${text.slice(0, dash)}- ${text.slice(dash + 2)}`,
  };
}

/** The innermost list, map or text in quotes that an error says is not closed. */
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
    message: `the ${what} that begins here is not closed`,
    hint:
      what === 'text in quotes'
        ? `Write ${sign} at its end`
        : `Write '${sign}' at its end, or put it in quotes where it is text`,
    mended: filled(text, from, end),
  };
}

/** A text in which a part is an unimportant word. */
const filled = (text: string, from: number, end: number): string =>
  `${text.slice(0, from)}${'x'.repeat(end - from)}${text.slice(end)}`;
