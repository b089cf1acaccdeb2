/** Go's time layouts, which show how the reference time `Mon Jan 2 15:04:05 MST 2006` would be written. */

import { MONTHS, WEEKDAYS } from './calendar.ts';
import type { Time } from './time.ts';

// Longer elements come before their own prefixes.
const ELEMENT =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|2006|_2(?!006)|__2|002|01|02|03|04|05|06|-07:00:00|-07:00|-070000|-0700|-07|Z07:00:00|Z07:00|Z070000|Z0700|Z07|15|PM|pm|[.,]0+(?![0-9])|[.,]9+(?![0-9])|1|2|3|4|5/g;

/** Splits a layout into pairs of literal text and the element after it. */
export function split(layout: string): { readonly literal: string; readonly element: string }[] {
  const pieces: { literal: string; element: string }[] = [];
  let from = 0;
  ELEMENT.lastIndex = 0;
  for (const match of layout.matchAll(ELEMENT)) {
    pieces.push({ literal: layout.slice(from, match.index), element: match[0] });
    from = match.index + match[0].length;
  }
  pieces.push({ literal: layout.slice(from), element: '' });
  return pieces;
}

const two = (value: number): string => String(value).padStart(2, '0');

/** Formats an offset in seconds for an element such as `-0700` or `Z07:00`. */
export function offsetText(seconds: number, element: string): string {
  if (element.startsWith('Z') && seconds === 0) return 'Z';
  const size = Math.abs(seconds);
  const parts = [two(Math.floor(size / 3600)), two(Math.floor(size / 60) % 60), two(size % 60)];
  const form = element.slice(1);
  const count = form.replaceAll(':', '').length / 2;
  return (seconds < 0 ? '-' : '+') + parts.slice(0, count).join(form.includes(':') ? ':' : '');
}

function yearText(year: number): string {
  return year < 0 ? `-${String(-year).padStart(4, '0')}` : String(year).padStart(4, '0');
}

/** Formats a time by a layout. */
export function formatTime(time: Time, layout: string): string {
  const c = time.civil();
  const zone = time.zone.at(time.nanoseconds);
  const { offset } = zone;
  const hour12 = c.hour % 12 === 0 ? 12 : c.hour % 12;
  const one = (element: string): string => {
    switch (element) {
      case '':
        return '';
      case '2006':
        return yearText(c.year);
      case '06':
        return two(((c.year % 100) + 100) % 100);
      case 'January':
        return MONTHS[c.month - 1] ?? '';
      case 'Jan':
        return (MONTHS[c.month - 1] ?? '').slice(0, 3);
      case '01':
        return two(c.month);
      case '1':
        return String(c.month);
      case 'Monday':
        return WEEKDAYS[c.weekday] ?? '';
      case 'Mon':
        return (WEEKDAYS[c.weekday] ?? '').slice(0, 3);
      case '02':
        return two(c.day);
      case '_2':
        return String(c.day).padStart(2, ' ');
      case '2':
        return String(c.day);
      case '002':
        return String(c.yearDay).padStart(3, '0');
      case '__2':
        return String(c.yearDay).padStart(3, ' ');
      case '15':
        return two(c.hour);
      case '03':
        return two(hour12);
      case '3':
        return String(hour12);
      case '04':
        return two(c.minute);
      case '4':
        return String(c.minute);
      case '05':
        return two(c.second);
      case '5':
        return String(c.second);
      case 'PM':
        return c.hour >= 12 ? 'PM' : 'AM';
      case 'pm':
        return c.hour >= 12 ? 'pm' : 'am';
      case 'MST':
        return zone.abbreviation || offsetText(offset, '-0700');
    }
    if (/^[-Z]/.test(element)) return offsetText(offset, element);
    const digits = String(c.nanosecond)
      .padStart(9, '0')
      .slice(0, element.length - 1);
    if (element[1] === '0') return `${element[0]}${digits.padEnd(element.length - 1, '0')}`;
    const trimmed = digits.replace(/0+$/, '');
    return trimmed === '' ? '' : `${element[0]}${trimmed}`;
  };
  return split(layout)
    .map(({ literal, element }) => literal + one(element))
    .join('');
}
