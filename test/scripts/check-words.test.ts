import assert from 'node:assert/strict';
import test from 'node:test';
import { checkWords, ownFlags } from '../../scripts/check-words.ts';
import { readModule } from '../../scripts/module-facts.ts';

const flags = ownFlags('| `--memory <size>` | … |\n| `-o, --output <format>` | … `--runtime` |');

const says = (file: string, source: string): string[] =>
  checkWords(file, readModule(file, source), flags).map(({ line, message }) => `${line}: ${message}`);

test('flags, commands, variables and parts of process belong to the command line', () => {
  for (const [source, found] of [
    ["const hint = 'give it more (--memory)';", '--memory'],
    ['const hint = `use it with --output json`;', '--output'],
    ["throw new Error('see luet-ts engine');", 'commands'],
    ["const hint = 'set TMPDIR';", 'TMPDIR'],
    ['const host = env.DOCKER_HOST;', 'DOCKER_HOST'],
    ["const data = options.env['XDG_DATA_HOME'];", 'XDG_DATA_HOME'],
    ['const id = process.pid;', 'process.pid'],
    ['const cores = process.arch;', 'process.arch'],
  ] as const) {
    assert.match(says('execute/a.ts', source).join(), new RegExp(`^1: .*${found}`), source);
    assert.deepEqual(says('cli/a.ts', source), [], source);
    assert.deepEqual(says('library/a.ts', source), [], source);
  }
});

test('rooms may speak of other programs, and of the machine where they have to', () => {
  for (const [file, source] of [
    ['engine/native/a.ts', "['unshare', '--fork', '--mount-proc']"],
    ['engine/docker/podman-service.ts', "['--runtime', 'runc']"],
    ['engine/native/a.ts', 'process.getuid?.() === 0 && process.arch'],
    ['resolve/environment.ts', "['SOURCE_DATE_EPOCH', String(latest)]"],
    ['image/a.ts', "const text = 'luet-ts takes layers from registries only';"],
    ['spec/a.ts', 'const { env } = build; env.length'],
    ['execute/a.ts', '// --memory and DOCKER_HOST in a comment'],
  ] as const)
    assert.deepEqual(says(file, source), [], source);
});
