/**
 * Diagnostics: problems that a user caused and can fix, each with a code, a place in a source file, a message
 * and a hint. Example: `pkg/build.yaml:3:5: error[unknown-key]: unknown key "stpes"`, hint: `Did you mean
 * "steps"?`.
 *
 * Diagnostics are values: they are collected, sorted and shown together. A bug in this program is not a
 * diagnostic: it throws an ordinary error. This room knows no other room.
 */

export type { Advice } from './advice.ts';
export {
  escapeTerminal,
  type FormatOptions,
  formatDiagnostic,
  jsonText,
  messageBehindName,
} from './format.ts';
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
