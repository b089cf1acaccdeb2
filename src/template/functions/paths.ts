/** sprig's functions for slash-separated paths. */

import { fn, type GoFunction } from '../value.ts';

/** Go's path.Clean. */
export function cleanPath(path: string): string {
  const rooted = path.startsWith('/');
  const kept: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop();
    else if (!rooted) kept.push(part);
  }
  return (rooted ? '/' : '') + kept.join('/') || '.';
}

function base(path: string): string {
  if (path === '') return '.';
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

function extension(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}

const functions = {
  base: fn(['string'], base),
  dir: fn(['string'], (path) => cleanPath(path.slice(0, path.lastIndexOf('/') + 1))),
  clean: fn(['string'], cleanPath),
  ext: fn(['string'], extension),
  isAbs: fn(['string'], (path) => path.startsWith('/')),
};

export const pathFunctions: Readonly<Record<string, GoFunction>> = {
  ...functions,
  // The same functions as above on every system, so that a tree renders the same everywhere.
  osBase: functions.base,
  osDir: functions.dir,
  osClean: functions.clean,
  osExt: functions.ext,
  osIsAbs: functions.isAbs,
};
