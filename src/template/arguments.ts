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

/** Whether a value can be passed for a parameter of this type without conversion. */
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

/** Checks a computed value against the type of a parameter. Fails where Go would not convert it. */
export function argumentOf(value: Maybe, type: ParamType): Maybe {
  if (fits(value, type)) return value;
  if (value === undefined && type === 'map') return nilMap();
  const wanted = paramTypeNames[type];
  if (value === undefined || value === null) fail(`expected ${wanted}, but the value is missing`);
  const convert: Partial<Record<ParamType, string>> = { string: 'toString', int: 'int', float64: 'float64' };
  const how = convert[type] === undefined ? '' : `; convert it with ${convert[type]}`;
  fail(`expected ${wanted}, got ${typeOf(value)}${how}`);
}

/**
 * Checks a constant against the type of a parameter. A number is converted to that type if the type can hold
 * it.
 */
export function literalArgument(
  operand: Operand & { kind: 'string' | 'bool' | 'number' | 'nil' },
  type: ParamType,
): Maybe {
  if (operand.kind === 'nil') {
    if (type === 'any') return null;
    if (type === 'value') return undefined;
    if (type === 'map') return nilMap();
    fail(`expected ${paramTypeNames[type]}, got nil`);
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
      if (operand.ideal === undefined) fail('number does not fit into a 64-bit int');
      return operand.ideal;
    }
  }
  fail(`expected ${paramTypeNames[type]}, got ${operand.kind}`);
}
