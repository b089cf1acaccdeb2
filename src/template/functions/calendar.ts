/** Calendar arithmetic and time zones. */

/** Durations in nanoseconds. */
export const MICROSECOND = 1_000n;
export const MILLISECOND = 1_000_000n;
export const SECOND = 1_000_000_000n;
export const MINUTE = 60n * SECOND;
export const HOUR = 60n * MINUTE;
export const DAY = 24n * HOUR;

/** A time zone. `at` gives its offset from UTC in seconds at a time in nanoseconds since 1970. */
export interface Zone {
  readonly name: string;
  at(time: bigint): { readonly offset: number; readonly abbreviation: string };
}

/** Coordinated universal time. */
export const UTC: Zone = { name: 'UTC', at: () => ({ offset: 0, abbreviation: 'UTC' }) };

/** A zone whose offset never changes. */
export const fixedZone = (offset: number, abbreviation = ''): Zone => ({
  name: abbreviation,
  at: () => ({ offset, abbreviation }),
});

/** Division that rounds down. */
export const floorDiv = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b;

/** The parts of a date in the proleptic Gregorian calendar. */
export interface Civil {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** Starts at 1. */
  readonly yearDay: number;
}

/** Days from 1970-01-01 to a date. */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146097 +
    yearOfEra * 365 +
    Math.floor(yearOfEra / 4) -
    Math.floor(yearOfEra / 100) +
    dayOfYear -
    719468
  );
}

/** The earliest time that Go can represent. Earlier times wrap around in its 64 bits. */
const FIRST = BigInt(daysOf(-292277022399, 1, 1)) * DAY;

/** Splits a time into its parts. */
export function civil(time: bigint, offset: number): Civil {
  const wrapped = time < FIRST ? time + 2n ** 64n * SECOND : time;
  const local = wrapped + BigInt(offset) * SECOND;
  const days = Number(floorDiv(local, DAY));
  const inDay = local - BigInt(days) * DAY;
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return {
    year,
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    hour: Number(inDay / HOUR),
    minute: Number((inDay / MINUTE) % 60n),
    second: Number((inDay / SECOND) % 60n),
    nanosecond: Number(inDay % SECOND),
    weekday: (((days + 4) % 7) + 7) % 7,
    yearDay: days - daysOf(year, 1, 1) + 1,
  };
}

export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
