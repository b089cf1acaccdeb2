import { withoutPasswords } from './passwords.ts';
import type { Diagnostic, Place } from './types.ts';

/** Options of `formatDiagnostic`. */
export interface FormatOptions {
  /** Whether to write colour escape sequences. Default: no colours. */
  readonly color?: boolean;
  /** Returns the text of a source file, for the excerpt, or undefined if the file cannot be read. */
  readonly source?: (file: string) => string | undefined;
}

/**
 * Makes text from trees, engines and commands safe to print on a terminal: control characters (such as escape
 * sequences), bidirectional overrides and lone surrogates become visible escapes. Tabs and newlines are kept.
 */
export function escapeTerminal(text: string): string {
  return text.replace(
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,
    (c) => {
      const code = c.charCodeAt(0);
      return code < 0x100
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u${code.toString(16).padStart(4, '0')}`;
    },
  );
}

/**
 * Data as JSON that can be printed on a terminal: characters that terminals act on, or that turn the text
 * around them, are written as escapes, which mean the same. `JSON.stringify` does so only below U+0020.
 * `replacer` is as there.
 */
export function jsonText(
  data: unknown,
  indent?: number,
  replacer?: (key: string, value: unknown) => unknown,
): string {
  return JSON.stringify(data, replacer, indent).replace(
    /[\x7f-\x9f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function placeText(place: Place): string {
  const line = place.line === undefined ? '' : `:${place.line}`;
  const column = place.line === undefined || place.column === undefined ? '' : `:${place.column}`;
  return `${place.file}${line}${column}`;
}

const shown = (text: string): string => escapeTerminal(withoutPasswords(text));

/** Characters of a source line that are shown before and behind a place: a hostile file may be one long line. */
const BEFORE = 100;
const BEHIND = 200;

/**
 * The source line of a place, with the range underlined; of a long line what lies around the place. Empty if
 * the file has no such line.
 */
function excerpt(place: Place, source: string, paint: (code: number, text: string) => string): string[] {
  const line = source.split(/\r?\n/, place.line)[(place.line ?? 1) - 1];
  if (place.line === undefined || line === undefined) return [];
  // Before the line is cut: the rest of a password alone is not recognised.
  const safe = withoutPasswords(line);
  const gutter = String(place.line);
  const pad = ' '.repeat(gutter.length);
  const column = place.column ?? 1;
  const from = column - 1 > 2 * BEFORE && line.length > BEFORE + BEHIND ? column - 1 - BEFORE : 0;
  const to = line.length > column + 2 * BEHIND ? column + BEHIND : line.length;
  const [left, right] = [from > 0 ? '…' : '', to < line.length ? '…' : ''];
  const rows = [`${paint(34, `${gutter} |`)} ${left}${escapeTerminal(safe.slice(from, to))}${right}`];
  if (place.column !== undefined && column <= line.length + 1) {
    // Keep tabs, so that the marks stay aligned with the text at any tab width.
    const lead = `${left}${escapeTerminal(line.slice(from, column - 1))}`.replace(/[^\t]/g, ' ');
    const end = Math.min(place.endColumn ?? column + 1, to + 1);
    const marks = '^'.repeat(Math.max(1, escapeTerminal(line.slice(column - 1, end - 1)).length));
    rows.push(`${paint(34, `${pad} |`)} ${lead}${paint(31, marks)}`);
  }
  return rows;
}

/** A diagnostic's message for display after its package's name: without that name. */
export function messageBehindName({ message, package: name }: Diagnostic): string {
  if (name === undefined) return message;
  if (message.startsWith(`${name} `)) return message.slice(name.length + 1);
  return message.replace(`package ${name} `, 'package ');
}

/**
 * Formats one diagnostic for people: `file:line:column: error[code]: message`, the source line if it is
 * available, the notes and the hint. Several lines, no final newline.
 */
export function formatDiagnostic(diagnostic: Diagnostic, options: FormatOptions = {}): string {
  const paint = (code: number, text: string): string =>
    options.color ? `\x1b[${code}m${text}\x1b[0m` : text;
  const { place } = diagnostic;
  const head = paint(diagnostic.severity === 'error' ? 31 : 33, `${diagnostic.severity}[${diagnostic.code}]`);
  const where = place === undefined ? '' : `${escapeTerminal(placeText(place))}: `;
  const of = diagnostic.package === undefined ? '' : `${escapeTerminal(diagnostic.package)}: `;
  const rows = [`${where}${head}: ${of}${shown(messageBehindName(diagnostic))}`];
  const source = place === undefined ? undefined : options.source?.(place.file);
  if (place !== undefined && source !== undefined)
    rows.push(...excerpt(place, source, paint).map((r) => `  ${r}`));
  for (const note of diagnostic.notes ?? []) {
    const at = note.place === undefined ? '' : `${escapeTerminal(placeText(note.place))}: `;
    rows.push(`  ${paint(36, 'note')}: ${at}${shown(note.message)}`);
  }
  if (diagnostic.hint !== undefined) rows.push(`  ${paint(32, 'hint')}: ${shown(diagnostic.hint)}`);
  return rows.join('\n');
}
