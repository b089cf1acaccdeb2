/** The state of a node. */
export type NodeState =
  /** Waits for its requirements, or for a slot. */
  | 'waiting'
  /** Its image is being looked up, or loaded into the engine. */
  | 'fetching'
  /** Its commands are running. */
  | 'running'
  /** Its image is being made. */
  | 'committing'
  /** Its packages are being written. */
  | 'packing'
  | 'done'
  | 'failed';

/**
 * Allowed changes of state. Every state can change to failed, and a node whose image was lost starts again.
 */
const next: Readonly<Record<NodeState, readonly NodeState[]>> = {
  waiting: ['fetching', 'running', 'packing', 'done'],
  fetching: ['waiting', 'running', 'packing', 'done'],
  running: ['committing', 'waiting'],
  committing: ['packing', 'done', 'waiting'],
  packing: ['done', 'waiting', 'fetching'],
  done: ['waiting', 'fetching', 'packing'],
  failed: ['waiting', 'fetching'],
};

/** The states of a plan's nodes. An impossible change is a bug and throws. */
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
      throw new Error(`internal error: node ${node} cannot change from ${now} to ${state}`);
    this.#states[node] = state;
  }
}
