/** Functions between text and other forms: base64, base32, hashes, JSON, YAML, TOML. */

import { createRequire } from 'node:module';
import { fromBytes, toBytes } from '../bytes.ts';
import { fromJson, type JsonStyle, toJson } from '../json.ts';
import { toToml } from '../toml.ts';
import { Failure, fail, fn, type GoFunction, kindOf, nilMap, TypedList, type Value } from '../value.ts';
import { fromYaml, toYaml } from '../yaml.ts';

const require = createRequire(import.meta.url);

function hash(algorithm: string): GoFunction {
  return fn(['string'], (text) => {
    const crypto = require('node:crypto') as typeof import('node:crypto');
    return crypto.createHash(algorithm).update(toBytes(text)).digest('hex');
  });
}

function adler32(text: string): string {
  let a = 1;
  let b = 0;
  for (const byte of toBytes(text)) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return String(b * 65536 + a);
}

/** How bytes are written with a small alphabet: bits a letter, and letters a group. */
interface Encoding {
  readonly name: string;
  readonly alphabet: string;
  readonly bits: number;
  readonly group: number;
  /** Numbers of letters that the last group may have. */
  readonly lengths: readonly number[];
}

const BASE64: Encoding = {
  name: 'base64',
  alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  bits: 6,
  group: 4,
  lengths: [0, 2, 3, 4],
};
const BASE32: Encoding = {
  name: 'base32',
  alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  bits: 5,
  group: 8,
  lengths: [0, 2, 4, 5, 7, 8],
};

function encode(text: string, { alphabet, bits, group }: Encoding): string {
  let result = '';
  let held = 0;
  let count = 0;
  for (const byte of toBytes(text)) {
    held = (held << 8) | byte;
    count += 8;
    while (count >= bits) {
      count -= bits;
      result += alphabet[(held >> count) & ((1 << bits) - 1)];
    }
    held &= (1 << count) - 1;
  }
  if (count > 0) result += alphabet[(held << (bits - count)) & ((1 << bits) - 1)];
  return result.padEnd(Math.ceil(result.length / group) * group, '=');
}

/** Where the first fault is, in bytes of the text; undefined where there is none. Line breaks mean nothing. */
function faultIn(bytes: Uint8Array, { alphabet, group, lengths, name }: Encoding): number | undefined {
  const places = [...bytes.keys()].filter((i) => bytes[i] !== 0x0a && bytes[i] !== 0x0d);
  const at = (i: number): string => String.fromCharCode(bytes[places[i] ?? -1] ?? 0);
  const is32 = name === 'base32';
  for (let i = 0; i < places.length; i++) {
    if (alphabet.includes(at(i))) continue;
    const inGroup = i % group;
    if (at(i) !== '=' || !lengths.includes(inGroup) || inGroup === 0) return is32 ? i : places[i];
    for (let j = i + 1; j < i - inGroup + group; j++) {
      if (j >= places.length) return is32 ? places.length : bytes.length;
      if (at(j) !== '=') return is32 ? j : places[j];
    }
    const behind = i - inGroup + group;
    return behind < places.length ? (is32 ? behind : places[behind]) : undefined;
  }
  if (places.length % group === 0) return undefined;
  // base64 names the start of the group that is cut off, base32 the end of the text.
  return is32 ? places.length : bytes.length - (places.length % group);
}

function decode(text: string, encoding: Encoding): string {
  const bytes = toBytes(text);
  const fault = faultIn(bytes, encoding);
  if (fault !== undefined) return `illegal ${encoding.name} data at input byte ${fault}`;
  const result: number[] = [];
  let held = 0;
  let count = 0;
  for (const byte of bytes) {
    const value = encoding.alphabet.indexOf(String.fromCharCode(byte));
    if (value < 0) continue;
    held = (held << encoding.bits) | value;
    count += encoding.bits;
    if (count >= 8) {
      count -= 8;
      result.push((held >> count) & 0xff);
      held &= (1 << count) - 1;
    }
  }
  return fromBytes(Uint8Array.from(result));
}

/** Runs a step that may fail; its message is given back instead, as Helm's functions do. */
function caught<T>(step: () => T, otherwise: (message: string) => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return otherwise(error.message);
  }
}

const ROOT_TYPES = { map: 'map[string]interface {}', slice: '[]interface {}' } as const;

/** A document whose root must be a map or list, or nothing at all. */
function rooted(value: Value, kind: 'map' | 'slice', language: string): Value {
  if (value === null) return kind === 'map' ? nilMap() : new TypedList('interface {}', [], true);
  if (kindOf(value) === kind) return value;
  const names: Partial<Record<string, string>> = {
    map: 'object',
    slice: 'array',
    float64: 'number',
    bool: 'bool',
  };
  const found = names[kindOf(value)] ?? kindOf(value);
  fail(`${language}: cannot unmarshal ${found} into Go value of type ${ROOT_TYPES[kind]}`);
}

const errorMap = (message: string): Value => new Map([['Error', message]]);

const json = (style: JsonStyle, forgiving: boolean): GoFunction =>
  fn(['any'], (value) =>
    forgiving
      ? caught(
          () => toJson(value, style),
          () => '',
        )
      : toJson(value, style),
  );
const COMPACT: JsonStyle = { html: true, indent: undefined };
const PRETTY: JsonStyle = { html: true, indent: '  ' };
const RAW: JsonStyle = { html: false, indent: undefined };

export const encodingFunctions: Readonly<Record<string, GoFunction>> = {
  b64enc: fn(['string'], (text) => encode(text, BASE64)),
  b64dec: fn(['string'], (text) => decode(text, BASE64)),
  b32enc: fn(['string'], (text) => encode(text, BASE32)),
  b32dec: fn(['string'], (text) => decode(text, BASE32)),
  sha1sum: hash('sha1'),
  sha256sum: hash('sha256'),
  sha512sum: hash('sha512'),
  adler32sum: fn(['string'], adler32),
  toJson: json(COMPACT, true),
  mustToJson: json(COMPACT, false),
  toPrettyJson: json(PRETTY, true),
  mustToPrettyJson: json(PRETTY, false),
  toRawJson: json(RAW, false),
  mustToRawJson: json(RAW, false),
  mustFromJson: fn(['string'], fromJson),
  fromJson: fn(['string'], (text) => caught(() => rooted(fromJson(text), 'map', 'json'), errorMap)),
  fromJsonArray: fn(['string'], (text) =>
    caught(
      () => rooted(fromJson(text), 'slice', 'json'),
      (message) => [message],
    ),
  ),
  toYaml: fn(['any'], (value) =>
    caught(
      () => toYaml(value).replace(/\n$/, ''),
      () => '',
    ),
  ),
  fromYaml: fn(['string'], (text) => caught(() => rooted(fromYaml(text), 'map', 'json'), errorMap)),
  fromYamlArray: fn(['string'], (text) =>
    caught(
      () => rooted(fromYaml(text), 'slice', 'json'),
      (message) => [message],
    ),
  ),
  toToml: fn(['any'], (value) =>
    caught(
      () => toToml(value),
      (message) => message,
    ),
  ),
};
