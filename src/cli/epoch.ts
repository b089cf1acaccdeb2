import { DiagnosticError } from '../diagnostic/index.ts';

/**
 * Reads SOURCE_DATE_EPOCH: seconds since 1970, or undefined where it is not set. Throws a DiagnosticError for
 * anything else.
 */
export function epoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,12}$/.test(text)) {
    throw new DiagnosticError([
      {
        code: 'invalid-epoch',
        severity: 'error',
        message: `SOURCE_DATE_EPOCH must be seconds since 1970, not ${JSON.stringify(text)}`,
      },
    ]);
  }
  return Number(text);
}
