import assert from 'node:assert/strict';
import test from 'node:test';
import { LuetCommand } from '../../src/cli/command.ts';
import { anyNumber } from '../../src/cli/flags/arguments.ts';
import { commaList, onOrOff, refused, refusedValue, repeatable, toggle } from '../../src/cli/flags/define.ts';
import { type CliContext, type CommandTable, runCli } from '../../src/cli/index.ts';
import { Interruption } from '../../src/cli/interrupt.ts';
import { DiagnosticError } from '../../src/diagnostic/index.ts';

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type Action = (context: CliContext, args: readonly string[], options: Record<string, unknown>) => void;

/** A table with `make [things...]` and a topic `tree` with `look`; `loaded` gathers the files that were asked for. */
function table(action: Action, loaded: string[] = []): CommandTable {
  class Make extends LuetCommand<typeof Make> {
    static override description = 'Makes things, whatever they are';
    static override args = { things: anyNumber('things to make') };
    static override flags = {
      tree: commaList({ value: '<folder>', summary: 'where things are' }),
      matches: repeatable({ char: 'm', value: '<expression>', summary: 'which things' }),
      all: toggle({ char: 'a', summary: 'everything' }),
      'keep-images': onOrOff({ summary: 'keep images afterwards', default: true }),
      push: refused('push them with your engine'),
      'backend-args': refusedValue('set what the engine offers'),
    };
    static override examples = [{ command: 'luet-ts make thing', description: 'makes one' }];
    override async run(): Promise<void> {
      action(this.context, this.args.things ?? [], this.flags);
    }
  }
  class Look extends LuetCommand<typeof Look> {
    override async run(): Promise<void> {
      action(this.context, [], this.flags);
    }
  }
  const load = async <T>(name: string, Class: T) => {
    loaded.push(name);
    return { default: Class };
  };
  return {
    topics: { tree: 'Looks at trees' },
    commands: {
      make: { summary: 'Makes things', load: () => load('make', Make) },
      'tree:look': { summary: 'Looks', load: () => load('tree look', Look) },
    },
  };
}

async function run(
  words: readonly string[],
  action: Action = () => {},
  more: {
    env?: Record<string, string>;
    signal?: AbortSignal;
    loaded?: string[];
    tty?: boolean;
    columns?: number;
  } = {},
): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(words, table(action, more.loaded), {
    stdout: {
      write: (text) => out.push(String(text)) > 0,
      isTTY: more.tty ?? false,
      ...(more.columns === undefined ? {} : { columns: more.columns }),
    },
    stderr: { write: (text) => err.push(String(text)) > 0, isTTY: more.tty ?? false },
    stdin: process.stdin,
    env: more.env ?? {},
    cwd: import.meta.dirname,
    home: '/home/someone',
    signal: more.signal ?? new AbortController().signal,
  });
  return { code, out: out.join(''), err: err.join('') };
}

test('a command runs with its arguments and ends with 0, or with the code that it sets', async () => {
  const seen: unknown[] = [];
  const done = await run(['make', 'a', '--tree', 'x,y', 'b', '--tree=z'], (_, args, options) => {
    seen.push(args, options.tree, options.all, options.keepImages);
  });
  assert.deepEqual(done, { code: 0, out: '', err: '' });
  assert.deepEqual(seen, [['a', 'b'], ['x', 'y', 'z'], undefined, true]);
  assert.equal((await run(['make'], (context) => context.setExitCode(1))).code, 1);
});

test('only the file of the chosen command is loaded', async () => {
  for (const [words, files] of [
    [['make', 'tree'], ['make']],
    [['--debug', 'tree', 'look'], ['tree look']],
    [['make', '--help'], ['make']],
    [['make', '--nonsense', '--help'], ['make']],
    [['help', 'make'], ['make']],
    [['--help'], []],
    [['tree', '--help'], []],
    [['--version'], []],
  ] as const) {
    const loaded: string[] = [];
    assert.equal((await run(words, () => {}, { loaded })).code, 0, words.join(' '));
    assert.deepEqual([...new Set(loaded)], files, words.join(' '));
  }
});

test('help lists the commands and explains the flags of one', async () => {
  const top = await run(['--help']);
  assert.match(top.out, /make +Makes things$/m);
  assert.match(top.out, /tree +Looks at trees$/m);
  assert.match(top.out, /EXAMPLES/);
  const make = await run(['make', '--help']);
  assert.match(make.out, /whatever they are/);
  assert.match(make.out, /-a, --all +everything/);
  assert.match(make.out, /--\[no-\]keep-images +keep images/);
  assert.match(make.out, /--\[no-\]spinner/);
  assert.match(make.out, /luet-ts make thing +makes one/);
  assert.doesNotMatch(make.out, /push/);
});

test('help fits the terminal, and is readable where that has no size', async () => {
  const wide = await run(['make', '--help'], () => {}, { columns: 0 });
  assert.match(wide.out, /^ {2}\$ luet-ts make \[THINGS\.\.\.\] \[FLAGS\]$/m);
  const narrow = await run(['make', '--help'], () => {}, { columns: 60 });
  for (const line of narrow.out.split('\n')) assert.ok(line.length <= 60, line);
});

test('a wrong command line ends with 2 and says what was meant', async () => {
  for (const [words, message] of [
    [['mak'], /unknown command 'mak'[\s\S]*make/],
    [['make', '--al'], /unknown option '--al'[\s\S]*--all/],
    [['tree', 'lok'], /unknown command 'tree lok'[\s\S]*look/],
    [['mkae'], /unknown command 'mkae'\n\(Did you mean make\?\)/],
    [['make', '-x'], /unknown option '-x'/],
    [['make', '-ax'], /unknown option '-x'/],
    [['make', '--tree'], /--tree <folder>.* argument missing/],
    [['make', '--all=perhaps'], /--all is true or false, not 'perhaps'/],
    [['make', '--push'], /--push is not supported: push them/],
    [['make', '--backend-args', 'x'], /--backend-args is not supported: set what/],
    [[], /USAGE\n {2}\$ luet-ts COMMAND/],
    [['tree'], /USAGE\n {2}\$ luet-ts tree COMMAND/],
  ] as const) {
    const { code, out, err } = await run(words);
    assert.equal(code, 2, words.join(' '));
    assert.match(err, message);
    assert.equal(out, '');
  }
});

test('words of the command line reach the terminal escaped', async () => {
  assert.match((await run(['\x1b[31mred'])).err, /\\x1b\[31mred/);
});

test("Luet's spellings of boolean flags mean what they say", async () => {
  const seen: Record<string, unknown>[] = [];
  const keep: Action = (context, _, options) => seen.push({ ...options, ...context.display });
  for (const words of [
    ['make', '--keep-images=false', '--all=true', '--debug=1'],
    ['make', '--keep-images=true', '--all=false', '--debug=F'],
    ['make', '--no-keep-images', '--no-spinner', '--live-output', '--quiet', '--emoji=false'],
  ]) {
    assert.equal((await run(words, keep)).code, 0);
  }
  const [first, second, third] = seen;
  assert.deepEqual([first?.keepImages, first?.all, first?.debug], [false, true, true]);
  assert.deepEqual([second?.keepImages, second?.all, second?.debug], [true, undefined, false]);
  assert.deepEqual([third?.keepImages, third?.spinner, third?.liveOutput], [false, false, true]);
});

test('values may look like flags, and the last one counts where one is taken', async () => {
  const seen: unknown[] = [];
  const keep: Action = (_, args, options) => seen.push([args, options.matches, options.tree, options.all]);
  for (const words of [
    ['make', '-m', '-dev', '-m=--all', '--matches=-a', '-m--tree', 'x'],
    ['make', '-a', 'x', '--tree', ' a ,"b"', '--no-keep-images', '--keep-images', '-a=false'],
    ['make', '--tree', 'a', 'b', 'a', 'c'],
  ])
    assert.equal((await run(words, keep)).code, 0, words.join(' '));
  assert.deepEqual(seen, [
    [['x'], ['-dev', '--all', '-a', '--tree'], undefined, undefined],
    [['x'], undefined, [' a ', '"b"'], undefined],
    [['b', 'a', 'c'], undefined, ['a'], undefined],
  ]);
});

test('words behind -- are arguments, whatever they look like', async () => {
  let seen: readonly string[] = [];
  await run(['make', '--', '--all=false', '--debug'], (_, args) => {
    seen = args;
  });
  assert.deepEqual(seen, ['--all=false', '--debug']);
});

test('colour follows the flag, then the environment, then the terminal', async () => {
  const colorOf = async (words: string[], env: Record<string, string>, tty: boolean): Promise<boolean> => {
    const seen: boolean[] = [];
    await run(['make', ...words], (context) => seen.push(context.color), { env, tty });
    return seen[0] === true;
  };
  assert.equal(await colorOf([], {}, true), true);
  assert.equal(await colorOf([], {}, false), false);
  assert.equal(await colorOf([], { TERM: 'dumb' }, true), false);
  assert.equal(await colorOf([], { NO_COLOR: '1' }, true), false);
  assert.equal(await colorOf([], { NO_COLOR: '' }, true), true);
  assert.equal(await colorOf([], { FORCE_COLOR: '1' }, false), true);
  assert.equal(await colorOf([], { FORCE_COLOR: '0' }, true), false);
  assert.equal(await colorOf(['--color'], { NO_COLOR: '1' }, false), true);
  assert.equal(await colorOf(['--color=false'], { FORCE_COLOR: '1' }, true), false);
});

test('findings are shown with their source lines and end with 1', async () => {
  const { code, out, err } = await run(['make'], () => {
    throw new DiagnosticError([
      { code: 'second', severity: 'warning', message: 'later', place: { file: 'run.test.ts', line: 2 } },
      {
        code: 'first',
        severity: 'error',
        message: 'wrong',
        place: { file: 'run.test.ts', line: 1, column: 8, endColumn: 14 },
      },
    ]);
  });
  assert.equal(code, 1);
  assert.equal(out, '');
  assert.match(
    err,
    /^run\.test\.ts:1:8: error\[first\]: wrong\n {2}1 \| import assert from.*\n {2} {2}\| {8}\^{6}\n[\s\S]*warning\[second\]: later[\s\S]*\n1 error, 1 warning\n$/,
  );
});

test('a bug shows its stack, escaped, and ends with 1', async () => {
  const { code, err } = await run(['make'], () => {
    throw new TypeError('not \x1b a function');
  });
  assert.equal(code, 1);
  assert.match(err, /TypeError: not \\x1b a function\n +at .*run\.test\.ts[\s\S]*bug in luet-ts/);
});

test('an interrupted run ends with the code of its signal and without a stack', async () => {
  const controller = new AbortController();
  const { code, err } = await run(
    ['make'],
    (context) => {
      controller.abort(new Interruption('interrupted by SIGTERM', 143));
      context.signal.throwIfAborted();
    },
    { signal: controller.signal },
  );
  assert.deepEqual([code, err], [143, '']);
});

test('each run has a name of its own', async () => {
  const names = new Set<string>();
  for (let i = 0; i < 3; i++)
    await run(['make'], (context) => names.add(context.runId) && names.add(context.runId));
  assert.equal(names.size, 3);
  for (const name of names) assert.match(name, /^[0-9a-f]{16}$/);
});
