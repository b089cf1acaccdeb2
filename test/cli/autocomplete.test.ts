import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { cli } from '../support/cli.ts';
import { install } from '../support/engines/install.ts';

const folder = mkdtempSync(join(tmpdir(), 'luet-ts-complete-'));

/** Command lines up to where Tab is pressed, and how each goes on. */
const lines: readonly (readonly [line: string, completed: string])[] = [
  ['luet-ts aut', 'luet-ts autocomplete'],
  ['luet-ts tree exp', 'luet-ts tree explain'],
  ['luet-ts --debug tree bump --maj', 'luet-ts --debug tree bump --major'],
  ['luet-ts build --compression zs', 'luet-ts build --compression zstd'],
  ['luet-ts build -t tre', 'luet-ts build -t trees/'],
  ['luet-ts autocomplete fi', 'luet-ts autocomplete fish'],
  ['luet-ts tree bump --definition-file only', 'luet-ts tree bump --definition-file only.yaml'],
  ['luet-ts tree pkglist --no-spin', 'luet-ts tree pkglist --no-spinner'],
];

function run(shell: string, script: string): string {
  const env = { PATH: process.env.PATH, HOME: folder, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
  return execFileSync(shell, ['-c', script], { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
}

/** Installs a shell that is missing, or says why the test is skipped. */
function need(t: TestContext, shell: string): boolean {
  try {
    install(shell, [shell]);
    return true;
  } catch (error) {
    t.skip(String(error));
    return false;
  }
}

describe('completion scripts in real shells', () => {
  before(async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await cli(['autocomplete', shell]);
      assert.equal(code, 0);
      writeFileSync(join(folder, `script.${shell}`), stdout);
    }
    mkdirSync(join(folder, 'trees/inner'), { recursive: true });
    writeFileSync(join(folder, 'trees-of-text'), '');
    writeFileSync(join(folder, 'only.yaml'), '');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('bash', (t) => {
    if (!need(t, 'bash')) return;
    for (const [line, completed] of lines) {
      const words = line.split(' ').map((word) => `'${word}'`);
      const script = `source ./script.bash; COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}
        _luet_ts; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const wanted = completed.split(' ').at(-1)?.replace(/\/$/, '');
      assert.equal(run('bash', script), `${wanted}\n`, line);
    }
    // As bash takes it apart.
    const script = `source ./script.bash; COMP_WORDS=(luet-ts build --compression = z); COMP_CWORD=4
      _luet_ts; echo "\${COMPREPLY[@]}"`;
    assert.equal(run('bash', script), 'zstd\n');
  });

  test('fish', (t) => {
    if (!need(t, 'fish')) return;
    for (const [line, completed] of lines) {
      const answer = run('fish', `source ./script.fish; complete -C '${line}'`);
      const found = answer.split('\n').map((row) => row.split('\t')[0]);
      assert.deepEqual(found, [completed.split(' ').at(-1), ''], line);
    }
  });

  test('zsh', (t) => {
    if (!need(t, 'zsh')) return;
    // What was completed is run, and says what it was given.
    const script = `zmodload zsh/zpty; zpty -b shell zsh -f -i
      zpty -w shell 'unset zle_bracketed_paste; autoload -Uz compinit && compinit -u -d ./dump; source ./script.zsh
        luet-ts() { print -r -- "ran luet-ts \${(j: :)@} END" }; print REA""DY'
      zpty -r shell out '*READY*'
      for line in ${lines.map(([line]) => `'${line}'`).join(' ')}; do
        zpty -w shell "$line"$'\\t'
        zpty -r shell out '*ran * END*'; out=\${out##*ran }; print -r -- "\${out%% END*}"
      done`;
    const answers = run('zsh', script).trimEnd().split('\n');
    assert.deepEqual(
      answers.map((answer) => answer.trimEnd()),
      // Enter takes the slash away that completion put behind a folder.
      lines.map(([, completed]) => completed.replace(/\/$/, '')),
    );
  });
});
