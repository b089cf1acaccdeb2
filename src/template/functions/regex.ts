/** sprig's regular expression functions, with RE2 syntax. */

import { createRequire } from 'node:module';
import type { Matcher, RE2JS } from 're2js';
import { withKnownProperties } from '../../expression/index.ts';
import { Failure, fail, fn, type GoFunction, strings, TypedList } from '../value.ts';
import { textWork, work } from '../work.ts';

/** Number of compiled expressions to cache: a tree uses few expressions, but each many times. */
const KEPT = 256;
const cache = new Map<string, RE2JS>();
let library: typeof import('re2js') | undefined;

/** Loads the library at first use, because most trees use no regular expressions. */
function loaded(): typeof import('re2js') {
  library ??= createRequire(import.meta.url)('re2js') as typeof import('re2js');
  return library;
}

/** Removes later uses of a group name: Go lets groups share a name, but the library does not. */
function withUniqueNames(pattern: string): string {
  const seen = new Set<string>();
  return pattern.replace(
    /\\.|\[(?:[^\]\\]|\\.)*\]|\(\?P?<([A-Za-z0-9_]+)>/gs,
    (whole, name: string | undefined) => {
      if (name === undefined || !seen.has(name)) {
        if (name !== undefined) seen.add(name);
        return whole;
      }
      return '(';
    },
  );
}

/** Compiles an expression. Fails if RE2 would reject it. */
function compile(pattern: string): RE2JS {
  const known = cache.get(pattern);
  if (known !== undefined) return known;
  // The library accepts lookaround, but RE2 does not.
  if (/\(\?(?:[=!]|<[=!])/.test(pattern.replace(/\\./g, '').replace(/\[(?:[^\]\\]|\\.)*\]/g, ''))) {
    fail(`regular expression ${JSON.stringify(pattern)} uses lookaround, which RE2 does not support`);
  }
  const named = withKnownProperties(pattern);
  if ('error' in named)
    fail(
      `the expression ${JSON.stringify(pattern)} is no regular expression: error parsing regexp: ${named.error}`,
    );
  try {
    const compiled = loaded().RE2JS.compile(withUniqueNames(named.text));
    if (cache.size >= KEPT) cache.clear();
    cache.set(pattern, compiled);
    return compiled;
  } catch (error) {
    if (!(error instanceof loaded().RE2JSException)) throw error;
    fail(`invalid regular expression ${JSON.stringify(pattern)}: ${error.message}`);
  }
}

/** Prepares matching. Its cost in steps grows with the expression and the text. */
function matcherOf(pattern: string, text: string): Matcher {
  const compiled = compile(pattern);
  work(textWork(text.length * compiled.programSize()));
  return compiled.matcher(text);
}

/** Width in UTF-16 units of the character at `at`: 2 for characters beyond U+FFFF, otherwise 1. */
const width = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);

/**
 * All matches in the order in which Go finds them. An empty match directly after another match is skipped.
 */
function* matches(pattern: string, text: string): Generator<Matcher> {
  const matcher = matcherOf(pattern, text);
  let at = 0;
  let before = -1;
  while (at <= text.length && matcher.find(at)) {
    work(1);
    const start = matcher.start();
    const end = matcher.end();
    const accepted = end > start || start !== before;
    if (end > at) at = end;
    else at += width(text, at);
    before = end;
    if (accepted) yield matcher;
  }
}

function findAll(pattern: string, text: string, count: bigint): TypedList {
  const found: string[] = [];
  if (count !== 0n) {
    for (const match of matches(pattern, text)) {
      found.push(match.group() ?? '');
      if (BigInt(found.length) === count) break;
    }
  } else compile(pattern);
  return found.length === 0 ? new TypedList('string', [], true) : strings(found);
}

function find(pattern: string, text: string): string {
  const matcher = matcherOf(pattern, text);
  return matcher.find() ? (matcher.group() ?? '') : '';
}

function split(pattern: string, text: string, count: bigint): TypedList {
  if (count === 0n) {
    compile(pattern);
    return new TypedList('string', [], true);
  }
  if (pattern !== '' && text === '') {
    compile(pattern);
    return strings(['']);
  }
  const parts: string[] = [];
  let from = 0;
  let end = 0;
  let seen = 0n;
  for (const match of matches(pattern, text)) {
    if (count > 0n && (BigInt(parts.length) === count - 1n || seen === count)) break;
    seen++;
    end = match.start();
    if (match.end() !== 0) parts.push(text.slice(from, end));
    from = match.end();
  }
  if (end !== text.length) parts.push(text.slice(from));
  return strings(parts);
}

/** Text of a group by number or name; empty if there is no such group. */
function groupText(match: Matcher, pattern: RE2JS, name: string): string {
  if (/^[0-9]+$/.test(name)) {
    const number = Number(name);
    return number <= match.groupCount() ? (match.group(number) ?? '') : '';
  }
  const number = pattern.namedGroups()[name];
  return number === undefined ? '' : (match.group(number) ?? '');
}

function replaceAll(pattern: string, text: string, by: (match: Matcher) => string): string {
  const matcher = matcherOf(pattern, text);
  let result = '';
  let copied = 0;
  let at = 0;
  while (at <= text.length && matcher.find(at)) {
    work(1);
    const start = matcher.start();
    const end = matcher.end();
    result += text.slice(copied, start);
    if (end > copied || start === 0) result += by(matcher);
    copied = end;
    at = Math.max(end, at + (at < text.length ? width(text, at) : 1));
  }
  return result + text.slice(copied);
}

function replaceExpanding(pattern: string, text: string, by: string): string {
  const compiled = compile(pattern);
  return replaceAll(pattern, text, (match) =>
    by.replace(
      /\$(?:(\$)|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
      (_whole, dollar: string | undefined, braced: string | undefined, bare: string | undefined) =>
        dollar ?? groupText(match, compiled, braced ?? bare ?? ''),
    ),
  );
}

const match = (pattern: string, text: string): boolean => matcherOf(pattern, text).find();

/** Only `regexMatch` accepts an invalid expression: it matches nothing. */
function forgivingMatch(pattern: string, text: string): boolean {
  try {
    return match(pattern, text);
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

const finding = fn(['string', 'string'], find);
const findingAll = fn(['string', 'string', 'int'], findAll);
const replacing = fn(['string', 'string', 'string'], replaceExpanding);
const literal = fn(['string', 'string', 'string'], (pattern, text, by) =>
  replaceAll(pattern, text, () => by),
);
const splitting = fn(['string', 'string', 'int'], split);

export const regexFunctions: Readonly<Record<string, GoFunction>> = {
  regexMatch: fn(['string', 'string'], forgivingMatch),
  mustRegexMatch: fn(['string', 'string'], match),
  regexFind: finding,
  mustRegexFind: finding,
  regexFindAll: findingAll,
  mustRegexFindAll: findingAll,
  regexReplaceAll: replacing,
  mustRegexReplaceAll: replacing,
  regexReplaceAllLiteral: literal,
  mustRegexReplaceAllLiteral: literal,
  regexSplit: splitting,
  mustRegexSplit: splitting,
  regexQuoteMeta: fn(['string'], (text) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')),
};
