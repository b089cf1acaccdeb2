import { Activity } from './activity.ts';
import { grown } from './literal.ts';

const NONE = -1;
/** A clause in the arena: its size, the number of levels it joined when it was learned, its literals. */
const HEADER = 2;
/** Number of learned clauses above which the weaker half is deleted; the limit grows later. */
const KEEP = 4000;

/**
 * A SAT solver with conflict-driven clause learning: unit propagation with two watched literals, first-UIP
 * learning with minimised clauses, backjumping. It does not know packages. The caller decides by its own
 * rules or with `decide`. Level 0 contains what is true in every search; level 1 can assume any number of
 * literals at once; each later level is one decision.
 */
export class Sat {
  /** Value of each literal: 1 true, -1 false, 0 unassigned. */
  #value = new Int8Array(512);
  #level = new Int32Array(256);
  /** The clause that implied the value of each variable, or NONE. */
  #reason = new Int32Array(256);
  /** Marks used by conflict analysis; all 0 outside it. */
  #seen = new Int8Array(256);
  /** The last value of each variable, which `decide` prefers: 1 true, otherwise false. */
  #phase = new Int8Array(256);
  #variables = 0;
  /** All clauses. A clause is identified by its offset. */
  #arena = new Int32Array(1024);
  #arenaEnd = 0;
  /** For each literal, pairs of a clause that watches it and another literal of that clause. */
  #watches: number[][] = [];
  readonly #learned: number[] = [];
  #keep = KEEP;
  readonly #trail: number[] = [];
  readonly #starts: number[] = [];
  #head = 0;
  #broken = false;
  #activity: Activity | undefined;
  /** Number of conflicts so far, as a measure of work. */
  conflicts = 0;

  /** Number of open levels. */
  get level(): number {
    return this.#starts.length;
  }

  /** Whether the clauses contradict each other without any assumption. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Size of all clauses: the number of literals plus a small amount for each clause. */
  get size(): number {
    return this.#arenaEnd;
  }

  /** A copy of the current values of all literals. */
  snapshot(): Int8Array {
    return this.#value.slice(0, this.#variables * 2);
  }

  /** Adds consecutive variables and returns the first one. */
  addVariables(count = 1): number {
    const first = this.#variables;
    const size = first + count;
    this.#variables = size;
    this.#value = grown(this.#value, size * 2, (n) => new Int8Array(n));
    this.#level = grown(this.#level, size, (n) => new Int32Array(n));
    this.#reason = grown(this.#reason, size, (n) => new Int32Array(n));
    this.#seen = grown(this.#seen, size, (n) => new Int8Array(n));
    this.#phase = grown(this.#phase, size, (n) => new Int8Array(n));
    while (this.#watches.length < size * 2) this.#watches.push([]);
    for (let variable = first; variable < size; variable++) this.#activity?.insert(variable);
    return first;
  }

  /** The current value of a literal: 1 true, -1 false, 0 unassigned. */
  value(literal: number): number {
    return this.#value[literal] ?? 0;
  }

  /** Adds a permanent clause. At level 0 only. */
  addClause(literals: readonly number[]): void {
    const kept: number[] = [];
    // Only short clauses can contain a literal twice; long ones list the options of a requirement.
    const short = literals.length <= 8;
    for (const literal of literals) {
      if (this.value(literal) > 0 || (short && kept.includes(literal ^ 1))) return;
      if (this.value(literal) === 0 && !(short && kept.includes(literal))) kept.push(literal);
    }
    if (kept.length === 0) this.#broken = true;
    else if (kept.length === 1) this.#assign(kept[0] ?? 0, NONE);
    else this.#attach(kept, 0);
  }

  /** Opens a level and assigns literals in it. Returns a literal that is already false, or -1. */
  assume(literals: readonly number[]): number {
    this.#starts.push(this.#trail.length);
    for (const literal of literals) {
      const value = this.value(literal);
      if (value < 0) return literal;
      if (value === 0) this.#assign(literal, NONE);
    }
    return NONE;
  }

  /**
   * Decides the most active unassigned variable, with its last value. False if all variables are assigned:
   * all clauses are satisfied.
   */
  decide(): boolean {
    if (this.#activity === undefined) {
      this.#activity = new Activity();
      for (let variable = 0; variable < this.#variables; variable++) this.#activity.insert(variable);
    }
    for (;;) {
      const variable = this.#activity.pop();
      if (variable === undefined) return false;
      if (this.value(variable << 1) !== 0) continue;
      this.assume([this.#phase[variable] === 1 ? variable << 1 : (variable << 1) | 1]);
      return true;
    }
  }

  /** Assigns all implied values. Returns a clause that became false, or -1. */
  propagate(): number {
    const value = this.#value;
    const arena = this.#arena;
    const trail = this.#trail;
    const watches = this.#watches;
    while (this.#head < trail.length) {
      const falsified = (trail[this.#head++] as number) ^ 1;
      const watching = watches[falsified] as number[];
      const end = watching.length;
      let kept = 0;
      for (let i = 0; i < end; ) {
        const clause = watching[i++] as number;
        const blocker = watching[i++] as number;
        if (value[blocker] === 1) {
          watching[kept++] = clause;
          watching[kept++] = blocker;
          continue;
        }
        const begin = clause + HEADER;
        let first = arena[begin] as number;
        if (first === falsified) {
          first = arena[begin + 1] as number;
          arena[begin] = first;
          arena[begin + 1] = falsified;
        }
        if (value[first] !== 1) {
          const stop = begin + (arena[clause] as number);
          let other = begin + 2;
          while (other < stop && value[arena[other] as number] === -1) other++;
          if (other < stop) {
            const literal = arena[other] as number;
            arena[begin + 1] = literal;
            arena[other] = falsified;
            (watches[literal] as number[]).push(clause, first);
            continue;
          }
        }
        watching[kept++] = clause;
        watching[kept++] = first;
        if (value[first] === 0) {
          this.#assign(first, clause);
        } else if (value[first] === -1) {
          while (i < end) watching[kept++] = watching[i++] as number;
          watching.length = kept;
          this.#head = trail.length;
          return clause;
        }
      }
      watching.length = kept;
    }
    return NONE;
  }

  /** Undoes all levels above `level`. */
  backTo(level: number): void {
    const start = this.#starts[level];
    if (start === undefined) return;
    for (let i = this.#trail.length - 1; i >= start; i--) {
      const literal = this.#trail[i] as number;
      this.#value[literal] = 0;
      this.#value[literal ^ 1] = 0;
      if (this.#activity === undefined) continue;
      this.#phase[literal >> 1] = (literal & 1) ^ 1;
      this.#activity.insert(literal >> 1);
    }
    this.#trail.length = start;
    this.#starts.length = level;
    this.#head = start;
  }

  /**
   * Learns a clause from a clause that became false above level 1, jumps back to the level at which the
   * learned clause implies a value (level 0 if it holds in every search), and assigns that value.
   */
  learn(conflict: number): void {
    this.conflicts++;
    const learned = this.#firstUip(conflict);
    let back = 0;
    for (let i = 1; i < learned.length; i++) {
      const level = this.#level[(learned[i] as number) >> 1] as number;
      if (level <= back) continue;
      back = level;
      // The second watched literal must be the one that is undone first.
      const swapped = learned[1] as number;
      learned[1] = learned[i] as number;
      learned[i] = swapped;
    }
    const joined = new Set(learned.map((literal) => this.#level[literal >> 1])).size;
    this.backTo(back);
    let reason = NONE;
    if (learned.length > 1) {
      reason = this.#attach(learned, joined);
      this.#learned.push(reason);
    }
    this.#assign(learned[0] as number, reason);
    this.#activity?.decay();
  }

  /** Whether `forget` would delete clauses. */
  get crowded(): boolean {
    return this.#learned.length >= this.#keep;
  }

  /** Deletes the weaker half of the learned clauses if there are too many. At level 0 only. */
  forget(): void {
    if (!this.crowded) return;
    this.#keep = Math.floor(this.#keep * 1.2);
    // Clauses that join few levels are the most useful; of equal ones, later clauses are.
    const joined = (clause: number): number => this.#arena[clause + 1] ?? 0;
    const best = this.#learned.sort((a, b) => joined(a) - joined(b) || b - a);
    const dropped = new Set(best.splice(best.length >> 1));
    // Reasons are never used at level 0, so nothing else refers to a clause.
    for (const watching of this.#watches) {
      let kept = 0;
      for (let i = 0; i < watching.length; i += 2) {
        if (dropped.has(watching[i] as number)) continue;
        watching[kept++] = watching[i] as number;
        watching[kept++] = watching[i + 1] as number;
      }
      watching.length = kept;
    }
  }

  /** The literals assumed at level 1 that made a clause false. */
  blame(conflict: number): number[] {
    return this.#blame(this.#literals(conflict));
  }

  /**
   * The literals assumed at level 1, including this one, that contradict each other because this one is
   * false.
   */
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
      if (reason !== NONE) reach(this.#literals(reason));
      else found.push(this.value(variable << 1) > 0 ? variable << 1 : (variable << 1) | 1);
    }
    return found;
  }

  #literals(clause: number): Int32Array {
    return this.#arena.subarray(clause + HEADER, clause + HEADER + (this.#arena[clause] ?? 0));
  }

  #attach(literals: readonly number[], joined: number): number {
    const clause = this.#arenaEnd;
    this.#arenaEnd += HEADER + literals.length;
    this.#arena = grown(this.#arena, this.#arenaEnd, (n) => new Int32Array(n));
    this.#arena[clause] = literals.length;
    this.#arena[clause + 1] = joined;
    this.#arena.set(literals, clause + HEADER);
    const [first, second] = literals as [number, number];
    (this.#watches[first] as number[]).push(clause, second);
    (this.#watches[second] as number[]).push(clause, first);
    return clause;
  }

  #assign(literal: number, reason: number): void {
    this.#value[literal] = 1;
    this.#value[literal ^ 1] = -1;
    const variable = literal >> 1;
    this.#level[variable] = this.#starts.length;
    this.#reason[variable] = reason;
    this.#trail.push(literal);
  }

  /** The clause to learn. Its first literal is the one to assign. */
  #firstUip(conflict: number): number[] {
    const arena = this.#arena;
    const seen = this.#seen;
    const here = this.#starts.length;
    const learned = [0];
    const marked: number[] = [];
    let open = 0;
    let reason = conflict;
    let at = this.#trail.length - 1;
    for (;;) {
      const stop = reason + HEADER + (arena[reason] as number);
      for (let i = reason + HEADER; i < stop; i++) {
        const literal = arena[i] as number;
        const variable = literal >> 1;
        const level = this.#level[variable] as number;
        // The literal that a reason implied is already marked, and literals of level 0 are always true.
        if (seen[variable] !== 0 || level === 0) continue;
        seen[variable] = 1;
        marked.push(variable);
        this.#activity?.bump(variable);
        if (level === here) open++;
        else learned.push(literal);
      }
      while (seen[(this.#trail[at] as number) >> 1] === 0) at--;
      const literal = this.#trail[at--] as number;
      if (--open === 0) {
        learned[0] = literal ^ 1;
        break;
      }
      reason = this.#reason[literal >> 1] as number;
    }
    const kept = learned.filter((literal, i) => i === 0 || !this.#implied(literal >> 1));
    for (const variable of marked) seen[variable] = 0;
    return kept;
  }

  /**
   * Whether a marked variable follows from other marked ones only, so that the learned clause need not
   * contain it.
   */
  #implied(variable: number): boolean {
    const reason = this.#reason[variable] ?? NONE;
    if (reason === NONE) return false;
    const arena = this.#arena;
    const stop = reason + HEADER + (arena[reason] as number);
    for (let i = reason + HEADER; i < stop; i++) {
      const other = (arena[i] as number) >> 1;
      if (other !== variable && this.#seen[other] === 0 && this.#level[other] !== 0) return false;
    }
    return true;
  }
}
