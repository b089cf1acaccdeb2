/** sprig's date functions. The local zone is always UTC, so that a tree renders the same everywhere. */

import { type Context, fail, fn, type GoFunction, Sized, type Value, withContext } from '../value.ts';
import { daysOf, SECOND, UTC, type Zone } from './calendar.ts';
import { clamp } from './cast.ts';
import { formatTime, offsetText } from './layout.ts';
import { parseTime } from './layout-parse.ts';
import { duration, durationText, parseDuration, roundDuration, Time, zeroTime } from './time.ts';

const formats = new Map<string, Intl.DateTimeFormat | undefined>();

/** The formatter for a zone of the system's time zone database, or undefined for an unknown zone. */
function formatter(name: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(name)) {
    let made: Intl.DateTimeFormat | undefined;
    try {
      made = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        era: 'short',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
    } catch {
      made = undefined;
    }
    formats.set(name, made);
  }
  return formats.get(name);
}

/** Locales that together know the abbreviations of most zones. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-ZA', 'en-IN', 'ja-JP'];
/** Abbreviations that no locale knows. */
const ABBREVIATIONS: Readonly<Record<string, string>> = {
  'Asia/Hong_Kong': 'HKT',
  'Asia/Jakarta': 'WIB',
  'Asia/Karachi': 'PKT',
  'Asia/Manila': 'PST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Asia/Taipei': 'CST',
  'Europe/Moscow': 'MSK',
};

/** Abbreviation of a zone at a time, or its offset if the zone has no abbreviation. */
function abbreviationOf(zone: string, milliseconds: number, offset: number): string {
  for (const locale of LOCALES) {
    const format = new Intl.DateTimeFormat(locale, { timeZone: zone, timeZoneName: 'short' });
    const short = format.formatToParts(milliseconds).find((p) => p.type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{3,5}$/.test(short)) return short;
  }
  return ABBREVIATIONS[zone] ?? offsetText(offset, offset % 3600 === 0 ? '-07' : '-0700');
}

/** Finds a zone by name; UTC if the name is unknown. */
function zoneOf(name: string): Zone {
  if (['', 'UTC', 'Local'].includes(name) || /^[-+0-9]/.test(name)) return UTC;
  const format = formatter(name);
  if (format === undefined) return UTC;
  return {
    name,
    at: (time) => {
      const milliseconds = Number(time / 1_000_000n);
      const parts = new Map(format.formatToParts(milliseconds).map((p) => [p.type, p.value]));
      const number = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type) ?? '0');
      const year = parts.get('era') === 'BC' ? 1 - number('year') : number('year');
      const local =
        daysOf(year, number('month'), number('day')) * 86400 +
        number('hour') * 3600 +
        number('minute') * 60 +
        number('second');
      const offset = local - Math.floor(milliseconds / 1000);
      return {
        offset,
        // Computed on demand: it is slow, and few layouts use it.
        get abbreviation() {
          return abbreviationOf(name, milliseconds, offset);
        },
      };
    },
  };
}

/** Converts a time, or seconds since 1970, to a time. Undefined for other values. */
function timeOf(value: Value): Time | undefined {
  if (value instanceof Time) return value;
  if (typeof value === 'bigint') return new Time(value * SECOND, UTC);
  const seconds = value instanceof Sized && value.named === undefined && /^int(32|64)$/.test(value.kind);
  return seconds ? new Time(value.value * SECOND, UTC) : undefined;
}

function dateInZone(context: Context, layout: string, value: Value, zone: string): string {
  const time = timeOf(value) ?? new Time(context.now(), UTC);
  return formatTime(new Time(time.nanoseconds, zoneOf(zone)), layout);
}

function ago(context: Context, value: Value): string {
  const then = timeOf(value);
  const now = context.now();
  return durationText(roundDuration(clamp(now - (then?.nanoseconds ?? now)), SECOND));
}

/** Converts seconds to a duration. Only text and int64 are accepted, as in sprig; other values count as 0. */
function durationOf(value: Value): string {
  if (typeof value === 'string') {
    const digits = /^[-+]?[0-9]+$/.test(value) ? BigInt(value.replace(/^\+/, '')) : 0n;
    return durationText(duration(clamp(digits) * SECOND).value);
  }
  const plain = value instanceof Sized && value.kind === 'int64' && value.named === undefined;
  return durationText(duration(plain ? value.value * SECOND : 0n).value);
}

const ROUND: readonly (readonly [bigint, string])[] = [
  [365n * 86400n, 'y'],
  [30n * 86400n, 'mo'],
  [86400n, 'd'],
  [3600n, 'h'],
  [60n, 'm'],
  [1n, 's'],
];

function durationRound(context: Context, value: Value): string {
  let nanoseconds = 0n;
  if (typeof value === 'string') nanoseconds = parseDuration(value) ?? 0n;
  else if (value instanceof Sized && value.kind === 'int64' && value.named === undefined)
    nanoseconds = value.value;
  else if (value instanceof Time) nanoseconds = clamp(context.now() - value.nanoseconds);
  const size = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  for (const [seconds, unit] of ROUND)
    if (size > seconds * SECOND) return `${size / (seconds * SECOND)}${unit}`;
  return '0s';
}

const modify = fn(['string', 'time'], (by, time) => {
  const t = time as Time;
  return new Time(t.nanoseconds + (parseDuration(by) ?? 0n), t.zone);
});
const mustModify = fn(['string', 'time'], (by, time) => {
  const t = time as Time;
  const change = parseDuration(by);
  return change === undefined
    ? fail(`invalid duration ${JSON.stringify(by)}: expected a number with a unit, such as 1h30m`)
    : new Time(t.nanoseconds + change, t.zone);
});
const inZone = withContext(['string', 'any', 'string'], dateInZone);

export const dateFunctions: Readonly<Record<string, GoFunction>> = {
  now: withContext([], (context) => new Time(context.now(), UTC)),
  ago: withContext(['any'], ago),
  date: withContext(['string', 'any'], (context, layout, value) =>
    dateInZone(context, layout, value, 'Local'),
  ),
  dateInZone: inZone,
  date_in_zone: inZone,
  htmlDate: withContext(['any'], (context, value) => dateInZone(context, '2006-01-02', value, 'Local')),
  htmlDateInZone: withContext(['any', 'string'], (context, value, zone) =>
    dateInZone(context, '2006-01-02', value, zone),
  ),
  dateModify: modify,
  date_modify: modify,
  mustDateModify: mustModify,
  must_date_modify: mustModify,
  toDate: fn(['string', 'string'], (layout, text) => parseTime(layout, text) ?? zeroTime()),
  mustToDate: fn(
    ['string', 'string'],
    (layout, text) =>
      parseTime(layout, text) ??
      fail(`date ${JSON.stringify(text)} does not match the layout ${JSON.stringify(layout)}`),
  ),
  unixEpoch: fn(['time'], (time) => {
    const { nanoseconds } = time as Time;
    return String((nanoseconds - (((nanoseconds % SECOND) + SECOND) % SECOND)) / SECOND);
  }),
  duration: fn(['any'], durationOf),
  durationRound: withContext(['any'], durationRound),
};
