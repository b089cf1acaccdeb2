import { InvalidValue } from '../usage-error.ts';

/** Reads the value of an `--image-repository` flag: a repository without a tag. Throws an InvalidValue. */
export function repository(value: string): string {
  const part = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';
  if (!new RegExp(`^(?:[A-Za-z0-9.-]+(?::\\d+)?/)?${part}(?:/${part})*$`).test(value)) {
    throw new InvalidValue(
      'Expected a repository without a tag, such as luet/cache or registry.example.org/luet/cache.',
    );
  }
  return value;
}

/** Reads a number from 1. Throws an InvalidValue. */
export function positive(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidValue('Expected a number from 1.');
  return Number(value);
}

/** Reads a number of seconds. Throws an InvalidValue. */
export function seconds(value: string): number {
  if (!/^(0|[1-9]\d{0,5})$/.test(value)) throw new InvalidValue('Expected a number of seconds.');
  return Number(value);
}

const powers = ['', 'k', 'm', 'g', 't'];

/**
 * The bytes of a size as coreutils reads it: `512M` and `512MiB` are 512 · 2^20, `512MB` is 512 · 10^6.
 * Undefined for anything else.
 */
export function sizeOf(text: string): number | undefined {
  const [, number, unit = '', infix = '', b = ''] =
    /^(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?)(i?)(b?)$/i.exec(text) ?? [];
  if (number === undefined || (infix !== '' && unit === '')) return undefined;
  const base = b !== '' && infix === '' ? 1000 : 1024;
  const bytes = Math.floor(Number(number) * base ** powers.indexOf(unit.toLowerCase()));
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined;
}

/** Less than this and no container starts, in bytes. */
const LEAST_MEMORY = 16 * 2 ** 20;

/** Reads the value of `--memory`, in bytes. Throws an InvalidValue. */
export function memory(value: string): number {
  const bytes = sizeOf(value);
  if (bytes === undefined || bytes < LEAST_MEMORY)
    throw new InvalidValue('Expected a size from 16M, such as 512M, 4G or 1.5GiB.');
  return bytes;
}

/**
 * Reads the value of `--keep`, in bytes. Throws an InvalidValue. A number alone, but for 0, is refused: it is
 * more likely a forgotten unit than so few bytes.
 */
export function diskSize(value: string): number {
  const bytes = sizeOf(value);
  if (bytes === undefined || (bytes !== 0 && /^[\d.\s]+$/.test(value)))
    throw new InvalidValue('Expected a size such as 500MB, 20G or 1.5GiB.');
  return bytes;
}

/** With fewer, a command cannot start. */
const LEAST_PROCESSES = 16;

/** Reads the value of `--processes`. Throws an InvalidValue. */
export function processes(value: string): number {
  const count = Number(value);
  if (!/^[1-9]\d{0,6}$/.test(value) || count < LEAST_PROCESSES || count > 4_194_304)
    throw new InvalidValue(`Expected a number from ${LEAST_PROCESSES} to 4194304.`);
  return count;
}

const ages: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Reads an age, such as `90m`, `12h`, `30d` or `4w`, in milliseconds. Throws an InvalidValue. */
export function age(value: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhdw])$/.exec(value) ?? [];
  const factor = ages[unit];
  if (number === '' || factor === undefined)
    throw new InvalidValue('Expected an age such as 90m, 12h, 30d or 4w.');
  return Number(number) * factor * 1000;
}

/** Reads the value of a `--platform` flag. Throws an InvalidValue. */
export function platform(value: string): string {
  if (!/^[a-z0-9_.-]+(?:\/[a-z0-9_.-]+){1,2}$/.test(value))
    throw new InvalidValue('Expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, such as linux/arm64.');
  return value;
}
