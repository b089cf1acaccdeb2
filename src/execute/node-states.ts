/** What a node is doing. */
export type NodeState =
  /** For what it needs, or for a slot. */
  | 'waiting'
  /** Its image is being looked for, or brought into the engine. */
  | 'fetching'
  /** Prelude and steps run. */
  | 'running'
  /** Its image is being made of what they left. */
  | 'committing'
  /** Its packages are being written. */
  | 'packing'
  | 'done'
  | 'failed';

/** Which states may follow a state. Every state may fail, and a node whose image was lost starts again. */
const next: Readonly<Record<NodeState, readonly NodeState[]>> = {
  waiting: ['fetching', 'running', 'packing', 'done'],
  fetching: ['waiting', 'running', 'packing', 'done'],
  running: ['committing', 'waiting'],
  committing: ['packing', 'done', 'waiting'],
  packing: ['done', 'waiting', 'fetching'],
  done: ['waiting', 'fetching', 'packing'],
  failed: ['waiting', 'fetching'],
};

/** The states of a plan's nodes. A change that cannot happen is a bug, and throws. */
export class NodeStates {
  readonly #states: NodeState[];

  constructor(count: number) {
    this.#states = Array.from({ length: count }, () => 'waiting');
  }

  of(node: number): NodeState {
    return this.#states[node] ?? 'waiting';
  }

  set(node: number, state: NodeState): void {
    const now = this.of(node);
    if (now !== state && state !== 'failed' && !next[now].includes(state))
      throw new Error(`node ${node} cannot be ${state} after it was ${now}`);
    this.#states[node] = state;
  }
}
