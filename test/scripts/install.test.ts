import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { has, install } from '../support/engines/install.ts';

const folder = mkdtempSync(join(tmpdir(), 'luet-ts-install-'));
const path = process.env.PATH;
const { getuid } = process;
after(() => {
  process.env.PATH = path;
  if (getuid !== undefined) process.getuid = getuid;
  rmSync(folder, { recursive: true, force: true });
});

function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

test('what is there is not installed', () => {
  assert.ok(has('sh'));
  assert.ok(!has('luet-ts-no-such-program'));
  install('sh', ['no-such-package']);
});

test('without the right to install, it says what to install and how', () => {
  process.getuid = () => 1000;
  process.env.PATH = `${folder}:${path}`;
  program('apt-get', `echo "$@" >>${folder}/log`);
  assert.throws(
    () => install('luet-ts-no-such-program', ['one', 'two']),
    /luet-ts-no-such-program is missing; install it first, as root: apt-get install one two/,
  );
  assert.ok(!existsSync(join(folder, 'log')));
});

test('as root, the packages are installed, and an apt that fails is told with what it said', () => {
  process.getuid = () => 0;
  process.env.PATH = `${folder}:${path}`;
  program('flock', 'shift; exec "$@"');
  program(
    'apt-get',
    `echo "$@" >>${folder}/log; [ "$1" = update ] || { echo no such package >&2; exit 100; }`,
  );
  assert.throws(
    () => install('luet-ts-no-such-program', ['one', 'two'], join(folder, 'state')),
    /apt-get cannot install one two:\nno such package/,
  );
  const asked = 'install -y -qq --no-install-recommends one two\n';
  assert.equal(readFileSync(join(folder, 'log'), 'utf8'), `${asked}update -qq\n${asked}`);
});
