/**
 * A conflict-driven search over Boolean variables: unit propagation with two watched literals, first-UIP
 * learning with minimised clauses, backjumping. It knows nothing of packages, and takes no decisions itself.
 *
 * A literal is `variable * 2` where it is positive and `variable * 2 + 1` where it is negated.
 */

/** The literal that a variable is true. */
export const positive = (variable: number): number => variable << 1;
/** The opposite of a literal. */
export const negate = (literal: number): number => literal ^ 1;

const NONE = -1;
const INITIAL = 256;

function grown<T extends Int8Array | Int32Array>(array: T, size: number, make: (n: number) => T): T {
  if (array.length >= size) return array;
  const larger = make(Math.max(size, array.length * 2));
  larger.set(array);
  return larger;
}

/** Clauses, the present assignment, and what was learned. Level 0 holds what is true in every search. */
export class Sat {
  /** Value of each literal: 1 true, -1 false, 0 open. */
  #value = new Int8Array(INITIAL * 2);
  #level = new Int32Array(INITIAL);
  /** The clause that implied each variable's value, or NONE. */
  #reason = new Int32Array(INITIAL);
  /** Marks of a conflict analysis; all 0 outside of one. */
  #seen = new Int8Array(INITIAL);
  #variables = 0;
  readonly #clauses: Int32Array[] = [];
  /** Numbers of the clauses that watch each literal, visited when it becomes false. */
  readonly #watches: number[][] = [];
  readonly #trail: number[] = [];
  readonly #starts: number[] = [];
  #head = 0;
  /** Set once the clauses alone contradict each other. */
  #broken = false;
  /** Conflicts met so far, as a measure of work. */
  conflicts = 0;

  /** How many variables there are. */
  get variables(): number {
    return this.#variables;
  }

  /** The number of open decisions. */
  get level(): number {
    return this.#starts.length;
  }

  /** Adds a variable, or several in a row, and returns the first. */
  addVariables(count = 1): number {
    const first = this.#variables;
    this.#variables += count;
    this.#value = grown(this.#value, this.#variables * 2, (n) => new Int8Array(n));
    this.#level = grown(this.#level, this.#variables, (n) => new Int32Array(n));
    this.#reason = grown(this.#reason, this.#variables, (n) => new Int32Array(n));
    this.#seen = grown(this.#seen, this.#variables, (n) => new Int8Array(n));
    while (this.#watches.length < this.#variables * 2) this.#watches.push([]);
    return first;
  }

  /** Whether a literal is true (1), false (-1) or open (0) now. */
  value(literal: number): number {
    return this.#value[literal] ?? 0;
  }

  /** Adds a clause for good; only between searches (at level 0). An empty clause makes everything fail. */
  addClause(literals: readonly number[]): void {
    const kept = new Set<number>();
    for (const literal of literals) {
      if (this.value(literal) > 0 || kept.has(negate(literal))) return;
      if (this.value(literal) === 0) kept.add(literal);
    }
    const clause = Int32Array.from(kept);
    if (clause.length === 0) this.#broken = true;
    else if (clause.length === 1) this.#assign(clause[0] ?? 0, NONE);
    else this.#attach(clause);
  }

  /** Opens a level and makes literals true in it; false where one of them is false already. */
  assume(literals: readonly number[]): boolean {
    this.#starts.push(this.#trail.length);
    for (const literal of literals) {
      if (this.value(literal) < 0) return false;
      if (this.value(literal) === 0) this.#assign(literal, NONE);
    }
    return true;
  }

  /** Decides for the first open variable, against it; false where none is open. */
  decide(): boolean {
    for (let variable = 0; variable < this.#variables; variable++) {
      if (this.value(variable << 1) === 0) return this.assume([(variable << 1) | 1]);
    }
    return false;
  }

  /** Draws all conclusions; returns the number of a clause that became false, or -1 where none did. */
  propagate(): number {
    const value = this.#value;
    const clauses = this.#clauses;
    while (this.#head < this.#trail.length) {
      const falsified = (this.#trail[this.#head++] ?? 0) ^ 1;
      const watching = this.#watches[falsified] ?? [];
      let kept = 0;
      for (let i = 0; i < watching.length; i++) {
        const number = watching[i] as number;
        const clause = clauses[number] as Int32Array;
        if (clause[0] === falsified) {
          clause[0] = clause[1] as number;
          clause[1] = falsified;
        }
        const first = clause[0] as number;
        if (value[first] === 1) {
          watching[kept++] = number;
          continue;
        }
        let other = 2;
        while (other < clause.length && value[clause[other] as number] === -1) other++;
        if (other < clause.length) {
          const literal = clause[other] as number;
          clause[1] = literal;
          clause[other] = falsified;
          (this.#watches[literal] as number[]).push(number);
          continue;
        }
        watching[kept++] = number;
        if (value[first] === -1) {
          for (i++; i < watching.length; i++) watching[kept++] = watching[i] as number;
          watching.length = kept;
          this.#head = this.#trail.length;
          return number;
        }
        this.#assign(first, number);
      }
      watching.length = kept;
    }
    return NONE;
  }

  /** Undoes decisions until `level` of them are open. */
  backTo(level: number): void {
    const start = this.#starts[level];
    if (start === undefined) return;
    for (let i = this.#trail.length - 1; i >= start; i--) {
      const literal = this.#trail[i] ?? 0;
      this.#value[literal] = 0;
      this.#value[literal ^ 1] = 0;
    }
    this.#trail.length = start;
    this.#starts.length = level;
    this.#head = start;
  }

  /**
   * Learns from a clause that became false behind level 1, jumps back to where what was learned has a
   * consequence (level 0 where it holds in every search), and draws it.
   */
  learn(conflict: number): void {
    this.conflicts++;
    const learned = this.#firstUip(conflict);
    let back = 0;
    for (let i = 1; i < learned.length; i++) {
      const level = this.#level[(learned[i] ?? 0) >> 1] ?? 0;
      if (level <= back) continue;
      back = level;
      // The second watch must be the literal that is undone first.
      const swapped = learned[1] ?? 0;
      learned[1] = learned[i] ?? 0;
      learned[i] = swapped;
    }
    this.backTo(back);
    const asserted = learned[0] ?? 0;
    this.#assign(asserted, learned.length === 1 ? NONE : this.#attach(Int32Array.from(learned)));
  }

  /** Whether the clauses alone, without any assumption, are known to contradict each other. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The assumptions (literals made true in level 1) that a false clause at level 1 rests on. */
  blame(conflict: number): number[] {
    return this.#blame(this.#clauses[conflict] ?? []);
  }

  /** The assumptions that, together, made a literal false, which was to be assumed itself. */
  blameFor(literal: number): number[] {
    return [literal, ...this.#blame([literal])];
  }

  #blame(falseLiterals: Iterable<number>): number[] {
    const found: number[] = [];
    const open: number[] = [];
    const reached = new Set<number>();
    const reach = (literals: Iterable<number>): void => {
      for (const literal of literals) {
        const variable = literal >> 1;
        if (reached.has(variable) || this.#level[variable] === 0) continue;
        reached.add(variable);
        open.push(variable);
      }
    };
    reach(falseLiterals);
    for (let variable = open.pop(); variable !== undefined; variable = open.pop()) {
      const reason = this.#reason[variable] ?? NONE;
      if (reason !== NONE) reach(this.#clauses[reason] ?? []);
      else found.push(this.value(variable << 1) > 0 ? variable << 1 : (variable << 1) | 1);
    }
    return found;
  }

  #attach(clause: Int32Array): number {
    const number = this.#clauses.push(clause) - 1;
    (this.#watches[clause[0] ?? 0] as number[]).push(number);
    (this.#watches[clause[1] ?? 0] as number[]).push(number);
    return number;
  }

  #assign(literal: number, reason: number): void {
    this.#value[literal] = 1;
    this.#value[literal ^ 1] = -1;
    const variable = literal >> 1;
    this.#level[variable] = this.#starts.length;
    this.#reason[variable] = reason;
    this.#trail.push(literal);
  }

  /** The learned clause: its first literal is the one to assert. */
  #firstUip(conflict: number): number[] {
    const seen = this.#seen;
    const learned = [0];
    const marked: number[] = [];
    let open = 0;
    let reason = conflict;
    let at = this.#trail.length - 1;
    for (;;) {
      for (const literal of this.#clauses[reason] ?? []) {
        const variable = literal >> 1;
        const level = this.#level[variable] ?? 0;
        // The literal that a reason implied is marked already, and all of level 0 is true anyway.
        if (seen[variable] !== 0 || level === 0) continue;
        seen[variable] = 1;
        marked.push(variable);
        if (level === this.level) open++;
        else learned.push(literal);
      }
      while (seen[(this.#trail[at] ?? 0) >> 1] === 0) at--;
      const literal = this.#trail[at--] ?? 0;
      if (--open === 0) {
        learned[0] = literal ^ 1;
        break;
      }
      reason = this.#reason[literal >> 1] ?? NONE;
    }
    const kept = learned.filter((literal, i) => i === 0 || !this.#implied(literal >> 1));
    for (const variable of marked) seen[variable] = 0;
    return kept;
  }

  /** Whether a marked variable follows from other marked ones alone, so that a learned clause can omit it. */
  #implied(variable: number): boolean {
    const reason = this.#reason[variable] ?? NONE;
    if (reason === NONE) return false;
    for (const literal of this.#clauses[reason] ?? []) {
      const other = literal >> 1;
      if (other !== variable && this.#seen[other] === 0 && this.#level[other] !== 0) return false;
    }
    return true;
  }
}
