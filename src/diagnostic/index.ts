/**
 * What a user can cause: a code, a place in a source file, a sentence, a hint. Diagnostics are values that
 * are collected and shown together; a bug throws instead.
 */

export { escapeTerminal, type FormatOptions, formatDiagnostic } from './format.ts';
export { nearest } from './nearest.ts';
export { type ByPlace, compareDiagnostics, sortDiagnostics } from './order.ts';
export { withoutPassword, withoutPasswords } from './passwords.ts';
export {
  type Diagnostic,
  DiagnosticError,
  hasErrors,
  type Note,
  type Place,
  type Severity,
} from './types.ts';
