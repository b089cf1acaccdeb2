/** One token of JSON (RFC 8259), with whitespace before it. */
const piece =
  /[ \t\r\n]*(?:([[\]{},:])|("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?))/y;

type Expected = 'value' | 'key' | 'colon' | 'end';

/**
 * Finds the line and column, both starting at 1, of the first syntax error in JSON. The messages of
 * `JSON.parse` do not always contain the position, and some contain parts of the text.
 */
export function jsonFault(text: string): { readonly line: number; readonly column: number } {
  const before = text.slice(0, faultOffset(text));
  const line = before.split('\n').length;
  return { line, column: before.length - before.lastIndexOf('\n') };
}

function faultOffset(text: string): number {
  const open: string[] = [];
  let expected: Expected = 'value';
  /** Whether an object or array may end where its first item is expected. */
  let mayClose = false;
  for (let at = 0; ; at = piece.lastIndex) {
    piece.lastIndex = at;
    const found = piece.exec(text);
    const start = at + (/^[ \t\r\n]*/.exec(text.slice(at))?.[0].length ?? 0);
    if (found === null) return start;
    const [, sign, string] = found;
    const closes = sign === '}' || sign === ']';
    if (closes && (expected === 'end' || mayClose) && open.at(-1) === (sign === '}' ? '{' : '[')) {
      open.pop();
      expected = 'end';
      mayClose = false;
    } else if (sign === ',' && expected === 'end' && open.length > 0) {
      expected = open.at(-1) === '{' ? 'key' : 'value';
    } else if (sign === ':' && expected === 'colon') expected = 'value';
    else if ((sign === '{' || sign === '[') && expected === 'value') {
      open.push(sign);
      expected = sign === '{' ? 'key' : 'value';
      mayClose = true;
    } else if (expected === 'key' && string !== undefined) {
      expected = 'colon';
      mayClose = false;
    } else if (expected === 'value' && sign === undefined) {
      expected = 'end';
      mayClose = false;
    } else return start;
  }
}
