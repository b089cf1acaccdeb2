/**
 * A priority queue (binary heap) of variables by their activity in recent conflicts. Of equal ones, the lower
 * number comes first.
 */
export class Activity {
  #activity = new Float64Array(256);
  #increment = 1;
  readonly #heap: number[] = [];
  /** Index of each variable in the heap plus one; 0 if it is not in the heap. */
  #place = new Int32Array(256);

  /** Adds a variable to the queue. */
  insert(variable: number): void {
    this.#reserve(variable);
    if (this.#place[variable] !== 0) return;
    this.#heap.push(variable);
    this.#place[variable] = this.#heap.length;
    this.#up(this.#heap.length - 1);
  }

  /** Removes and returns the most active variable; undefined if the queue is empty. */
  pop(): number | undefined {
    const top = this.#heap[0];
    const last = this.#heap.pop();
    if (top === undefined || last === undefined) return undefined;
    this.#place[top] = 0;
    if (last !== top) {
      this.#heap[0] = last;
      this.#place[last] = 1;
      this.#down(0);
    }
    return top;
  }

  /** Increases the activity of a variable in the current conflict. */
  bump(variable: number): void {
    this.#reserve(variable);
    const raised = (this.#activity[variable] ?? 0) + this.#increment;
    this.#activity[variable] = raised;
    if (raised > 1e100) {
      for (let v = 0; v < this.#activity.length; v++) this.#activity[v] = (this.#activity[v] ?? 0) * 1e-100;
      this.#increment *= 1e-100;
    }
    const place = this.#place[variable] ?? 0;
    if (place > 0) this.#up(place - 1);
  }

  /** Reduces the weight of all earlier conflicts. */
  decay(): void {
    this.#increment /= 0.95;
  }

  #before(a: number, b: number): boolean {
    const x = this.#activity[a] ?? 0;
    const y = this.#activity[b] ?? 0;
    return x > y || (x === y && a < b);
  }

  #up(from: number): void {
    const heap = this.#heap;
    const variable = heap[from] as number;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as number;
      if (!this.#before(variable, above)) break;
      heap[at] = above;
      this.#place[above] = at + 1;
      at = parent;
    }
    heap[at] = variable;
    this.#place[variable] = at + 1;
  }

  #down(from: number): void {
    const heap = this.#heap;
    const variable = heap[from] as number;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as number, heap[child] as number)) child++;
      const below = heap[child] as number;
      if (!this.#before(below, variable)) break;
      heap[at] = below;
      this.#place[below] = at + 1;
      at = child;
    }
    heap[at] = variable;
    this.#place[variable] = at + 1;
  }

  #reserve(variable: number): void {
    if (variable < this.#place.length) return;
    const size = Math.max(variable + 1, this.#place.length * 2);
    const place = new Int32Array(size);
    place.set(this.#place);
    this.#place = place;
    const activity = new Float64Array(size);
    activity.set(this.#activity);
    this.#activity = activity;
  }
}
