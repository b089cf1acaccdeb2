/** Small damages to the files of a tree, as people, editors and merges make them: bytes, YAML's structure, template syntax. */

/** Whole numbers from 0 up to a bound, the same for the same seed. */
export type Random = (below: number) => number;

/** A generator of random numbers that needs no more than a seed (Numerical Recipes' linear congruential one). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What is put somewhere: signs that YAML and templates know, keys, bytes that are no text. */
const BITS = [
  ...['{{', '}}', '{{ if }}', '{{ end }}', '{{ fail "x" }}', '{{ range until 3 }}', '{{ .Values.x.y }}'],
  ...[
    ':',
    ': ',
    '- ',
    '\n',
    ' ',
    '  ',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    ',',
    '|',
    '>',
    '#',
    '\t',
    '\r',
    '\0',
    '\xff',
  ],
  ...['&a ', '*a', '<<: *a', '!', '! ', '!x ', '%', '@', '`', '~', 'null', '---\n', '...\n', '\u{202e}'],
  ...[
    'name',
    'name: x',
    'version: ">=1"',
    'requires:\n',
    'requires: x\n',
    'steps: x\n',
    'image: A\n',
    'packages:\n',
  ],
];

/** A file's bytes with one damage. */
export function damaged(bytes: Buffer, random: Random): Buffer {
  const text = bytes.toString('latin1');
  const at = random(text.length + 1);
  const lines = text.split('\n');
  const line = random(lines.length);
  const own = lines[line] ?? '';
  const cut = (from: number, to: number, between = ''): string =>
    text.slice(0, from) + Buffer.from(between).toString('latin1') + text.slice(to);
  const relined = (...instead: readonly string[]): string => lines.toSpliced(line, 1, ...instead).join('\n');
  const other = random(text.length + 1);
  const flipped = String.fromCharCode((text.charCodeAt(at) ^ (1 << random(8))) & 0xff);
  const results = [
    () => cut(at, at + 1 + random(4)),
    () => cut(at, at, BITS[random(BITS.length)]),
    () => relined(),
    () => relined(own, lines[random(lines.length)] ?? ''),
    () => relined(' '.repeat(1 + random(4)) + own),
    () => relined(own.replace(/^ */, '')),
    () => relined(own, own),
    () => cut(at, text.length),
    () => (at < text.length ? text.slice(0, at) + flipped + text.slice(at + 1) : text),
    () => cut(Math.min(at, other), Math.max(at, other)),
  ];
  return Buffer.from(results[random(results.length)]?.() ?? text, 'latin1');
}
