/** A command line that is wrong: shown as `error: …` without a stack, and the exit code is 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What is wrong, a line each, without `error:` before it. */
  readonly problems: readonly string[];

  constructor(...problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** What the reader of a flag's value throws: a sentence that says what is expected. */
export class InvalidValue extends Error {
  override readonly name = 'InvalidValue';
  /** The sentence; oclif's parser changes `message`. */
  readonly expected: string;
  /** The value; set by what called the reader. */
  input = '';

  constructor(expected: string) {
    super(expected);
    this.expected = expected;
  }
}

/** What the reader of a flag throws that is known from Luet and not supported: what to do instead. */
export class NotSupported extends Error {
  override readonly name = 'NotSupported';
  readonly instead: string;

  constructor(instead: string) {
    super(instead);
    this.instead = instead;
  }
}
