/**
 * Writes what Go gives for the templates of `test/template/recorded.jsonl` into that file again; see compare.ts for the program.
 *
 *     node bench/template-fuzz/record.ts /tmp/fuzz/go-templates
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const [program] = process.argv.slice(2);
if (program === undefined) throw new Error('usage: record.ts GO-PROGRAM');
const file = new URL('../../test/template/recorded.jsonl', import.meta.url);
const [head = '{}', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
const { values } = JSON.parse(head) as { values: unknown };
const templates = lines.map((line) => (JSON.parse(line) as { template: string }).template);
const input = templates.map((template) => `${JSON.stringify({ template, values })}\n`).join('');
const replies = execFileSync(program, { input, env: { TZ: 'UTC' }, maxBuffer: 1 << 28 })
  .toString()
  .trimEnd()
  .split('\n');
const recorded = replies.map((reply, i) => {
  const { output } = JSON.parse(reply) as { output?: string };
  return JSON.stringify(
    output === undefined ? { template: templates[i], fails: true } : { template: templates[i], output },
  );
});
writeFileSync(file, `${[head, ...recorded].join('\n')}\n`);
