import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { commandTable } from '../../src/cli/commands.ts';
import { cli } from '../support/cli.ts';
import { commandWords, readLine } from '../support/command-lines.ts';

/** What `luet --help` of 0.35 lists as global flags, with values that it takes. */
const globals = [
  ...['--color', '--color=false', '-d', '--debug', '--emoji=false', '--enable-logfile', '--fatal'],
  ...['--live-output=true', '--no-spinner', '-q', '--quiet'],
  ...['--same-owner', '--same-owner=true', '--same-owner=false', '--skip-config-protect=false'],
  ...['--concurrency 2', '--config x.yaml', '--config=x.yaml', '--http-timeout 360', '-l x.log'],
  ...['--logfile=x.log', '--plugin one', '--plugin one --plugin two'],
  ...['--solver-attempts 9000', '--solver-discount=1', '--solver-rate 0.7', '--solver-type qlearning'],
  ...['--system-dbpath /', '--system-engine boltdb', '--system-target /x'],
];

/** What `luet COMMAND --help` of 0.35 lists, of the commands that are here. */
const own: Readonly<Record<string, string>> = {
  build:
    '--all,--backend docker,-a --load,--backend-args --load,--compression gzip,--destination x,--dockerfiles,--from-repositories,--full,--generate-final-images,--image-repository a/b,--keep-images=false,--nodeps,--only-target-package,--onlydeps,-o json,--output yaml,--pretend,--privileged,--privileged=false,--pull,-p x,--pull-repository x,--push,--push-final-images,--push-final-images-force,--push-final-images-repository x,--rebuild,--revdeps,--solver-concurrent,-t x,--tree x,--values x,--wait',
  'tree pkglist':
    '-b,--buildtime,--deps,-e x,--exclude x,-f,--full,-m x,--matches x,-o json,--output json,--revdeps,-t x,--tree x,-v,--verbose',
  'tree images': '--image-repository a/b,-o json,--output json,-p x,--pull-repository x,-t x,--tree x',
  'tree validate':
    '-e x,--exclude x,-m x,--matches x,--only-buildtime,--only-runtime,-t x,--tree x,-s,--with-solver',
  'tree bump': '-f x,--definition-file x,-p 1,--pkg-version 1,-o,--to-stdout',
  'util unpack':
    '--auth-identity-token x,--auth-password x,--auth-registry-token x,--auth-server-address x,--auth-type x,--auth-username x,--local,--platform linux/amd64,--verify',
};

/** Reads a command line with words for the arguments that are needed; what was wrong with it, or what was noted. */
async function parsed(words: readonly string[], before: readonly string[], after: readonly string[]) {
  const { args = {} } = (await commandTable.commands[words.join(':')]?.load())?.default ?? {};
  const needed = Object.values(args).filter(({ required }) => required === true);
  const word = words[0] === 'autocomplete' ? 'bash' : 'linux/amd64';
  const { command, said } = await readLine([
    ...before,
    ...words,
    ...after,
    ...needed.map(() => word),
    ...beside(words.join(' '), after),
  ]);
  return { ran: command === undefined ? 0 : 1, said };
}

/** As `beside`, for flags of `build`. */
function besideBuild(flag: string): readonly string[] {
  const repository = ['--image-repository', 'registry.example.org/a/b'];
  if (/^(-o|--output)$/.test(flag)) return ['--pretend'];
  if (/^(--push|--pull|--push-final-images)$/.test(flag)) return repository;
  if (/^(-p|--pull-repository|--wait)$/.test(flag)) return ['--pull', ...repository];
  return /^--push-final-images-/.test(flag) ? ['--push-final-images', ...repository] : [];
}

/** What has to stand beside a flag so that it has an effect. */
function beside(command: string, [flag = '']: readonly string[]): readonly string[] {
  if (command === 'build') return ['c/a', ...besideBuild(flag)];
  if (command === 'explain') return ['c/a'];
  if (command === 'cache prune') return ['--older-than', '1d'];
  return command === 'tree bump' && !/^(-f|--definition-file)$/.test(flag) ? ['c/a'] : [];
}

test("Luet's global flags are taken by every command, before its name and behind it", async () => {
  for (const words of commandWords) {
    for (const flag of globals) {
      for (const isBefore of [true, false]) {
        const at = flag.split(' ');
        const { ran, said } = await parsed(words, isBefore ? at : [], isBefore ? [] : at);
        const where = `${isBefore ? flag : ''} ${words.join(' ')} ${isBefore ? '' : flag}`;
        assert.equal(ran, 1, `${where}: ${said}`);
        const isNoted = /config|logfile|^-l|plugin|same-owner|solver|system|http-timeout|concurrency/.test(
          flag,
        );
        const isOwn = flag.startsWith('--concurrency') && words[0] === 'build';
        const name = /^-l/.test(flag) ? '--logfile' : (/^-[\w-]+/.exec(flag)?.[0] ?? '');
        const note = `note: ${name} is a setting of Luet that luet-ts ${words.join(' ')} does not need\n`;
        assert.equal(said, isNoted && !isOwn ? note : '', where);
      }
    }
  }
});

test("Luet's flags of each command are taken or refused by name", async () => {
  for (const [words, flags] of Object.entries(own)) {
    for (const flag of flags.split(',')) {
      const { ran, said } = await parsed(words.split(' '), [], flag.split(' '));
      const long = /^--[\w-]+/.exec(flag)?.[0] ?? '';
      const isRefused = /^error: --[\w-]+ is not supported: /.test(said) && said.includes(long);
      assert.ok(ran === 1 || isRefused, `${words} ${flag}: ${said}`);
    }
  }
  const { said } = await parsed(['build'], [], ['--nonsense']);
  assert.match(said, /unknown option '--nonsense'/);
});

test('several settings of Luet make one note, and none with --quiet', async () => {
  const flags = ['--config', 'x', '--same-owner=true', '--plugin', 'y'];
  const { said } = await parsed(['build'], ['--http-timeout', '3'], flags);
  assert.equal(
    said,
    'note: --config, --http-timeout, --plugin and --same-owner are settings of Luet that luet-ts build does not need\n',
  );
  assert.equal((await parsed(['build'], [], [...flags, '-q'])).said, '');
});

function site(t: TestContext, build = 'image: i\nwhatever: [x]\n'): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-flags-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of [
    ['a', build],
    ['b', 'requires: [{name: a, category: c, version: ">=0"}]\n'],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'definition.yaml'), `name: ${name}\ncategory: c\nversion: "1"\n`);
    writeFileSync(join(folder, name, 'build.yaml'), text);
  }
  return folder;
}

test('variables stand for the flags of a command, and the command line wins', async (t) => {
  const cwd = site(t, 'image: i\n');
  const run = async (words: readonly string[], env: Readonly<Record<string, string>>) => {
    const { code, stdout, stderr } = await cli(words, { cwd, env });
    return { code, out: stdout, err: stderr };
  };
  const [a, b] = ['c/a-1\n', 'c/a-1\nc/b-1\n'];
  const pretend = ['build', '--pretend'];
  assert.deepEqual(await run(pretend, { LUET_ALL: 'true' }), { code: 0, out: b, err: '' });
  assert.deepEqual(await run([...pretend, 'c/a'], { LUET_ALL: 'false' }), { code: 0, out: a, err: '' });
  assert.deepEqual(await run([...pretend, 'c/a'], { LUET_ALL: '' }), { code: 0, out: a, err: '' });
  assert.match((await run(pretend, { LUET_FULL: '1', LUET_OUTPUT: 'json' })).out, /^\{"packages":/);
  assert.equal((await run([...pretend, '--all', '-o', 'terminal'], { LUET_OUTPUT: 'json' })).out, b);
  assert.equal((await run([...pretend, '--all'], { LUET_TREE: 'a,b' })).out, b);
  assert.equal((await run([...pretend, '--all', '-t', 'a'], { LUET_TREE: 'b' })).out, a);
  assert.equal((await run(['tree', 'pkglist', '-o', 'yaml'], { LUET_TREE: 'a' })).code, 0);
  assert.match(
    (await run(['tree', 'pkglist'], { LUET_LOG_FORMAT: 'json', LUET_X: '1' })).err,
    /"type":"note"/,
  );
  // A section of Luet's configuration file.
  assert.match(
    (await run(['tree', 'pkglist'], { LUET_LOGGING__COLOR: 'maybe' })).err,
    /LUET_LOGGING__COLOR is true/,
  );
});

test('what variables cannot stand for is said', async (t) => {
  const cwd = site(t, 'image: i\n');
  const run = async (env: Readonly<Record<string, string>>) => {
    const { code, stderr } = await cli(['build', '--pretend', 'c/a'], { cwd, env });
    return [code, stderr];
  };
  const note = (text: string) => [0, `note: ${text} of Luet that luet-ts build does not need\n`];
  assert.deepEqual(
    await run({ LUET_YES: 'true', LUET_NOLOCK: 'true', LUET_TS_X: '1' }),
    note('LUET_NOLOCK and LUET_YES are settings'),
  );
  assert.deepEqual(await run({ LUET_VERSION: '0.35' }), note('LUET_VERSION is a setting'));
  assert.deepEqual(await run({ LUET_CONFIG: 'x' }), note('LUET_CONFIG is a setting'));
  assert.deepEqual(
    await run({ LUET_COMPRESION: 'gzip' }),
    note('LUET_COMPRESION (did you mean LUET_COMPRESSION?) is a setting'),
  );
  const [code, text] = await run({ LUET_COMPRESSION: 'zip' });
  assert.equal(code, 2);
  assert.match(String(text), /^error: LUET_COMPRESSION has a value that --compression does not take: 'zip'/);
  assert.deepEqual(await run({ LUET_ALL: 'maybe' }), [2, "error: LUET_ALL is true or false, not 'maybe'\n"]);
  assert.match(String(await run({ LUET_PUSH: 'true' })), /^2,error: --push takes a repository/);
  assert.deepEqual(await run({ LUET_PUSH: 'true', LUET_IMAGE_REPOSITORY: 'a.example/b' }), [0, '']);
  assert.match(
    String(await run({ LUET_FROM_REPOSITORIES: 'true' })),
    /^2,error: LUET_FROM_REPOSITORIES is not supported: /,
  );
  assert.deepEqual(await run({ LUET_PUSH: 'false' }), [0, '']);
});

test('--fatal makes a command fail where it warns', async (t) => {
  const cwd = site(t);
  for (const words of [
    ['tree', 'validate'],
    ['tree', 'images', '--engine', 'unix:///nowhere'],
  ]) {
    assert.equal((await cli(words, { cwd })).code, 0, words.join(' '));
    assert.equal((await cli([...words, '--fatal'], { cwd })).code, 1, words.join(' '));
    assert.equal((await cli([...words, '--fatal=false'], { cwd })).code, 0, words.join(' '));
    assert.equal((await cli(words, { cwd, env: { LUET_FATAL: 'true' } })).code, 1, words.join(' '));
  }
});
