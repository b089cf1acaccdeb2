/** Times, durations and zones, as in Go's time package. */

import { fn, type GoFunction, GoObject, int64, type NamedType, Sized, type Value } from '../value.ts';
import {
  type Civil,
  civil,
  DAY,
  daysOf,
  floorDiv,
  HOUR,
  MICROSECOND,
  MILLISECOND,
  MINUTE,
  MONTHS,
  SECOND,
  UTC,
  WEEKDAYS,
  type Zone,
} from './calendar.ts';
import { clamp } from './cast.ts';
import { formatTime } from './layout.ts';

const named = (name: string, words: readonly string[], first: number): NamedType => ({
  name: `time.${name}`,
  text: (value) => words[Number(value) - first] ?? `%!${name}(${value})`,
  method: (method, value) =>
    method === 'String' ? fn([], () => words[Number(value) - first] ?? `%!${name}(${value})`) : undefined,
});
const monthType = named('Month', MONTHS, 1);
const weekdayType = named('Weekday', WEEKDAYS, 0);

/** Decimal digits after the point, without trailing zeros. */
function fraction(value: bigint, unit: bigint): string {
  const digits = String(value % unit)
    .padStart(String(unit).length - 1, '0')
    .replace(/0+$/, '');
  return `${value / unit}${digits === '' ? '' : `.${digits}`}`;
}

/** Formats a duration as Go does: `1h2m3.5s`. */
export function durationText(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return '0s';
  const sign = nanoseconds < 0n ? '-' : '';
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (size < MICROSECOND) return `${sign}${size}ns`;
  if (size < MILLISECOND) return `${sign}${fraction(size, MICROSECOND)}µs`;
  if (size < SECOND) return `${sign}${fraction(size, MILLISECOND)}ms`;
  const hours = size / HOUR;
  const minutes = (size / MINUTE) % 60n;
  const seconds = `${fraction(size % MINUTE, SECOND)}s`;
  const lead = hours > 0n ? `${hours}h${minutes}m` : minutes > 0n ? `${minutes}m` : '';
  return sign + lead + seconds;
}

const inUnits =
  (unit: bigint) =>
  (value: bigint): number =>
    Number(value / unit) + Number(value % unit) / Number(unit);

const DURATION_METHODS: Readonly<Record<string, (value: bigint) => Value>> = {
  String: durationText,
  Hours: inUnits(HOUR),
  Minutes: inUnits(MINUTE),
  Seconds: inUnits(SECOND),
  Milliseconds: (value) => int64(value / MILLISECOND),
  Microseconds: (value) => int64(value / MICROSECOND),
  Nanoseconds: int64,
  Abs: (value) => duration(value < 0n ? -value : value),
};

const durationType: NamedType = {
  name: 'time.Duration',
  text: durationText,
  method: (name, value) => {
    const read = DURATION_METHODS[name];
    if (read !== undefined) return fn([], () => read(value));
    if (name === 'Truncate')
      return fn(['duration'], (by) => duration(by.value <= 0n ? value : value - (value % by.value)));
    return name === 'Round' ? fn(['duration'], (by) => duration(roundDuration(value, by.value))) : undefined;
  },
};

/** Rounds half away from zero. */
export function roundDuration(value: bigint, unit: bigint): bigint {
  if (unit <= 0n) return value;
  const size = value < 0n ? -value : value;
  const rounded = ((size + unit / 2n) / unit) * unit;
  return value < 0n ? -rounded : rounded;
}

/** A `time.Duration`; the value is in nanoseconds. */
export const duration = (nanoseconds: bigint): Sized =>
  new Sized('int64', BigInt.asIntN(64, nanoseconds), durationType);

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: MICROSECOND,
  µs: MICROSECOND,
  μs: MICROSECOND,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
};

/** Parses a duration such as `1h30m` or `-1.5s`. Undefined if the text is not a duration. */
export function parseDuration(text: string): bigint | undefined {
  const sign = text.startsWith('-') ? -1n : 1n;
  const rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0n;
  if (!/^(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(rest)) return undefined;
  let total = 0n;
  for (const [, whole = '', decimals = '', unit = ''] of rest.matchAll(
    /([0-9]*)(?:\.([0-9]*))?([a-zµμ]+)/g,
  )) {
    const size = UNITS[unit] ?? 0n;
    total += BigInt(whole || '0') * size;
    if (decimals !== '') total += (BigInt(decimals) * size) / 10n ** BigInt(decimals.length);
  }
  const limit = 2n ** 63n;
  if (total > limit || (total === limit && sign > 0n)) return undefined;
  return sign * total;
}

/** Go's `time.Time`. */
export class Time extends GoObject {
  readonly type = 'time.Time';
  readonly kind = 'struct';
  /** Nanoseconds since 1970. */
  readonly nanoseconds: bigint;
  readonly zone: Zone;

  constructor(nanoseconds: bigint, zone: Zone) {
    super();
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }

  /** The parts of the time, in its own zone. */
  civil(): Civil {
    return civil(this.nanoseconds, this.zone.at(this.nanoseconds).offset);
  }

  text(): string {
    return formatTime(this, '2006-01-02 15:04:05.999999999 -0700 MST');
  }

  equals(other: GoObject): boolean {
    return (
      other instanceof Time && other.nanoseconds === this.nanoseconds && other.zone.name === this.zone.name
    );
  }

  json(): Value {
    return formatTime(this, '2006-01-02T15:04:05.999999999Z07:00');
  }

  method(name: string): GoFunction | undefined {
    return METHODS[name]?.(this);
  }
}

/** Go's zero time: the first instant of year 1. */
export const zeroTime = (): Time => new Time(BigInt(daysOf(1, 1, 1)) * DAY, UTC);

const get =
  (read: (time: Time) => Value) =>
  (time: Time): GoFunction =>
    fn([], () => read(time));
const part = (name: keyof Civil): ((time: Time) => GoFunction) => get((t) => BigInt(t.civil()[name]));
const against =
  (test: (a: bigint, b: bigint) => boolean) =>
  (time: Time): GoFunction =>
    fn(['time'], (other) => test(time.nanoseconds, (other as Time).nanoseconds));

const METHODS: Readonly<Record<string, (time: Time) => GoFunction>> = {
  Year: part('year'),
  Day: part('day'),
  Hour: part('hour'),
  Minute: part('minute'),
  Second: part('second'),
  Nanosecond: part('nanosecond'),
  YearDay: part('yearDay'),
  Month: get((t) => new Sized('int', BigInt(t.civil().month), monthType)),
  Weekday: get((t) => new Sized('int', BigInt(t.civil().weekday), weekdayType)),
  Unix: get((t) => int64(floorDiv(t.nanoseconds, SECOND))),
  UnixMilli: get((t) => int64(floorDiv(t.nanoseconds, MILLISECOND))),
  UnixMicro: get((t) => int64(floorDiv(t.nanoseconds, MICROSECOND))),
  UnixNano: get((t) => int64(t.nanoseconds)),
  IsZero: get((t) => t.nanoseconds === zeroTime().nanoseconds),
  UTC: get((t) => new Time(t.nanoseconds, UTC)),
  Local: get((t) => new Time(t.nanoseconds, UTC)),
  String: get((t) => t.text()),
  Format: (time) => fn(['string'], (layout) => formatTime(time, layout)),
  Add: (time) => fn(['duration'], (by) => new Time(time.nanoseconds + by.value, time.zone)),
  Sub: (time) => fn(['time'], (other) => duration(clamp(time.nanoseconds - (other as Time).nanoseconds))),
  Truncate: (time) => fn(['duration'], (by) => truncated(time, by.value)),
  Before: against((a, b) => a < b),
  After: against((a, b) => a > b),
  Equal: against((a, b) => a === b),
  Compare: (time) =>
    fn(['time'], (other) => {
      const difference = time.nanoseconds - (other as Time).nanoseconds;
      return difference < 0n ? -1n : difference > 0n ? 1n : 0n;
    }),
  AddDate: (time) => fn(['int', 'int', 'int'], (years, months, days) => addDate(time, years, months, days)),
};

function truncated(time: Time, unit: bigint): Time {
  if (unit <= 0n) return time;
  const since = time.nanoseconds - zeroTime().nanoseconds;
  return new Time(time.nanoseconds - (((since % unit) + unit) % unit), time.zone);
}

function addDate(time: Time, years: bigint, months: bigint, days: bigint): Time {
  const { offset } = time.zone.at(time.nanoseconds);
  const parts = time.civil();
  const month = parts.month - 1 + Number(months);
  const year = parts.year + Number(years) + Math.floor(month / 12);
  const day = daysOf(year, (((month % 12) + 12) % 12) + 1, 1) + parts.day - 1 + Number(days);
  const local = time.nanoseconds + BigInt(offset) * SECOND;
  const inDay = local - floorDiv(local, DAY) * DAY;
  const moved = BigInt(day) * DAY + inDay - BigInt(offset) * SECOND;
  const changed = time.zone.at(moved).offset - offset;
  return new Time(moved - BigInt(changed) * SECOND, time.zone);
}
