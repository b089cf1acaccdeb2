/** The decimal digits of a number: 0.DIGITS × 10^point. Zero has no digits. */
interface DecimalDigits {
  readonly digits: string;
  readonly point: number;
}

const view = new DataView(new ArrayBuffer(8));

/** A finite number as mantissa × 2^exponent. */
function decompose(value: number): { mantissa: bigint; exponent: number } {
  view.setFloat64(0, Math.abs(value));
  const bits = view.getBigUint64(0);
  const biased = Number(bits >> 52n);
  const fraction = bits & ((1n << 52n) - 1n);
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

/** The shortest digits that are read back as the same number. */
function shortest(value: number): DecimalDigits {
  if (value === 0) return { digits: '', point: 0 };
  const [mantissa = '', exponent = '0'] = Math.abs(value).toExponential().split('e');
  return { digits: mantissa.replace('.', ''), point: Number(exponent) + 1 };
}

/** All digits of the exact value. */
function exact(value: number): DecimalDigits {
  const { mantissa, exponent } = decompose(value);
  if (mantissa === 0n) return { digits: '', point: 0 };
  const text = (exponent >= 0 ? mantissa << BigInt(exponent) : mantissa * 5n ** BigInt(-exponent)).toString();
  return { digits: text.replace(/0+$/, ''), point: text.length + Math.min(exponent, 0) };
}

/** Rounds to `count` digits, half to even. */
function roundTo({ digits, point }: DecimalDigits, count: number): DecimalDigits {
  if (count < 0) return { digits: '', point: 0 };
  if (digits.length <= count) return { digits, point };
  const rest = digits.slice(count);
  const odd = count > 0 && (digits.charCodeAt(count - 1) & 1) === 1;
  const up = rest > '5' || (rest === '5' && odd);
  const kept = digits.slice(0, count);
  if (!up) {
    const trimmed = kept.replace(/0+$/, '');
    return { digits: trimmed, point: trimmed === '' ? 0 : point };
  }
  const raised = (BigInt(kept || '0') + 1n).toString();
  return {
    digits: raised.padStart(count, '0').replace(/0+$/, ''),
    point: raised.length > count ? point + 1 : point,
  };
}

function scientific({ digits, point }: DecimalDigits, precision: number, letter: string): string {
  const head = digits[0] ?? '0';
  const tail = digits.slice(1, precision + 1).padEnd(precision, '0');
  const exponent = digits === '' ? 0 : point - 1;
  const sign = exponent < 0 ? '-' : '+';
  return `${head}${precision > 0 ? `.${tail}` : ''}${letter}${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function plain({ digits, point }: DecimalDigits, precision: number): string {
  const whole = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  if (precision === 0) return whole;
  const fraction = (point >= 0 ? digits.slice(point) : '0'.repeat(-point) + digits).slice(0, precision);
  return `${whole}.${fraction.padEnd(precision, '0')}`;
}

function hexadecimal(value: number, precision: number, upper: boolean): string {
  let { mantissa, exponent } = decompose(value);
  if (mantissa === 0n) {
    exponent = 0;
  } else {
    // One bit before the point, 60 after it.
    const shift = 61 - mantissa.toString(2).length;
    mantissa <<= BigInt(shift);
    exponent += 60 - shift;
  }
  if (precision >= 0 && precision < 15) {
    const drop = BigInt((15 - precision) * 4);
    const rest = mantissa & ((1n << drop) - 1n);
    const half = 1n << (drop - 1n);
    mantissa >>= drop;
    if (rest > half || (rest === half && (mantissa & 1n) === 1n)) mantissa++;
    mantissa <<= drop;
    if (mantissa >> 61n) {
      mantissa >>= 1n;
      exponent++;
    }
  }
  const text = mantissa.toString(16).padStart(16, '0');
  let fraction = text.slice(1);
  fraction =
    precision < 0 ? fraction.replace(/0+$/, '') : fraction.slice(0, precision).padEnd(precision, '0');
  const sign = exponent < 0 ? '-' : '+';
  const result = `0x${text[0]}${fraction === '' ? '' : `.${fraction}`}p${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
  return upper ? result.toUpperCase() : result;
}

/** The formats of Go's strconv.FormatFloat. */
export type FloatFormat = 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X' | 'b';

/**
 * Formats a number as Go's strconv.FormatFloat does. A negative precision means: the shortest digits that are
 * read back as the same number.
 */
export function formatFloat(value: number, format: FloatFormat, precision: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  if (format === 'b') {
    const { mantissa, exponent } = decompose(value);
    return `${sign}${mantissa}p${exponent < 0 ? '' : '+'}${exponent}`;
  }
  if (format === 'x' || format === 'X') return sign + hexadecimal(value, precision, format === 'X');
  const fewest = precision < 0;
  if (format === 'e' || format === 'E') {
    const decimal = fewest ? shortest(value) : roundTo(exact(value), precision + 1);
    return sign + scientific(decimal, fewest ? Math.max(decimal.digits.length - 1, 0) : precision, format);
  }
  if (format === 'f') {
    const all = fewest ? shortest(value) : exact(value);
    const decimal = fewest ? all : roundTo(all, all.point + precision);
    return sign + plain(decimal, fewest ? Math.max(decimal.digits.length - decimal.point, 0) : precision);
  }
  const wanted = precision === 0 ? 1 : precision;
  const decimal = fewest ? shortest(value) : roundTo(exact(value), wanted);
  const count = decimal.digits.length;
  let limit = wanted;
  if (limit > count && count >= decimal.point) limit = count;
  if (fewest) limit = 6;
  const exponent = decimal.point - 1;
  if (exponent < -4 || exponent >= limit) {
    return sign + scientific(decimal, Math.max(count - 1, 0), format === 'g' ? 'e' : 'E');
  }
  return sign + plain(decimal, Math.max(count - decimal.point, 0));
}
