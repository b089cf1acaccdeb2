/**
 * The values of templates. Go distinguishes more types than JavaScript, and templates can observe them
 * (`kindOf`, `printf "%T"`, the parameter types of functions). Types without a JavaScript equivalent are
 * wrapped in classes.
 */

/** Go's names for kinds of values. */
export type GoKind =
  | 'invalid'
  | 'bool'
  | 'int'
  | 'int32'
  | 'int64'
  | 'uint8'
  | 'uint64'
  | 'float64'
  | 'complex128'
  | 'string'
  | 'slice'
  | 'map'
  | 'struct'
  | 'ptr';

/** Kinds of wrapped integers: all except `int`, and named types of kind `int`. */
export type SizedKind = 'int' | 'int32' | 'int64' | 'uint8' | 'uint64';

/** An integer that is not Go's `int`, such as the `int64` results of sprig's arithmetic. */
export class Sized {
  readonly kind: SizedKind;
  readonly value: bigint;
  /** A named type such as `time.Duration`, with its own text form and methods. */
  readonly named: NamedType | undefined;
  constructor(kind: SizedKind, value: bigint, named?: NamedType) {
    this.kind = kind;
    this.value = value;
    this.named = named;
  }
}

/** A named Go type with a `String` method and other methods. */
export interface NamedType {
  readonly name: string;
  text(value: bigint): string;
  method(name: string, value: bigint): GoFunction | undefined;
}

/** A slice with a known element type: `[]string`, `[]int`, `[][]interface {}`, or a nil `[]interface {}`. */
export class TypedList {
  /** The element type, as written in Go. */
  readonly element: string;
  readonly items: readonly Value[];
  /** Whether it is Go's nil slice, which becomes null in JSON. */
  readonly isNil: boolean;
  constructor(element: string, items: readonly Value[], isNil = false) {
    this.element = element;
    this.items = items;
    this.isNil = isNil;
  }
}

/** Go's `map[string]string`. */
export class TextMap {
  readonly entries: Map<string, string>;
  constructor(entries: Map<string, string>) {
    this.entries = entries;
  }
}

/** A complex number. */
export class Complex {
  readonly re: number;
  readonly im: number;
  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/** A struct or pointer with methods that templates can call: a time or a semantic version. */
export abstract class GoObject {
  abstract readonly type: string;
  abstract readonly kind: 'struct' | 'ptr';
  /** The result of its `String` method. */
  abstract text(): string;
  abstract method(name: string): GoFunction | undefined;
  abstract equals(other: GoObject): boolean;
  /** Its JSON form. */
  abstract json(): Value;
}

/**
 * A template value. Go's `int` is bigint, `float64` is number, `map[string]interface {}` is Map, `[]interface
 * {}` is an array. Go strings are byte sequences; here they are JavaScript strings in which a byte that is
 * not part of valid UTF-8 is the lone surrogate U+DC00 + byte.
 */
export type Value =
  | null
  | boolean
  | string
  | bigint
  | number
  | Value[]
  | Map<string, Value>
  | Sized
  | TypedList
  | TextMap
  | Complex
  | GoObject;

/**
 * A value, or undefined if Go has no value at all (an untyped nil, which differs from an interface that
 * contains nil).
 */
export type Maybe = Value | undefined;

/** Parameter types of functions. `value` accepts anything, including a missing value. */
export interface ParamTypes {
  readonly string: string;
  readonly int: bigint;
  readonly float64: number;
  readonly bool: boolean;
  readonly any: Value;
  readonly value: Maybe;
  readonly map: Map<string, Value>;
  readonly time: GoObject;
  readonly duration: Sized;
  readonly version: GoObject;
}
export type ParamType = keyof ParamTypes;

/** The parameter types, as written in Go. */
export const paramTypeNames: Readonly<Record<ParamType, string>> = {
  string: 'string',
  int: 'int',
  float64: 'float64',
  bool: 'bool',
  any: 'interface {}',
  value: 'reflect.Value',
  map: 'map[string]interface {}',
  time: 'time.Time',
  duration: 'time.Duration',
  version: '*semver.Version',
};

/** A function that templates can call. If it calls `fail`, the error is reported at the call. */
export interface GoFunction {
  readonly params: readonly ParamType[];
  /** The type of additional arguments; undefined if there can be none. */
  readonly rest: ParamType | undefined;
  /** Receives arguments that were checked against the parameters. */
  readonly call: (args: readonly Maybe[], context: Context) => Maybe;
}

/** What functions can use besides their arguments. */
export interface Context {
  /** Renders a named template and returns its text. */
  include(name: string, data: Maybe): string;
  readonly env: ReadonlyMap<string, string>;
  /** The current time in nanoseconds since 1970. Warns, because the output then differs from run to run. */
  now(): bigint;
  /** Fails if a result of this many characters or elements would exceed the output limit. */
  reserve(size: number | bigint): void;
}

/** An error in a function, without a place. The evaluator adds the place. */
export class Failure extends Error {}

/** Ends the current function with an error. */
export function fail(reason: string): never {
  throw new Failure(reason);
}

const nilMaps = new WeakSet<Map<string, Value>>();

/** Go's nil map: it reads as empty and cannot be written. */
export function nilMap(): Map<string, Value> {
  const map = new Map<string, Value>();
  nilMaps.add(map);
  return map;
}

/** Whether a map is Go's nil map. */
export const isNilMap = (map: Map<string, Value>): boolean => nilMaps.has(map);

/** The Go kind of a value. */
export function kindOf(value: Maybe): GoKind {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
    case 'undefined':
      return 'invalid';
  }
  if (value === null) return 'invalid';
  if (value instanceof Map || value instanceof TextMap) return 'map';
  if (Array.isArray(value) || value instanceof TypedList) return 'slice';
  if (value instanceof Complex) return 'complex128';
  return value.kind;
}

/** The Go type name of a value. */
export function typeOf(value: Maybe): string {
  if (value instanceof Map) return 'map[string]interface {}';
  if (value instanceof TextMap) return 'map[string]string';
  if (Array.isArray(value)) return '[]interface {}';
  if (value instanceof TypedList) return `[]${value.element}`;
  if (value instanceof Sized) return value.named?.name ?? value.kind;
  if (value instanceof GoObject) return value.type;
  return value === null || value === undefined ? '<nil>' : kindOf(value);
}

/** The elements of any slice; undefined for other values. */
export function itemsOf(value: Maybe): readonly Value[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof TypedList ? value.items : undefined;
}

/** The entries of any map; undefined for other values. */
export function entriesOf(value: Maybe): ReadonlyMap<string, Value> | undefined {
  if (value instanceof Map) return value;
  return value instanceof TextMap ? value.entries : undefined;
}

/** The value of any integer; undefined for other values. */
export function integerOf(value: Maybe): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return value instanceof Sized ? value.value : undefined;
}

/** Whether a value counts as true in conditions, that is, differs from the zero value of its type. */
export function isTrue(value: Maybe): boolean {
  switch (typeof value) {
    case 'string':
      return value !== '';
    case 'boolean':
      return value;
    case 'bigint':
      return value !== 0n;
    case 'number':
      return value !== 0;
    case 'undefined':
      return false;
  }
  if (value === null) return false;
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof TypedList) return value.items.length > 0;
  if (value instanceof TextMap) return value.entries.size > 0;
  if (value instanceof Sized) return value.value !== 0n;
  if (value instanceof Complex) return value.re !== 0 || value.im !== 0;
  return true;
}

/** An `int64`. */
export const int64 = (value: bigint): Sized => new Sized('int64', BigInt.asIntN(64, value));

/** A `[]string`. */
export const strings = (items: readonly string[]): TypedList => new TypedList('string', items);

/** Compares text as Go does: by its UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) {
      // Surrogates encode characters above U+FFFF, so they sort after U+E000 to U+FFFF.
      const surrogates = x >= 0xd800 && y >= 0xd800;
      return surrogates ? codePointKey(a, i) - codePointKey(b, i) : x - y;
    }
  }
  return a.length - b.length;
}

function codePointKey(text: string, at: number): number {
  let i = at;
  const before = text.charCodeAt(i - 1);
  const here = text.charCodeAt(i);
  if (here >= 0xdc00 && here < 0xe000 && before >= 0xd800 && before < 0xdc00) i--;
  return text.codePointAt(i) ?? 0;
}

/** The keys of a map, sorted as Go sorts them. */
export function sortedKeys(entries: ReadonlyMap<string, unknown>): string[] {
  return [...entries.keys()].sort(compareText);
}

type Args<P extends readonly ParamType[]> = { [K in keyof P]: ParamTypes[P[K]] };

/** Defines a function with fixed parameters. */
export function fn<const P extends readonly ParamType[]>(
  params: P,
  call: (...args: Args<P>) => Maybe,
): GoFunction {
  return { params, rest: undefined, call: (args) => call(...(args as Args<P>)) };
}

/** Defines a function with fixed parameters followed by any number of arguments of one type. */
export function variadic<const P extends readonly ParamType[], R extends ParamType>(
  params: P,
  rest: R,
  call: (...args: [...Args<P>, ...ParamTypes[R][]]) => Maybe,
): GoFunction {
  return { params, rest, call: (args) => call(...(args as unknown as [...Args<P>, ...ParamTypes[R][]])) };
}

/** Defines a function with fixed parameters that also uses the context. */
export function withContext<const P extends readonly ParamType[]>(
  params: P,
  call: (context: Context, ...args: Args<P>) => Maybe,
): GoFunction {
  return { params, rest: undefined, call: (args, context) => call(context, ...(args as Args<P>)) };
}
