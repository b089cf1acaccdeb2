import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before, describe } from 'node:test';
import type { CliAnswer } from '../support/cli.ts';
import { BASE, NATIVE_SOURCE } from '../support/engine.ts';
import { makeSite, needs, onBase, unpacked } from '../support/site.ts';

/** Everything that a shell could take for something else. */
const odd = `it's "quoted" \`not run\` $(nor this) $HOME \${PATH} \\ \\\\ \\n 'a'\\''b' é☃𝄞 \t * ? [a] ~ # ! & | ; < >\n  two lines\n`;
const long = 'x'.repeat(100_000);

const environment = [
  'A=1',
  'B=1/x:$A',
  'HOME=/root',
  'HOSTNAME=luetbuild',
  'PACKAGE_CATEGORY=t',
  'PACKAGE_NAME=env',
  'PACKAGE_VERSION=1',
  'PATH=/usr/sbin:/usr/bin:/sbin:/bin:/opt/x:/opt/x',
  'Q=two  words',
  'SOURCE_DATE_EPOCH=1704164645',
  'U=',
];
/** What shells set by themselves. */
const ofShells = '^(PWD|OLDPWD|SHLVL|_)=';

describe('what commands find', () => {
  let answer: CliAnswer;
  /** The content of a file of a package. */
  const text = async (name: string, path: string): Promise<string | undefined> =>
    (await unpacked(site.out, name)).get(path)?.text;
  const site = makeSite(
    { after },
    {
      env: {
        build: {
          ...onBase(`cat /proc/self/environ | tr "\\000" "\\n" | grep -Ev "${ofShells}" | sort >/steps`),
          prelude: [`cat /proc/self/environ | tr "\\000" "\\n" | grep -Ev "${ofShells}" | sort >/prelude`],
          env: ['A=1', 'B=$A/x:\\$A', 'Q="two  words"', 'PATH=$PATH:/opt/x', 'U=$UNSET'],
          unpack: true,
          includes: ['^/(steps|prelude)$'],
        },
      },
      place: {
        build: onBase(
          '{ id -u; id -g; umask; pwd; hostname; wc -c; } >/place',
          'rm -rf /luetbuild; echo gone',
          'pwd >/again; ls -a >>/again',
        ),
      },
      background: {
        build: onBase(
          'sleep 1000 & (setsid sh -c "trap \\"\\" HUP INT TERM; sleep 1001" &); (while :; do date >>/ticking; done &); until [ -e /ticking ]; do :; done',
          'i=0; while [ $i -lt 500 ]; do (sleep 0.05 &) ; i=$((i+1)); done; sleep 0.1; echo many zombies',
          'cat /proc/[0-9]*/comm | grep -c sleep >/left; mv /ticking /ticked',
          'sleep 0.2; ls /ticking; true',
        ),
      },
      silent: { build: onBase('exec >&- 2>&-; echo unheard; true', 'echo done >/done') },
      torrent: {
        build: onBase('dd if=/dev/zero bs=1M count=50 2>/dev/null | tr "\\000" x; echo done >/done'),
      },
      lines: { build: onBase('yes 0123456789 | head -n 20000 >&2; printf unfinished') },
      odd: { build: onBase(`cat >/odd <<'END'\n${odd}END\n`, `printf %s ${long} | wc -c >/long`) },
      strict: {
        build: onBase(
          'set -e; cd /tmp; umask 077; export LEFT=1',
          'pwd >/where; umask >>/where; echo $LEFT >>/where',
        ),
      },
    },
  );
  before(async () => {
    answer = await site.build(['--all']);
  });

  test('all of them end well', () => assert.equal(answer.code, 0, answer.stderr.slice(-5000)));
  // Where nothing may be mounted there is no /proc to read it from, and no name but the machine's.
  const isCopy = NATIVE_SOURCE === 'listing';
  test('exactly the environment that is promised', { skip: isCopy }, async () => {
    assert.deepEqual((await text('env', 'steps'))?.split('\n').slice(0, -1), environment);
  });
  test('prelude has env laid over the parent once', { skip: isCopy }, async () => {
    const expected = environment.map((pair) => pair.replace(':/opt/x:/opt/x', ':/opt/x'));
    assert.deepEqual((await text('env', 'prelude'))?.split('\n').slice(0, -1), expected);
  });
  test('root, a usual umask, the build folder, a fixed host name, no input', { skip: isCopy }, async () => {
    assert.equal(await text('place', 'place'), '0\n0\n0022\n/luetbuild\nluetbuild\n0\n');
  });
  test('the build folder, although the command before removed it', async () => {
    assert.equal(await text('place', 'again'), '/luetbuild\n.\n..\n');
  });
  test('nothing that the command before left running', async () => {
    const files = await unpacked(site.out, 'background');
    assert.equal(files.get('left')?.text, '0\n');
    assert.ok(files.has('ticked'));
    assert.ok(!files.has('ticking'));
  });
  test('nothing that the command before set', async () => {
    assert.equal(await text('strict', 'where'), '/luetbuild\n0022\n\n');
  });
  test('a command may close its outputs', async () => assert.equal(await text('silent', 'done'), 'done\n'));
  test('a command may write 50 MB without a newline', async () => {
    assert.equal(await text('torrent', 'done'), 'done\n');
  });
  test('output is shown whole, and its last line without a newline too', () => {
    assert.equal(answer.stderr.match(/^t\/lines-1 \| 0123456789$/gm)?.length, 20_000);
    assert.match(answer.stderr, /^t\/lines-1 \| unfinished$/m);
  });
  test('text that means something to shells means what it means', async () => {
    assert.equal(await text('odd', 'odd'), odd);
    assert.equal(await text('odd', 'long'), `${long.length}\n`);
  });
});

describe('commands that fail', () => {
  let answer: CliAnswer;
  const site = makeSite(
    { after },
    {
      code: {
        build: `image: ${BASE}\nsteps:\n- echo one\n- |\n  for i in $(seq 100); do echo "line $i"; done\n  exit 7\n- echo never\n`,
      },
      signal: { build: onBase('kill -KILL $$') },
      early: { build: { ...onBase('echo never'), prelude: ['echo "to stderr" >&2; false'] } },
      user: { build: { ...needs('code'), steps: ['true'] } },
      over: { build: { ...needs('user'), steps: ['true'] } },
      other: { build: onBase('echo >/other') },
    },
  );
  before(async () => {
    answer = await site.build(['--all', '--keep-going']);
  });

  test('the exit code says so', () => assert.equal(answer.code, 1));
  test('an error names file, line, command, exit code, the end of the output, and where all of it is', () => {
    const { stderr } = answer;
    assert.match(
      stderr,
      /^tree\/code\/build\.yaml:4:\d+: error\[step-failed\]: t\/code-1: steps: exit code 7: for i in/m,
    );
    const [, shown = ''] = /^tree\/code\/[^\n]*\n([\s\S]*?)^ {2}hint/m.exec(stderr) ?? [];
    assert.deepEqual(shown.match(/line \d+/g)?.length, 30);
    assert.match(shown, /^ {4}line 71$/m);
    assert.match(shown, /^ {4}line 100$/m);
    const log = /complete output: (\S+code-t-1\.log)/.exec(stderr)?.[1] ?? '';
    assert.match(
      readFileSync(log, 'utf8'),
      /==> steps: echo one\none\n==> steps: for i[\s\S]*line 1\nline 2\n/,
    );
    assert.doesNotMatch(stderr, /\| never/);
  });
  test('a signal is named', () =>
    assert.match(answer.stderr, /t\/signal-1: steps: killed by signal 9: kill -KILL/));
  test('prelude fails as steps do', () => {
    assert.match(answer.stderr, /t\/early-1: prelude: exit code 1: [\s\S]*to stderr/);
  });
  test('what needs the failed package is not built, and everything else is', () => {
    assert.match(answer.stderr, /t\/user-1: not built, because it needs t\/code-1, which failed/);
    assert.match(answer.stderr, /t\/over-1: not built, because it needs t\/code-1, which failed/);
    assert.match(answer.stderr, /t\/other-1: built in/);
    assert.match(answer.stderr, /1 built, 3 failed, 2 not built in/);
  });
  test('without --keep-going it stops', async (t) => {
    const two = makeSite(t, {
      signal: { build: onBase('kill -KILL $$') },
      slow: { build: onBase('sleep 2; echo >/slow') },
      late: { build: { ...needs('slow'), steps: ['echo >/late'] } },
      user: { build: { ...needs('signal'), steps: ['echo >/user'] } },
      top: { build: { ...needs('user', 'late'), steps: ['echo >/top'] } },
    });
    const stopped = await two.build(['--all', '--concurrency', '2']);
    assert.equal(stopped.code, 1);
    assert.match(stopped.stderr, /t\/slow-1: built in/);
    assert.match(stopped.stderr, /t\/late-1: stopped, because t\/signal-1 failed/);
    assert.match(stopped.stderr, /^stopped \(--keep-going goes on\): t\/late-1$/m);
    assert.match(stopped.stderr, /^not built, needs t\/signal-1: t\/user-1, t\/top-1$/m);
    assert.match(stopped.stderr, /1 built, 1 failed, 2 not built, 1 stopped in /);
  });
});
