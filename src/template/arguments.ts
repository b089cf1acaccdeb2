import type { Operand } from './ast.ts';
import {
  fail,
  GoObject,
  type Maybe,
  nilMap,
  type ParamType,
  paramTypeNames,
  Sized,
  typeOf,
} from './value.ts';

/** Whether a value has a type that a parameter takes. */
function fits(value: Maybe, type: ParamType): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return typeof value === 'bigint';
    case 'float64':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'map':
      return value instanceof Map;
    case 'time':
      return value instanceof GoObject && value.type === 'time.Time';
    case 'version':
      return value instanceof GoObject && value.type === '*semver.Version';
    case 'duration':
      return value instanceof Sized && value.named?.name === 'time.Duration';
    default:
      return true;
  }
}

/** A computed value as an argument of a typed parameter; fails where Go does not convert it. */
export function argumentOf(value: Maybe, type: ParamType): Maybe {
  if (fits(value, type)) return value;
  if (value === undefined && type === 'map') return nilMap();
  const wanted = paramTypeNames[type];
  if (value === undefined || value === null) fail(`a ${wanted} is needed here, and there is no value`);
  const convert: Partial<Record<ParamType, string>> = { string: 'toString', int: 'int', float64: 'float64' };
  const how = convert[type] === undefined ? '' : `; ${convert[type]} converts it`;
  fail(`a ${wanted} is needed here, not a ${typeOf(value)}${how}`);
}

/** A constant as an argument: a number takes the type that is asked for, where it can. */
export function literalArgument(
  operand: Operand & { kind: 'string' | 'bool' | 'number' | 'nil' },
  type: ParamType,
): Maybe {
  if (operand.kind === 'nil') {
    if (type === 'any') return null;
    if (type === 'value') return undefined;
    if (type === 'map') return nilMap();
    fail(`a ${paramTypeNames[type]} is needed here, and nil is none`);
  }
  if (operand.kind === 'string' && (type === 'string' || type === 'any' || type === 'value'))
    return operand.text;
  if (operand.kind === 'bool' && (type === 'bool' || type === 'any' || type === 'value'))
    return operand.value;
  if (operand.kind === 'number') {
    const { int, float } = operand.number;
    if (type === 'int' && int !== undefined) return int;
    if (type === 'float64' && float !== undefined) return float;
    if (type === 'any' || type === 'value') {
      if (operand.ideal === undefined) fail('this number does not fit an int of 64 bits');
      return operand.ideal;
    }
  }
  fail(
    `a ${paramTypeNames[type]} is needed here, not ${operand.kind === 'bool' ? 'a boolean' : `a ${operand.kind}`}`,
  );
}
