import { Activity } from './activity.ts';
import { grown } from './literal.ts';

const NONE = -1;
/** A clause in the arena is its size, the number of levels it joined when learned, then its literals. */
const HEADER = 2;
/** Learned clauses that are kept before the weaker half of them is dropped, at first. */
const KEEP = 4000;

/**
 * A conflict-driven search over Boolean variables: unit propagation with two watched literals, first-UIP
 * learning with minimised clauses, backjumping. It knows nothing of packages. Whoever searches decides, on
 * their own terms or by `decide`. Level 0 holds what is true in every search; level 1 may assume any number of
 * literals at once; each later level is one decision.
 */
export class Sat {
  /** Value of each literal: 1 true, -1 false, 0 open. */
  #value = new Int8Array(512);
  #level = new Int32Array(256);
  /** The clause that implied each variable's value, or NONE. */
  #reason = new Int32Array(256);
  /** Marks of a conflict analysis; all 0 outside of one. */
  #seen = new Int8Array(256);
  /** The value that each variable had last, which `decide` prefers: 1 true, otherwise false. */
  #phase = new Int8Array(256);
  #variables = 0;
  /** All clauses; one is named by where it begins. */
  #arena = new Int32Array(1024);
  #arenaEnd = 0;
  /** Pairs for each literal: a clause that watches it, and some other literal of that clause. */
  #watches: number[][] = [];
  readonly #learned: number[] = [];
  #keep = KEEP;
  readonly #trail: number[] = [];
  readonly #starts: number[] = [];
  #head = 0;
  #broken = false;
  #activity: Activity | undefined;
  /** Conflicts met so far, as a measure of work. */
  conflicts = 0;

  /** The number of open levels. */
  get level(): number {
    return this.#starts.length;
  }

  /** Whether the clauses alone, without any assumption, are known to contradict each other. */
  get broken(): boolean {
    return this.#broken;
  }

  /** The room that all clauses take, in literals and a little for each clause. */
  get size(): number {
    return this.#arenaEnd;
  }

  /** The value of every literal now, for a later look. */
  snapshot(): Int8Array {
    return this.#value.slice(0, this.#variables * 2);
  }

  /** Adds variables in a row and returns the first. */
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

  /** Whether a literal is true (1), false (-1) or open (0) now. */
  value(literal: number): number {
    return this.#value[literal] ?? 0;
  }

  /** Adds a clause for good; only at level 0. */
  addClause(literals: readonly number[]): void {
    const kept: number[] = [];
    // Only clauses of a few literals can repeat one; long ones list what can satisfy a requirement.
    const short = literals.length <= 8;
    for (const literal of literals) {
      if (this.value(literal) > 0 || (short && kept.includes(literal ^ 1))) return;
      if (this.value(literal) === 0 && !(short && kept.includes(literal))) kept.push(literal);
    }
    if (kept.length === 0) this.#broken = true;
    else if (kept.length === 1) this.#assign(kept[0] ?? 0, NONE);
    else this.#attach(kept, 0);
  }

  /** Opens a level and makes literals true in it; returns one that is false already, or -1. */
  assume(literals: readonly number[]): number {
    this.#starts.push(this.#trail.length);
    for (const literal of literals) {
      const value = this.value(literal);
      if (value < 0) return literal;
      if (value === 0) this.#assign(literal, NONE);
    }
    return NONE;
  }

  /** Decides for the most active open variable, as it was last; false where none is open: all clauses hold. */
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

  /** Draws all conclusions; returns a clause that became false, or -1. */
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

  /** Undoes all levels but the first `level` of them. */
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
   * Learns from a clause that became false behind level 1, jumps back to where what was learned has a
   * consequence (level 0 where it holds in every search), and draws it.
   */
  learn(conflict: number): void {
    this.conflicts++;
    const learned = this.#firstUip(conflict);
    let back = 0;
    for (let i = 1; i < learned.length; i++) {
      const level = this.#level[(learned[i] as number) >> 1] as number;
      if (level <= back) continue;
      back = level;
      // The second watch must be the literal that is undone first.
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

  /** Whether `forget` would drop something. */
  get crowded(): boolean {
    return this.#learned.length >= this.#keep;
  }

  /** Drops the weaker half of what was learned where that has become much; only at level 0. */
  forget(): void {
    if (!this.crowded) return;
    this.#keep = Math.floor(this.#keep * 1.2);
    // Clauses that join few levels have consequences soonest; of equal ones the later are more to the point.
    const joined = (clause: number): number => this.#arena[clause + 1] ?? 0;
    const best = this.#learned.sort((a, b) => joined(a) - joined(b) || b - a);
    const dropped = new Set(best.splice(best.length >> 1));
    // At level 0 no reason is ever looked at, so nothing else refers to a clause.
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

  /** The literals assumed at level 1 that a clause, false at that level, rests on. */
  blame(conflict: number): number[] {
    return this.#blame(this.#literals(conflict));
  }

  /** The literals assumed at level 1, this one among them, that cannot hold together because it is false. */
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

  /** The clause to learn; its first literal is the one to assert. */
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
        // The literal that a reason implied is marked already, and all of level 0 is true anyway.
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

  /** Whether a marked variable follows from other marked ones alone, so that a learned clause can omit it. */
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
