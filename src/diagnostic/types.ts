import type { Advice } from './advice.ts';

/** A position in a source file. Lines and columns start at 1; columns count characters. */
export interface Place {
  /** Path as shown to the user: relative to the working directory of the command, if possible. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /**
   * Column after the last character of the marked range, on the same line. Undefined if the end is not known.
   */
  readonly endColumn?: number;
}

/** Errors stop a build or an install; warnings do not. */
export type Severity = 'error' | 'warning';

/** A second place that belongs to a diagnostic, such as the other requirement of a conflict. */
export interface Note {
  readonly message: string;
  readonly place?: Place;
}

/** One problem that a user can fix. */
export interface Diagnostic {
  /** Stable kebab-case name of this kind of problem, such as `unknown-key`. Listed in docs/diagnostics.md. */
  readonly code: string;
  readonly severity: Severity;
  /** What is wrong and what was expected: one sentence without a final full stop. */
  readonly message: string;
  readonly place?: Place;
  /** How to fix it, or the closest valid value. */
  readonly hint?: string;
  /** The name of a fix. A program that has its own words for it, such as flags, shows these instead of the hint. */
  readonly advice?: Advice;
  /** The option that this is about, by its name in the library, such as `memory`. The message does not name it. */
  readonly option?: string;
  readonly notes?: readonly Note[];
  /** The package in question, as `category/name-version`. */
  readonly package?: string;
}

/** Thrown when work cannot continue because of user input. Holds all diagnostics, at least one. */
export class DiagnosticError extends Error {
  override readonly name = 'DiagnosticError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    // An error without diagnostics would show no message at all.
    if (diagnostics.length === 0) throw new RangeError('a DiagnosticError needs at least one diagnostic');
    super(diagnostics.map((d) => d.message).join('; '));
    this.diagnostics = diagnostics;
  }
}

/** Whether any of these diagnostics is an error. */
export function hasErrors(diagnostics: Iterable<Diagnostic>): boolean {
  for (const diagnostic of diagnostics) if (diagnostic.severity === 'error') return true;
  return false;
}
