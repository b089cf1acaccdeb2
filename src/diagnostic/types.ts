/** A position in a file that a person wrote. Lines and columns count from 1; columns count characters. */
export interface Place {
  /** Path as it should be shown, relative to the folder that the command was started in where possible. */
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** Column just behind the finding, on the same line, where a span is known. */
  readonly endColumn?: number;
}

/** An error stops a build or an install; a warning does not. */
export type Severity = 'error' | 'warning';

/** A further place that belongs to a finding, such as the other half of a contradiction. */
export interface Note {
  readonly message: string;
  readonly place?: Place;
}

/** One finding that a user can act on. */
export interface Diagnostic {
  /** Stable, documented, kebab-case name of this kind of finding, such as `unknown-key`. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without a final full stop: what is wrong, and what was expected. */
  readonly message: string;
  readonly place?: Place;
  /** What to do about it, or the nearest right thing. */
  readonly hint?: string;
  readonly notes?: readonly Note[];
  /** The package concerned, as `category/name-version`. */
  readonly package?: string;
}

/** Thrown where work cannot go on because of what the user gave; carries every finding, of which there is at least one. */
export class DiagnosticError extends Error {
  override readonly name = 'DiagnosticError';
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    // Nobody would hear of it.
    if (diagnostics.length === 0) throw new RangeError('an error needs a finding that says what is wrong');
    super(diagnostics.map((d) => d.message).join('; '));
    this.diagnostics = diagnostics;
  }
}

/** Whether any of these findings stops a build or an install. */
export function hasErrors(diagnostics: Iterable<Diagnostic>): boolean {
  for (const diagnostic of diagnostics) if (diagnostic.severity === 'error') return true;
  return false;
}
