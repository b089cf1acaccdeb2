import { InvalidArgumentError } from 'commander';

const units: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Less than this and no container begins, in bytes. */
const LEAST_MEMORY = 16 * 2 ** 20;

/** A few are those that begin a command. */
const LEAST_PROCESSES = 16;

/**
 * Reads the value of `--memory`: bytes, or an amount in binary units (`512M`, `1.5GiB`), as Docker's command line reads them. Throws an
 * InvalidArgumentError.
 */
export function memory(value: string): number {
  const [, amount = '', unit = ''] =
    /^(\d{1,15}(?:\.\d{1,9})?)\s*(?:([KMGT])(?:i?B)?|B)?$/i.exec(value) ?? [];
  const bytes = Math.floor(Number(amount) * (units[unit.toUpperCase()] ?? 1));
  if (amount === '' || bytes < LEAST_MEMORY || bytes > Number.MAX_SAFE_INTEGER)
    throw new InvalidArgumentError('Expected an amount from 16M, such as 512M, 4G or 1.5GiB.');
  return bytes;
}

/** Reads the value of `--processes`. Throws an InvalidArgumentError. */
export function processes(value: string): number {
  const count = Number(value);
  if (!/^[1-9]\d{0,6}$/.test(value) || count < LEAST_PROCESSES || count > 4_194_304)
    throw new InvalidArgumentError(`Expected a number from ${LEAST_PROCESSES} to 4194304.`);
  return count;
}
