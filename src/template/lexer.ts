/**
 * Token types. Comments, trimmed space and errors are tokens too, so that all tokens together are the whole
 * text.
 */
export type TokenType =
  | 'text'
  | 'trimmed'
  | 'comment'
  | 'left'
  | 'right'
  | 'space'
  | 'assign'
  | 'declare'
  | 'char'
  | 'pipe'
  | '('
  | ')'
  | 'string'
  | 'raw'
  | 'rune'
  | 'number'
  | 'complex'
  | 'dot'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'bool'
  | 'nil'
  | 'error'
  | 'eof';

/** A piece of a template's source. */
export interface Token {
  readonly type: TokenType;
  /** Offset in the source, in UTF-16 units. */
  readonly start: number;
  readonly text: string;
  /** The message of an `error` token. */
  readonly reason?: string;
  /** Offset of the error, if it is not at the start of the token. */
  readonly at?: number;
}

const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);

const SPACE = /[ \t\r\n]+/y;
const WORD = /[\p{L}\p{Nd}_]+/uy;
const WORD_CHARACTER = /[\p{L}\p{Nd}_]/uy;
const TERMINATOR = /[ \t\r\n.,|:()]|\}\}|$/y;
const RIGHT = /[ \t\r\n]-\}\}|\}\}/y;
const RIGHT_TRIM = /[ \t\r\n]-\}\}/y;
const NUMBER =
  /[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[oO][0-7_]*(?:\.[0-7_]*)?|0[bB][01_]*(?:\.[01_]*)?|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)i?/y;
const SIMPLE: Readonly<Record<string, TokenType>> = { '=': 'assign', '|': 'pipe', '(': '(', ')': ')' };

/** End of the match of a sticky expression at an offset; -1 if it does not match there. */
function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/**
 * Splits a template into tokens; the last one is `eof`. An error becomes an `error` token, and lexing
 * continues after the action.
 */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let depth = 0;

  const push = (type: TokenType, end: number): void => {
    tokens.push({ type, start: at, text: text.slice(at, end) });
    at = end;
  };

  /** Makes one error token of everything up to the end of the action. */
  const error = (reason: string, fault = at, from = at): 'action' | 'text' => {
    const close = text.indexOf('}}', Math.max(from, at));
    const end = close < 0 ? text.length : close;
    tokens.push({ type: 'error', start: at, text: text.slice(at, end), reason, at: fault });
    at = end;
    if (close < 0) return 'text';
    push('right', close + 2);
    return 'text';
  };

  const trimAfter = (): void => {
    const end = matchEnd(SPACE, text, at);
    if (end > at) push('trimmed', end);
  };

  const lexText = (): 'text' | 'left' | 'done' => {
    const open = text.indexOf('{{', at);
    const end = open < 0 ? text.length : open;
    const trims = open >= 0 && text[open + 2] === '-' && matchEnd(SPACE, text, open + 3) > 0;
    let kept = end;
    if (trims) while (kept > at && ' \t\r\n'.includes(text[kept - 1] ?? '-')) kept--;
    if (kept > at) push('text', kept);
    if (end > at) push('trimmed', end);
    if (open < 0) return 'done';
    const inside = trims ? open + 4 : open + 2;
    if (!text.startsWith('/*', inside)) {
      push('left', inside);
      depth = 0;
      return 'left';
    }
    const close = text.indexOf('*/', inside + 2);
    if (close < 0) {
      tokens.push({
        type: 'error',
        start: at,
        text: text.slice(at),
        reason: 'missing end of the comment: expected */',
      });
      at = text.length;
      return 'done';
    }
    const right = matchEnd(RIGHT, text, close + 2);
    if (right < 0)
      return error('unexpected text after the comment in the action', close + 2, close + 2) && 'text';
    push('comment', right);
    if (right - close > 4) trimAfter();
    return 'text';
  };

  /** Reads one token inside an action. */
  const lexAction = (): 'action' | 'text' => {
    const right = matchEnd(RIGHT, text, at);
    if (right > 0) {
      if (depth > 0) return error('missing closing parenthesis');
      const trims = right - at > 2;
      push('right', right);
      if (trims) trimAfter();
      return 'text';
    }
    const c = text[at];
    if (c === undefined) {
      tokens.push({ type: 'error', start: at, text: '', reason: 'missing end of the action: expected }}' });
      return 'text';
    }
    let end = matchEnd(SPACE, text, at);
    if (end > 0) {
      // The last space may be part of a trim marker.
      if (matchEnd(RIGHT_TRIM, text, end - 1) > 0) end--;
      push('space', end);
      return 'action';
    }
    const simple = SIMPLE[c];
    if (simple !== undefined) {
      if (c === '(') depth++;
      if (c === ')' && --depth < 0) return error('unexpected closing parenthesis');
      push(simple, at + 1);
      return 'action';
    }
    if (c === ':') {
      if (text[at + 1] !== '=') return error('expected "=" after ":"');
      push('declare', at + 2);
      return 'action';
    }
    if (c === '"' || c === "'") return lexQuoted(c);
    if (c === '`') {
      const close = text.indexOf('`', at + 1);
      if (close < 0) return error('missing closing quote of the raw string');
      push('raw', close + 1);
      return 'action';
    }
    if (c === '$') return lexName('variable', 1);
    if (c === '.' && !/[0-9]/.test(text[at + 1] ?? '') && at + 1 < text.length) return lexName('field', 1);
    if (/[-+0-9.]/.test(c)) return lexNumber();
    if (matchEnd(WORD_CHARACTER, text, at) > 0) return lexName('identifier', 0);
    if (c >= ' ' && c <= '~') {
      push('char', at + 1);
      return 'action';
    }
    return error('unexpected character in an action');
  };

  const lexQuoted = (quote: string): 'action' | 'text' => {
    const what = quote === '"' ? 'string' : 'character constant';
    for (let i = at + 1; i < text.length && text[i] !== '\n'; i++) {
      if (text[i] === quote) {
        push(quote === '"' ? 'string' : 'rune', i + 1);
        return 'action';
      }
      if (text[i] === '\\' && text[i + 1] !== '\n') i++;
    }
    return error(`missing closing quote of the ${what}`);
  };

  const lexName = (type: 'variable' | 'field' | 'identifier', prefix: number): 'action' | 'text' => {
    const found = matchEnd(WORD, text, at + prefix);
    const end = found < 0 ? at + prefix : found;
    if (matchEnd(TERMINATOR, text, end) < 0) {
      return error(
        `unexpected character ${JSON.stringify(String.fromCodePoint(text.codePointAt(end) ?? 0))}`,
        end,
        end,
      );
    }
    const word = text.slice(at, end);
    if (word === '.') push('dot', end);
    else if (type !== 'identifier') push(type, end);
    else if (KEYWORDS.has(word)) push('keyword', end);
    else if (word === 'nil') push('nil', end);
    else push(word === 'true' || word === 'false' ? 'bool' : 'identifier', end);
    return 'action';
  };

  const lexNumber = (): 'action' | 'text' => {
    let end = matchEnd(NUMBER, text, at);
    const bad = (): boolean => matchEnd(WORD_CHARACTER, text, end) > 0;
    if (bad()) return error('invalid number');
    if (text[end] === '+' || text[end] === '-') {
      end = matchEnd(NUMBER, text, end);
      if (bad() || text[end - 1] !== 'i') return error('invalid number');
      push('complex', end);
    } else push('number', end);
    return 'action';
  };

  let state: 'text' | 'left' | 'action' | 'done' = 'text';
  while (state !== 'done') {
    if (state === 'text') state = lexText();
    else state = lexAction();
    if (state === 'text' && at >= text.length) break;
  }
  push('eof', at);
  return tokens;
}
