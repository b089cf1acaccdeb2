/** Parses times by Go's layouts. */

import { daysOf, fixedZone, MONTHS, SECOND, UTC, WEEKDAYS, type Zone } from './calendar.ts';
import { split } from './layout.ts';
import { Time } from './time.ts';

/** The parts of a time that were parsed so far. */
interface ParsedTime {
  year: number;
  month: number;
  day: number;
  yearDay: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  pm: boolean | undefined;
  offset: number | undefined;
  zone: string | undefined;
}

/** The pattern for each layout element. Its groups capture the digits or words. */
const PATTERNS: Readonly<Record<string, string>> = {
  '2006': '([0-9]{4})',
  '06': '([0-9]{2})',
  January: `(${MONTHS.join('|')})`,
  Jan: `(${MONTHS.map((m) => m.slice(0, 3)).join('|')})`,
  '01': '([0-9]{2})',
  '1': '([0-9]{1,2})',
  Monday: `(${WEEKDAYS.join('|')})`,
  Mon: `(${WEEKDAYS.map((d) => d.slice(0, 3)).join('|')})`,
  '02': '([0-9]{2})',
  _2: '( ?[0-9]{1,2})',
  '2': '([0-9]{1,2})',
  '002': '([0-9]{3})',
  __2: '( {0,2}[0-9]{1,3})',
  '15': '([0-9]{2})',
  '03': '([0-9]{2})',
  '3': '([0-9]{1,2})',
  '04': '([0-9]{2})',
  '4': '([0-9]{1,2})',
  '05': '([0-9]{2})',
  '5': '([0-9]{1,2})',
  PM: '(AM|PM)',
  pm: '(am|pm)',
  MST: '(UTC|ChST|MeST|GMT[-+][0-9]{1,2}|[-+][0-9]{2}(?:[0-9]{2})?|WITA|[A-Z]{4}T|[A-Z]{3}T|[A-Z]{3})',
};

function offsetPattern(element: string): string {
  const form = element.slice(1).replace('07', '[0-9]{2}').replaceAll('00', '[0-9]{2}');
  return element.startsWith('Z') ? `(Z|[-+]${form})` : `([-+]${form})`;
}

function readOffset(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.slice(1).replaceAll(':', '');
  const part = (at: number): number => Number(digits.slice(at, at + 2) || '0');
  return (text.startsWith('-') ? -1 : 1) * (part(0) * 3600 + part(2) * 60 + part(4));
}

function set(parsed: ParsedTime, element: string, text: string): boolean {
  const value = Number(text);
  switch (element) {
    case '2006':
      parsed.year = value;
      return true;
    case '06':
      parsed.year = value + (value >= 69 ? 1900 : 2000);
      return true;
    case 'January':
    case 'Jan':
      parsed.month = MONTHS.findIndex((m) => m.toLowerCase().startsWith(text.toLowerCase())) + 1;
      return true;
    case '01':
    case '1':
      parsed.month = value;
      return value >= 1 && value <= 12;
    case '02':
    case '_2':
    case '2':
      parsed.day = value;
      return true;
    case '002':
    case '__2':
      parsed.yearDay = value;
      return true;
    case '15':
      parsed.hour = value;
      return value < 24;
    case '03':
    case '3':
      parsed.hour = value;
      return value <= 12;
    case '04':
    case '4':
      parsed.minute = value;
      return value < 60;
    case '05':
    case '5':
      parsed.second = value;
      return value < 60;
    case 'PM':
    case 'pm':
      parsed.pm = text.toLowerCase() === 'pm';
      return true;
    case 'MST':
      parsed.zone = text;
      return true;
  }
  if (/^[-Z]/.test(element)) parsed.offset = readOffset(text);
  return true;
}

/**
 * Parses a time by a layout. Undefined if the text does not match. Parts missing in the layout are those of
 * 0000-01-01 00:00:00.
 */
export function parseTime(layout: string, text: string, zone: Zone = UTC): Time | undefined {
  const parsed: ParsedTime = {
    year: 0,
    month: -1,
    day: -1,
    yearDay: -1,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    pm: undefined,
    offset: undefined,
    zone: undefined,
  };
  let at = 0;
  const read = (pattern: string): string | undefined => {
    const sticky = new RegExp(
      pattern,
      pattern.includes('January') || pattern.includes('Jan|') || pattern.includes('Sun') ? 'iy' : 'y',
    );
    sticky.lastIndex = at;
    const match = sticky.exec(text);
    if (match === null) return undefined;
    at = sticky.lastIndex;
    return match[1] ?? '';
  };
  const pieces = split(layout);
  for (const [index, { literal, element }] of pieces.entries()) {
    // A run of spaces in the layout matches any number of spaces.
    for (const c of literal.replace(/ +/g, ' ')) {
      if (c === ' ') {
        if (at < text.length && text[at] !== ' ') return undefined;
        while (text[at] === ' ') at++;
      } else if (text[at] === c) at++;
      else return undefined;
    }
    if (element === '') continue;
    if (/^[.,]/.test(element)) {
      const digits = element[1] === '0' ? `[0-9]{${element.length - 1}}` : '[0-9]+';
      const fraction = read(`[.,](${digits})(?![0-9]{${element[1] === '0' ? 1 : 99}})`);
      if (fraction !== undefined) parsed.nanosecond = Number(fraction.slice(0, 9).padEnd(9, '0'));
      else if (element[1] === '0') return undefined;
      continue;
    }
    const value = read(PATTERNS[element] ?? offsetPattern(element));
    if (value === undefined || !set(parsed, element, value)) return undefined;
    if (element === '05' || element === '5') {
      // Seconds can have a fraction even if the layout has none.
      const next = pieces[index + 1];
      const planned = next?.literal === '' && /^[.,]/.test(next.element);
      const fraction = planned ? undefined : read('[.,]([0-9]+)');
      if (fraction !== undefined) parsed.nanosecond = Number(fraction.slice(0, 9).padEnd(9, '0'));
    }
  }
  return at < text.length ? undefined : assemble(parsed, zone);
}

function daysIn(year: number, month: number): number {
  return daysOf(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - daysOf(year, month, 1);
}

function assemble(parsed: ParsedTime, zone: Zone): Time | undefined {
  let { month, day, hour } = parsed;
  if (parsed.pm === true && hour < 12) hour += 12;
  else if (parsed.pm === false && hour === 12) hour = 0;
  if (parsed.yearDay >= 0) {
    const length = daysOf(parsed.year + 1, 1, 1) - daysOf(parsed.year, 1, 1);
    if (parsed.yearDay < 1 || parsed.yearDay > length) return undefined;
    let left = parsed.yearDay;
    let m = 1;
    while (left > daysIn(parsed.year, m)) left -= daysIn(parsed.year, m++);
    if ((month >= 0 && month !== m) || (day >= 0 && day !== left)) return undefined;
    month = m;
    day = left;
  } else {
    if (month < 0) month = 1;
    if (day < 0) day = 1;
  }
  if (day < 1 || day > daysIn(parsed.year, month)) return undefined;
  const seconds = daysOf(parsed.year, month, day) * 86400 + hour * 3600 + parsed.minute * 60 + parsed.second;
  const local = BigInt(seconds) * SECOND + BigInt(parsed.nanosecond);
  if (parsed.offset !== undefined) {
    const named = parsed.zone === undefined || parsed.zone === 'UTC' ? '' : parsed.zone;
    const where = parsed.offset === 0 && named === '' ? UTC : fixedZone(parsed.offset, named);
    return new Time(local - BigInt(parsed.offset) * SECOND, where);
  }
  if (parsed.zone !== undefined && parsed.zone !== 'UTC') return new Time(local, fixedZone(0, parsed.zone));
  const where = parsed.zone === 'UTC' ? UTC : zone;
  const guess = where.at(local).offset;
  return new Time(local - BigInt(where.at(local - BigInt(guess) * SECOND).offset) * SECOND, where);
}
