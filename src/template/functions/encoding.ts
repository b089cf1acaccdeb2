/** Encodings: base64, base32, hashes, JSON, YAML, TOML. */

import { createRequire } from 'node:module';
import { fromBytes, toBytes } from '../bytes.ts';
import { fromJson, type JsonStyle, toJson } from '../json.ts';
import { TomlFailure, toToml } from '../toml.ts';
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

/** A base-N encoding: bits per letter, and letters per group. */
interface BaseEncoding {
  readonly name: string;
  readonly alphabet: string;
  readonly bits: number;
  readonly group: number;
}

const BASE64: BaseEncoding = {
  name: 'base64',
  alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
  bits: 6,
  group: 4,
};
const BASE32: BaseEncoding = {
  name: 'base32',
  alphabet: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  bits: 5,
  group: 8,
};

function encode(text: string, { alphabet, bits, group }: BaseEncoding): string {
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

/** Byte offset of the first error in base64 text, or undefined if it is valid. Line breaks are ignored. */
function faultIn64(bytes: Uint8Array): number | undefined {
  const places = [...bytes.keys()].filter((i) => bytes[i] !== 0x0a && bytes[i] !== 0x0d);
  const at = (i: number): string => String.fromCharCode(bytes[places[i] ?? -1] ?? 0);
  for (let i = 0; i < places.length; i++) {
    if (BASE64.alphabet.includes(at(i))) continue;
    if (at(i) !== '=' || i % 4 < 2) return places[i];
    if (i % 4 === 2) {
      i++;
      if (i >= places.length) return bytes.length;
      if (at(i) !== '=') return (places[i] ?? 0) - 1;
    }
    return places[i + 1];
  }
  return places.length % 4 === 0 ? undefined : bytes.length - (places.length % 4);
}

/** Byte offset of the first error in base32 text without line breaks. Text after the padding is ignored. */
function faultIn32(bytes: Uint8Array): number | undefined {
  const all = String.fromCharCode(...bytes.filter((b) => b !== 0x0a && b !== 0x0d));
  for (let i = 0; i < all.length; i++) {
    const c = all.charAt(i);
    const inGroup = i % 8;
    const rest = all.length - i - 1;
    if (c === '=' && inGroup >= 2 && rest < 8) {
      const wanted = 7 - inGroup;
      if (rest < wanted) return all.length;
      for (let k = 0; k < wanted; k++) if (all[i + 1 + k] !== '=') return i + k;
      return [3, 6].includes(inGroup) ? i : undefined;
    }
    if (!BASE32.alphabet.includes(c)) return i;
  }
  return all.length % 8 === 0 ? undefined : all.length - (all.length % 8);
}

function decode(text: string, encoding: BaseEncoding): string {
  const bytes = toBytes(text);
  const fault = encoding === BASE64 ? faultIn64(bytes) : faultIn32(bytes);
  if (fault !== undefined) return `illegal ${encoding.name} data at input byte ${fault}`;
  const result: number[] = [];
  let held = 0;
  let count = 0;
  for (const byte of bytes) {
    if (byte === 0x3d) break;
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

/** Runs a step; if it fails, returns the result of `otherwise` for its message, as Helm's functions do. */
function caught<T>(step: () => T, otherwise: (message: string) => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return otherwise(error.message);
  }
}

const ROOT_TYPES = { map: 'map[string]interface {}', slice: '[]interface {}' } as const;

/** Checks that the root of a document is a map or list, or that the document is empty. */
function rooted(value: Value, kind: 'map' | 'slice', language: 'JSON' | 'YAML'): Value {
  if (value === null) {
    if (language === 'YAML') return kind === 'map' ? new Map() : [];
    return kind === 'map' ? nilMap() : new TypedList('interface {}', [], true);
  }
  if (kindOf(value) === kind) return value;
  const names: Partial<Record<string, string>> = {
    map: 'object',
    slice: 'array',
    float64: 'number',
    bool: 'bool',
  };
  const found = names[kindOf(value)] ?? kindOf(value);
  const how = language === 'YAML' ? 'error unmarshaling JSON: while decoding JSON: ' : '';
  fail(`${how}json: cannot unmarshal ${found} into Go value of type ${ROOT_TYPES[kind]}`);
}

function tomlOrMessage(value: Value): string {
  try {
    return toToml(value);
  } catch (error) {
    if (error instanceof TomlFailure) return error.message;
    throw error;
  }
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
  fromJson: fn(['string'], (text) => caught(() => rooted(fromJson(text), 'map', 'JSON'), errorMap)),
  fromJsonArray: fn(['string'], (text) =>
    caught(
      () => rooted(fromJson(text), 'slice', 'JSON'),
      (message) => [message],
    ),
  ),
  toYaml: fn(['any'], (value) =>
    caught(
      () => toYaml(value).replace(/\n$/, ''),
      () => '',
    ),
  ),
  fromYaml: fn(['string'], (text) => caught(() => rooted(fromYaml(text), 'map', 'YAML'), errorMap)),
  fromYamlArray: fn(['string'], (text) =>
    caught(
      () => rooted(fromYaml(text), 'slice', 'YAML'),
      (message) => [message],
    ),
  ),
  toToml: fn(['any'], tomlOrMessage),
};
