/** sprig's URL functions, by the rules of Go's net/url. */

import { fromBytes, toBytes } from '../bytes.ts';
import { fail, fn, type GoFunction, kindOf, type Value } from '../value.ts';

type UrlPart = 'path' | 'user' | 'host' | 'zone' | 'fragment';

/** Characters that each part keeps unescaped, besides letters, digits and `-_.~`. */
const KEPT: Readonly<Record<UrlPart, string>> = {
  path: '$&+,/:;=@',
  user: '$&+,;=',
  host: '!$&\'()*+,;=:[]<>"',
  zone: '!$&\'()*+,;=:[]<>"',
  fragment: '$&+,/:;=?@!()*',
};

function escapePart(text: string, part: UrlPart): string {
  return Array.from(toBytes(text), (byte) => {
    const c = String.fromCharCode(byte);
    return /[A-Za-z0-9_.~-]/.test(c) || (byte < 0x80 && KEPT[part].includes(c))
      ? c
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}

function unescapePart(text: string, part: UrlPart): string {
  const wrong = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text);
  if (wrong !== null) fail(`invalid URL escape ${JSON.stringify(wrong[0])}`);
  if (part === 'host') {
    // In a host, only non-ASCII bytes can be escaped.
    const plain = /%(?!25)[0-7][0-9a-fA-F]/.exec(text);
    if (plain !== null) fail(`URL escape ${plain[0]} is not allowed in a host`);
    for (const c of text) {
      if (c.charCodeAt(0) < 0x80 && c !== '%' && !/[A-Za-z0-9_.~-]/.test(c) && !KEPT.host.includes(c)) {
        fail(`character ${JSON.stringify(c)} is not allowed in the host of a URL`);
      }
    }
  }
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  const source = toBytes(text);
  for (let i = 0; i < source.length; i++) {
    const byte = source[i] ?? 0;
    if (byte === 0x25) {
      bytes.push(Number.parseInt(source.toString('latin1', i + 1, i + 3), 16));
      i += 2;
    } else bytes.push(byte);
  }
  return fromBytes(Uint8Array.from(bytes));
}

interface Url {
  scheme: string;
  opaque: string;
  user: string;
  host: string;
  path: string;
  rawPath: string;
  query: string;
  forceQuery: boolean;
  fragment: string;
}

/** Unescapes `user` or `user:password` and escapes it again. */
function userInfo(text: string): string {
  if (!/^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/.test(text))
    fail('the user of a URL contains a character that must be escaped');
  const colon = text.indexOf(':');
  const parts = colon < 0 ? [text] : [text.slice(0, colon), text.slice(colon + 1)];
  return parts.map((part) => escapePart(unescapePart(part, 'user'), 'user')).join(':');
}

function hostOf(text: string): string {
  if (text.startsWith('[')) {
    const close = text.lastIndexOf(']');
    if (close < 0) fail('the host of the URL lacks a "]"');
    checkPort(text.slice(close + 1));
    const zone = text.slice(0, close).indexOf('%25');
    if (zone >= 0) {
      return (
        unescapePart(text.slice(0, zone), 'host') +
        unescapePart(text.slice(zone, close), 'zone') +
        unescapePart(text.slice(close), 'host')
      );
    }
  } else {
    const colon = text.lastIndexOf(':');
    if (colon >= 0) checkPort(text.slice(colon));
  }
  return unescapePart(text, 'host');
}

function checkPort(text: string): void {
  if (text !== '' && !/^:[0-9]*$/.test(text)) fail(`invalid port ${JSON.stringify(text)} in a URL`);
}

function parse(text: string): Url {
  if (/[\x00-\x1f\x7f]/.test(text)) fail('a URL cannot contain control characters');
  const url: Url = {
    scheme: '',
    opaque: '',
    user: '',
    host: '',
    path: '',
    rawPath: '',
    query: '',
    forceQuery: false,
    fragment: '',
  };
  const hash = text.indexOf('#');
  let rest = hash < 0 ? text : text.slice(0, hash);
  if (hash >= 0) url.fragment = unescapePart(text.slice(hash + 1), 'fragment');
  if (rest === '*') {
    url.path = '*';
    return url;
  }
  if (rest.startsWith(':')) fail('the URL begins with ":", so its scheme is missing');
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(rest)?.[1];
  if (scheme !== undefined) {
    url.scheme = scheme.toLowerCase();
    rest = rest.slice(scheme.length + 1);
  }
  const question = rest.indexOf('?');
  if (question >= 0) {
    url.query = rest.slice(question + 1);
    url.forceQuery = question === rest.length - 1;
    rest = rest.slice(0, question);
  }
  if (!rest.startsWith('/')) {
    if (url.scheme !== '') {
      url.opaque = rest;
      return url;
    }
    if (rest.split('/', 1)[0]?.includes(':')) fail('the first part of a relative URL cannot have a ":"');
  }
  if ((url.scheme !== '' || !rest.startsWith('///')) && rest.startsWith('//')) {
    const slash = rest.indexOf('/', 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    rest = slash < 0 ? '' : rest.slice(slash);
    const at = authority.lastIndexOf('@');
    url.host = hostOf(authority.slice(at + 1));
    if (at >= 0) url.user = userInfo(authority.slice(0, at));
  }
  url.path = unescapePart(rest, 'path');
  url.rawPath = rest;
  return url;
}

/** The host without port and without the brackets of an IPv6 address. */
function hostName(host: string): string {
  const plain = /:[0-9]*$/.test(host) ? host.slice(0, host.lastIndexOf(':')) : host;
  return plain.startsWith('[') && plain.endsWith(']') ? plain.slice(1, -1) : plain;
}

function parseUrl(text: string): Map<string, Value> {
  const url = parse(text);
  return new Map([
    ['scheme', url.scheme],
    ['host', url.host],
    ['hostname', hostName(url.host)],
    ['path', url.path],
    ['query', url.query],
    ['opaque', url.opaque],
    ['fragment', url.fragment],
    ['userinfo', url.user],
  ]);
}

function joinUrl(parts: Map<string, Value>): string {
  const part = (name: string): string => {
    if (!parts.has(name)) return '';
    const value = parts.get(name);
    return typeof value === 'string'
      ? value
      : fail(`the ${name} of a URL must be a string, got ${kindOf(value)}`);
  };
  const scheme = part('scheme');
  const host = part('host');
  const path = part('path');
  const query = part('query');
  const opaque = part('opaque');
  const fragment = part('fragment');
  const given = part('userinfo');
  const user = given === '' ? '' : userPart(given);
  let result = scheme === '' ? '' : `${scheme}:`;
  if (opaque !== '') result += opaque;
  else {
    if (scheme !== '' || host !== '' || given !== '') {
      if (host !== '' || path !== '' || given !== '') result += '//';
      if (given !== '') result += `${user}@`;
      if (host !== '') result += escapePart(host, 'host');
    }
    const escaped = path === '*' ? '*' : escapePart(path, 'path');
    if (escaped !== '' && !escaped.startsWith('/') && host !== '') result += '/';
    // Otherwise a relative path with a colon in its first part would be read as a scheme.
    if (result === '' && escaped.split('/', 1)[0]?.includes(':')) result += './';
    result += escaped;
  }
  if (query !== '') result += `?${query}`;
  return fragment === '' ? result : `${result}#${escapePart(fragment, 'fragment')}`;
}

/** The user of a new URL, parsed as if it were part of a URL. */
function userPart(text: string): string {
  return parse(`proto://${text}@host`).user;
}

export const urlFunctions: Readonly<Record<string, GoFunction>> = {
  urlParse: fn(['string'], parseUrl),
  urlJoin: fn(['map'], joinUrl),
};
