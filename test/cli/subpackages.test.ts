import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { cli } from '../support/cli.ts';
import { definition, folder, forms } from '../tree/support.ts';

/** A library from which a package of headers and one of documents are cut; a template makes the version of the second. */
const files = {
  't/base/definition.yaml': definition('seed/base-1'),
  't/base/build.yaml': 'image: nowhere/none:1\n',
  't/zlib/definition.yaml': definition('libs/zlib-1.3'),
  't/zlib/build.yaml': `${forms('requires', 'seed/base')}steps: [make]
subpackages:
- name: zlib-dev # headers
  category: libs
  version: "1.3"
  description: Headers
${forms('requires', 'libs/zlib').replace(/^/gm, '  ').trimEnd()}
  includes: [^/usr/include]
- {name: zlib-doc, category: libs, version: '1.3', includes: [^/usr/share]}
`,
  't/png/definition.yaml': definition('libs/png-1.6', forms('requires', 'libs/zlib')),
  't/png/build.yaml': `${forms('requires', 'libs/zlib')}steps: [make]
subpackages:
- {name: png-dev, category: libs, version: {{ .Values.version }}, includes: [^/usr/include],
   requires: [{name: zlib-dev, category: libs, version: ">=1"}]}
`,
  't/sdk/definition.yaml': definition('apps/sdk-2', forms('requires', 'libs/png-dev')),
  't/final/definition.yaml': definition('apps/final-1'),
  't/final/build.yaml': `requires_final_images: true\n${forms('requires', 'apps/kit')}unpack: true\n`,
  't/kit/definition.yaml': definition('apps/kit-1', forms('requires', 'libs/zlib-doc')),
  't/kit/build.yaml': `${forms('requires', 'seed/base')}steps: [make]\n`,
};

async function run(t: TestContext, words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const cwd = folder(t, { ...files, ...more });
  return { cwd, ...(await cli(words, { cwd })) };
}

/** Runs a command that succeeds and says nothing to standard error. */
async function lines(t: TestContext, ...words: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await run(t, words);
  assert.deepEqual([code, stderr], [0, ''], words.join(' '));
  return stdout.split('\n').slice(0, -1);
}

test('pkglist lists subpackages at run time, as Luet does, and none at build time', async (t) => {
  const list = (...words: string[]) => lines(t, 'tree', 'pkglist', '-t', 't', '-v', ...words);
  const built = ['apps/final-1', 'apps/kit-1', 'libs/png-1.6', 'libs/zlib-1.3', 'seed/base-1'];
  const cut = ['libs/png-dev-1.6', 'libs/zlib-dev-1.3', 'libs/zlib-doc-1.3'];
  assert.deepEqual(await list('-b'), built);
  assert.deepEqual([...(await list())].sort(), ['apps/sdk-2', ...built, ...cut].sort());
  assert.deepEqual(await list('--runtime', '-m', 'zlib-'), [
    'libs/zlib-1.3',
    'libs/zlib-dev-1.3',
    'libs/zlib-doc-1.3',
  ]);
  const { stdout } = await run(t, ['tree', 'pkglist', '-t', 't', '-m', 'libs/zlib-dev$', '-o', 'json']);
  assert.deepEqual(JSON.parse(stdout).packages, [
    { category: 'libs', image: '', name: 'zlib-dev', path: 't/zlib', version: '1.3' },
  ]);
  assert.deepEqual(await lines(t, 'tree', 'pkglist', '-t', 't', '-f', '-m', 'zlib-dev'), [
    'libs/zlib-dev-1.3',
    '  description: Headers',
  ]);
});

test('pkglist tells what subpackages need, and what needs them', async (t) => {
  const list = (...words: string[]) => lines(t, 'tree', 'pkglist', '-t', 't', '-v', '--runtime', ...words);
  assert.deepEqual(await list('--revdeps', '-m', 'libs/zlib-dev$'), ['apps/sdk-2', 'libs/png-dev-1.6']);
  assert.deepEqual(await list('--revdeps', '-m', 'libs/zlib$'), [
    'apps/sdk-2',
    'libs/png-1.6',
    'libs/png-dev-1.6',
    'libs/zlib-dev-1.3',
  ]);
  assert.deepEqual(await list('--deps', '-m', 'libs/png-dev$'), ['libs/zlib-1.3', 'libs/zlib-dev-1.3']);
  assert.deepEqual(await list('--deps', '-m', 'apps/sdk$'), [
    'libs/zlib-1.3',
    'libs/zlib-dev-1.3',
    'libs/png-dev-1.6',
  ]);
  // What is filled with a subpackage has to be built again when that one's package is.
  assert.deepEqual(
    await lines(t, 'tree', 'pkglist', '-t', 't', '-q', '-v', '-b', '--revdeps', '-m', 'libs/zlib$'),
    ['apps/final-1', 'libs/png-1.6'],
  );
});

test('why knows subpackages at both ends', async (t) => {
  const why = (...words: string[]) => run(t, ['tree', 'why', '-t', 't', ...words]);
  assert.equal(
    (await why('apps/sdk', 'libs/zlib-dev')).stdout,
    [
      'apps/sdk-2 needs libs/zlib-dev at run time:',
      '  apps/sdk-2',
      '    requires libs/png-dev >=0 (t/sdk/definition.yaml:5) → libs/png-dev-1.6',
      '    requires libs/zlib-dev >=1 (t/png/build.yaml:6) → libs/zlib-dev-1.3',
      '',
    ].join('\n'),
  );
  const from = await why('libs/png-dev', 'libs/zlib');
  assert.deepEqual(
    [from.code, from.stdout.split('\n')[0]],
    [0, 'libs/png-dev-1.6 needs libs/zlib at run time:'],
  );
  assert.match(
    (await why('-b', 'apps/final', 'libs/zlib')).stdout,
    /→ libs\/zlib-doc-1\.3\n {4}is cut from libs\/zlib 1\.3 \(t\/zlib\/build\.yaml:12\) → libs\/zlib-1\.3\n/,
  );
  const build = await why('-b', 'libs/zlib-dev', 'libs/zlib');
  assert.equal(build.code, 1);
  assert.match(
    build.stderr,
    /not-buildable.*libs\/zlib-dev-1\.3: a subpackage is not built by itself; it is cut from libs\/zlib-1\.3/,
  );
});

test('graph draws subpackages and what they need', async (t) => {
  const draw = async (...words: string[]) => {
    const { code, stdout } = await run(t, ['tree', 'graph', '-t', 't', '--format', 'json', ...words]);
    assert.equal(code, 0, words.join(' '));
    const data: { packages: { key: string }[]; needs: { from: string; to: string; kind: string }[] } =
      JSON.parse(stdout);
    return {
      packages: data.packages.map(({ key }) => key),
      needs: data.needs.map(({ from, to, kind }) => `${from} ${kind} ${to}`),
    };
  };
  assert.deepEqual(await draw('--runtime', 'libs/png-dev'), {
    packages: ['libs/png-dev-1.6', 'libs/zlib-1.3', 'libs/zlib-dev-1.3'],
    needs: ['libs/png-dev-1.6 requires libs/zlib-dev-1.3', 'libs/zlib-dev-1.3 requires libs/zlib-1.3'],
  });
  const whole = await draw('--runtime');
  assert.deepEqual(whole.packages.length, 9);
  assert.ok(whole.needs.includes('libs/png-dev-1.6 requires libs/zlib-dev-1.3'));
  const built = await draw();
  assert.ok(built.needs.includes('libs/zlib-doc-1.3 cut libs/zlib-1.3'), built.needs.join());
  for (const [format, arrow] of [
    ['dot', '"libs/zlib-doc-1.3" -> "libs/zlib-1.3" [arrowhead=odot, label="1.3"];'],
    ['mermaid', ' --o|"1.3"| '],
  ] as const)
    assert.ok(
      (await run(t, ['tree', 'graph', '-t', 't', '--format', format])).stdout.includes(arrow),
      format,
    );
  assert.equal((await run(t, ['tree', 'graph', '-t', 't', 'libs/zlib-dev'])).code, 1);
});

test('explain knows subpackages, and says at build time what they are cut from', async (t) => {
  const yes = await run(t, ['tree', 'explain', '-t', 't', 'libs/png-dev']);
  assert.deepEqual(
    [yes.code, yes.stdout.split('\n')[0]],
    [0, 'solution for libs/png-dev at run time, 3 packages:'],
  );
  const no = await run(t, ['tree', 'explain', '-t', 't', '-b', 'libs/png-dev']);
  assert.equal(no.code, 1);
  assert.match(
    no.stdout,
    /libs\/png-dev-1\.6 is a subpackage of libs\/png-1\.6: require libs\/png instead\n/,
  );
});

test('commands that build or show builds say what a subpackage is cut from', async (t) => {
  for (const words of [
    ['build', 'libs/zlib-dev', '--pretend'],
    ['build', 'zlib-dev@1.3', '--destination', 'never'],
    ['build', '=libs/zlib-dev-1.3', '--revdeps', '--pretend'],
    ['tree', 'render', 'libs/zlib-dev'],
    ['tree', 'images', 'libs/zlib-dev', '--engine', 'unix:///nowhere.sock'],
    ['tree', 'graph', '--buildtime', 'libs/zlib-dev'],
  ]) {
    const { code, stdout, stderr } = await run(t, [...words, '-t', 't']);
    assert.deepEqual([code, stdout], [1, ''], words.join(' '));
    assert.match(
      stderr,
      /^t\/zlib\/build\.yaml:5:3: error\[not-buildable\]: libs\/zlib-dev-1\.3: a subpackage is not built by itself; it is cut from libs\/zlib-1\.3$/m,
      words.join(' '),
    );
    assert.match(stderr, /hint: Build libs\/zlib, which writes both packages/);
  }
  // Also where a definition says more of it, as other packages may want.
  const described = { 't/dev/definition.yaml': definition('libs/zlib-dev-1.3') };
  const { code, stderr } = await run(t, ['build', 'libs/zlib-dev', '-t', 't'], described);
  assert.equal(code, 1);
  assert.match(stderr, /not-buildable.*is cut from libs\/zlib-1\.3/);
});

test('who is built on a subpackage is told what it is cut from', async (t) => {
  const more = {
    't/user/definition.yaml': definition('apps/user-1'),
    't/user/build.yaml': `${forms('requires', 'libs/zlib-dev >=1')}steps: [make]\n`,
  };
  const hint = /hint: libs\/zlib-dev-1\.3 is a subpackage of libs\/zlib-1\.3: require libs\/zlib instead/;
  for (const words of [
    ['tree', 'validate'],
    ['build', 'apps/user', '--pretend'],
  ]) {
    const { code, stdout, stderr } = await run(t, [...words, '-t', 't'], more);
    assert.equal(code, 1, words.join(' '));
    assert.match(stdout + stderr, /user\/build\.yaml:2.*missing-requirement/, words.join(' '));
    assert.match(stdout + stderr, hint, words.join(' '));
  }
});

test('validate finds what is wrong with what subpackages require', async (t) => {
  const broken = (text: string) => ({
    't/zlib/build.yaml': files['t/zlib/build.yaml'].replace('libs", version: ">=0"}\n  incl', text),
  });
  assert.equal((await run(t, ['tree', 'validate', 't'])).code, 0);
  const missing = await run(t, ['tree', 'validate', 't'], broken('libs", version: ">=9"}\n  incl'));
  assert.equal(missing.code, 1);
  assert.match(
    missing.stdout,
    /^t\/zlib\/build\.yaml:10:5: error\[missing-requirement\]: libs\/zlib-dev-1\.3: no package satisfies libs\/zlib >=9, required at run time$/m,
  );
  for (const [expression, code] of [
    ['zlib-dev', 1],
    ['zlib$', 0],
  ] as const)
    assert.equal(
      (await run(t, ['tree', 'validate', 't', '-m', expression], broken('libs", version: ">=9"}\n  incl')))
        .code,
      code,
      expression,
    );
  const unsolvable = {
    't/old/definition.yaml': definition('libs/old-1', forms('conflicts', 'libs/zlib')),
    't/zlib/build.yaml': files['t/zlib/build.yaml'].replace(
      '  includes: [^/usr/include]',
      '  - {name: old, category: libs}\n$&',
    ),
  };
  const solved = await run(t, ['tree', 'validate', '-s', 't', '-m', 'zlib-dev'], unsolvable);
  assert.match(solved.stdout, /zlib\/build\.yaml.*libs\/zlib-dev-1\.3/);
  assert.equal(solved.code, 1);
});

const build = (cwd: string) => readFileSync(join(cwd, 't/zlib/build.yaml'), 'utf8');

test('bump gives subpackages their next version where it stands', async (t) => {
  const bumped = await run(t, ['tree', 'bump', '-t', 't', 'libs/zlib-dev', 'libs/zlib-doc']);
  assert.deepEqual([bumped.code, bumped.stderr], [0, '']);
  assert.equal(
    bumped.stdout,
    'libs/zlib-dev-1.3 → 1.3+1 (t/zlib/build.yaml)\nlibs/zlib-doc-1.3 → 1.3+1 (t/zlib/build.yaml)\n',
  );
  assert.equal(
    build(bumped.cwd),
    files['t/zlib/build.yaml'].replace('version: "1.3"', 'version: "1.3+1"').replace("'1.3'", "'1.3+1'"),
  );
  const given = await run(t, ['tree', 'bump', '-t', 't', 'libs/zlib-doc', '-p', '2', '--dry-run']);
  assert.match(given.stdout, /^-.*version: '1\.3'.*\n\+.*version: '2',/m);
  assert.equal(build(given.cwd), files['t/zlib/build.yaml']);
  const taken = await run(t, ['tree', 'bump', '-t', 't', 'libs/zlib-doc@1.3'], {
    't/doc/definition.yaml': definition('libs/zlib-doc-1.3+1'),
  });
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /duplicate-package.*libs\/zlib-doc-1\.3\+1 already exists/);
});

test('bump says which subpackages keep their version, and which follow', async (t) => {
  const kept = await run(t, ['tree', 'bump', '-t', 't', 'libs/zlib']);
  assert.deepEqual([kept.code, kept.stdout], [0, 'libs/zlib-1.3 → 1.3+1 (t/zlib/definition.yaml)\n']);
  assert.match(
    kept.stderr,
    /warning\[version-kept\]: libs\/zlib-dev-1\.3: it keeps its version, but libs\/zlib-1\.3/,
  );
  const both = await run(t, ['tree', 'bump', '-t', 't', 'libs/png']);
  assert.deepEqual([both.code, both.stderr], [0, '']);
  assert.equal(
    both.stdout,
    'libs/png-1.6 → 1.6+1 (t/png/definition.yaml)\nlibs/png-dev-1.6 → 1.6+1 (with libs/png-1.6, which it is cut from)\n',
  );
  const alone = await run(t, ['tree', 'bump', '-t', 't', 'libs/png-dev']);
  assert.equal(alone.code, 1);
  assert.match(
    alone.stderr,
    /version-not-plain.*its version is computed from that of libs\/png, which it is cut from/,
  );
  const literal = files['t/png/build.yaml'].replace('{{ .Values.version }}', '"7"');
  const template = await run(t, ['tree', 'bump', '-t', 't', 'libs/png-dev'], {
    't/png/build.yaml': `{{/* */}}${literal}`,
  });
  assert.equal(template.code, 1);
  assert.match(
    template.stderr,
    /version-not-plain.*is a template; versions of subpackages cannot be edited in templates/,
  );
});

test('bump --revdeps counts a rebuild of subpackages, and of what depends on them', async (t) => {
  const all = await run(t, ['tree', 'bump', '-t', 't', 'libs/zlib', '--revdeps']);
  assert.deepEqual([all.code, all.stderr], [0, '']);
  assert.deepEqual(
    all.stdout
      .split('\n')
      .slice(0, -1)
      .map((row) => row.split(' ')[0])
      .sort(),
    [
      'apps/final-1',
      'apps/kit-1',
      'apps/sdk-2',
      'libs/png-1.6',
      'libs/png-dev-1.6',
      'libs/zlib-1.3',
      'libs/zlib-dev-1.3',
      'libs/zlib-doc-1.3',
    ],
  );
  // Whoever has the version of the package that it is cut from takes that along.
  const one = await run(t, ['tree', 'bump', '-t', 't', 'libs/zlib-dev', '--revdeps', '--runtime']);
  assert.deepEqual(
    one.stdout
      .split('\n')
      .slice(0, -1)
      .map((row) => row.split(' ')[0])
      .sort(),
    ['apps/sdk-2', 'libs/png-1.6', 'libs/png-dev-1.6', 'libs/zlib-dev-1.3'],
  );
});

test('a version that other text of a build spec shares is not changed', async (t) => {
  const shared = files['t/zlib/build.yaml']
    .replace('version: "1.3"', 'version: &v "1.3"')
    .replace('[make]', '[*v]');
  // An alias has to stand behind its anchor.
  const [head = '', list = ''] = shared.split('subpackages:');
  const [requires = '', steps = ''] = head.split('steps:');
  const text = `${requires}subpackages:${list}steps:${steps}`;
  const { code, stderr } = await run(t, ['tree', 'bump', '-t', 't', 'libs/zlib-dev'], {
    't/zlib/build.yaml': text,
  });
  assert.equal(code, 1);
  assert.match(stderr, /shared-version/);
});

test('subpackages that may be missing are an error in answers about run time, and in no others', async (t) => {
  const texts = [
    files['t/zlib/build.yaml'].replace('steps: [make]', 'steps: [make'),
    files['t/zlib/build.yaml'].replace('subpackages:', 'subpackage:'),
    files['t/zlib/build.yaml'].replace('- name: zlib-dev # headers', '- name:'),
    files['t/zlib/build.yaml'].replace('- {name: zlib-doc,', '- zlib-doc\n- {name: other,'),
    `{{ fail "no" }}\n${files['t/zlib/build.yaml']}`,
    '- subpackages',
    'subpackages: {name: zlib-dev}\n',
    '{{ include "all of it" . }}\n',
  ];
  for (const text of texts) {
    const more = { 't/zlib/build.yaml': text };
    const code = async (...words: string[]) => (await run(t, [...words, '-t', 't'], more)).code;
    const listed = await run(t, ['tree', 'pkglist', '-t', 't', '-v'], more);
    assert.equal(listed.code, 1, text);
    assert.match(listed.stderr, /t\/zlib\/build\.yaml:\d+/, text);
    assert.match(listed.stdout, /^libs\/zlib-1\.3$/m, text);
    assert.equal(await code('tree', 'pkglist', '--revdeps', '-m', 'seed/base'), 1, text);
    assert.equal(await code('tree', 'graph', '--runtime'), 1, text);
    assert.equal(await code('tree', 'pkglist', '-b'), 0, text);
    assert.equal(await code('tree', 'validate', '--only-runtime'), 1, text);
    const sought = await run(t, ['tree', 'why', '-t', 't', 'libs/zlib-gone', 'libs/zlib'], more);
    assert.deepEqual([sought.code, /t\/zlib\/build\.yaml:\d+/.test(sought.stderr)], [1, true], text);
  }
  // What surely has none hides none.
  const none = { 't/base/build.yaml': 'image: nowhere/none:1\nsteps: [make\n' };
  assert.equal((await run(t, ['tree', 'pkglist', '-t', 't'], none)).code, 0);
});

test('what a subpackage is cut from is said where a question about one of the two has no answer', async (t) => {
  const words = ['tree', 'why', '-t', 't', 'apps/sdk'];
  const runtime = await run(t, [...words, 'libs/png']);
  assert.equal(runtime.code, 1);
  assert.match(runtime.stdout, /^ {2}but it needs libs\/png-dev-1\.6, which is cut from libs\/png-1\.6$/m);
  const built = await run(t, ['tree', 'why', '-t', 't', '-b', 'libs/png', 'libs/zlib-dev']);
  assert.match(built.stdout, /^ {2}but libs\/zlib-dev-1\.3 is cut from libs\/zlib-1\.3, which it needs$/m);

  const list = (...more: string[]) => run(t, ['tree', 'pkglist', '-t', 't', '-b', ...more]);
  const asked = await list('--revdeps', '-m', '^libs/zlib-dev');
  assert.deepEqual([asked.code, asked.stdout], [0, 'apps/final\nlibs/png\n']);
  assert.equal(
    asked.stderr,
    'note: libs/zlib-dev-1.3 is cut from libs/zlib-1.3, which is what the list is about\n',
  );
  const owner = await list('--revdeps', '-m', '^libs/png-1');
  assert.equal(owner.stderr, 'note: libs/png-dev-1.6 is cut from libs/png-1.6, and changes with it\n');
  const plain = await list('-m', 'zlib-doc');
  assert.deepEqual(
    [plain.stdout, plain.stderr],
    ['', 'note: libs/zlib-doc-1.3 is cut from libs/zlib-1.3, which can be built\n'],
  );
});
