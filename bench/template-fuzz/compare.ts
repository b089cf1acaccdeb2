/**
 * Compares the template engine with Go's own on generated templates. Needs Go, its module registry, and nothing else:
 *
 *     mkdir /tmp/fuzz && cp bench/template-fuzz/main.go /tmp/fuzz && cd /tmp/fuzz
 *     go mod init fuzz && go mod tidy && go build -o go-templates . && cd -
 *     node bench/template-fuzz/compare.ts /tmp/fuzz/go-templates [COUNT [FIRST SEED]]
 *
 * Prints every disagreement as a JSON line, and at the end how many there were. A disagreement is stable when Go itself gives the
 * same every time; what depends on the order of Go's maps is counted apart.
 */

import { spawn } from 'node:child_process';
import { parseTemplates, render, TemplateError } from '../../src/template/index.ts';
import { type Generated, generate } from '../../test/template/generate.ts';
import { mapOf } from '../../test/template/values.ts';

/** Templates that are asked for at a time. */
const BATCH = 2000;
/** How often Go is asked again where there is a disagreement. */
const AGAIN = 12;

interface Reply {
  readonly output?: string;
  readonly error?: string;
}

const [program, count = '1000', first = '0'] = process.argv.slice(2);
if (program === undefined) throw new Error('usage: compare.ts GO-PROGRAM [COUNT [FIRST SEED]]');
const set = parseTemplates([]);

function own({ template, values }: Generated): Reply {
  try {
    const data = new Map([['Values', mapOf(values)]]);
    return { output: render(set.with({ name: 't', text: template }), data, { now: 0n }).text };
  } catch (error) {
    if (error instanceof TemplateError) return { error: error.message };
    return { error: `BUG ${error instanceof Error ? error.stack : String(error)}` };
  }
}

/** What Go makes of cases. A case that kills the program (a value that contains itself) is left out. */
async function ask(go: string, cases: readonly Generated[]): Promise<Reply[]> {
  const replies: Reply[] = [];
  while (replies.length < cases.length) {
    const child = spawn(go, { stdio: ['pipe', 'pipe', 'ignore'], env: { TZ: 'UTC' } });
    child.stdin.on('error', () => {});
    const lines = cases
      .slice(replies.length)
      .map((c) => `{"template":${JSON.stringify(c.template)},"values":${c.values}}\n`);
    child.stdin.end(lines.join(''));
    let received = '';
    child.stdout.setEncoding('utf8');
    for await (const chunk of child.stdout) received += chunk as string;
    for (const line of received.split('\n').slice(0, -1)) replies.push(JSON.parse(line) as Reply);
    if (replies.length < cases.length) replies.push({ error: 'LEFT OUT' });
  }
  return replies;
}

function agrees(go: Reply, mine: Reply): boolean {
  if (mine.error?.startsWith('BUG') === true) return false;
  return go.error === undefined ? mine.output === go.output : mine.error !== undefined;
}

let refused = 0;
let left = 0;
let wrong = 0;
let unstable = 0;
const end = Number(first) + Number(count);
for (let from = Number(first); from < end; from += BATCH) {
  const cases = Array.from({ length: Math.min(BATCH, end - from) }, (_, i) => generate(from + i));
  const replies = await ask(program, cases);
  for (const [i, generated] of cases.entries()) {
    const go = replies[i] ?? {};
    if (go.error?.includes('LEFT OUT') === true) {
      left++;
      continue;
    }
    if (go.error !== undefined) refused++;
    const mine = own(generated);
    if (agrees(go, mine)) continue;
    const more = await ask(
      program,
      Array.from({ length: AGAIN }, () => generated),
    );
    if (more.some((reply) => agrees(reply, mine) || reply.output !== go.output)) {
      unstable++;
      continue;
    }
    wrong++;
    console.log(JSON.stringify({ seed: from + i, ...generated, go, mine }));
  }
}
console.log(
  `${count} templates: Go refuses ${refused}; ${left} left out (too large, endless, or asking for the time); ` +
    `${unstable} where Go disagrees with itself; ${wrong} disagreements`,
);
