import type { EventSink, NodeState } from '../events/index.ts';
import type { ResolvedPlan } from '../resolve/index.ts';

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
  failed: ['waiting', 'fetching', 'packing'],
};

/** The states of a plan's nodes; each change is reported as an event. An impossible change is a bug and throws. */
export class NodeStates {
  readonly #states: NodeState[];
  readonly #nodes: ResolvedPlan['nodes'];
  readonly #onEvent: EventSink;

  constructor({ nodes }: Pick<ResolvedPlan, 'nodes'>, onEvent: EventSink) {
    this.#nodes = nodes;
    this.#onEvent = onEvent;
    this.#states = nodes.map(() => 'waiting');
  }

  of(node: number): NodeState {
    return this.#states[node] ?? 'waiting';
  }

  set(node: number, state: NodeState): void {
    const now = this.of(node);
    if (now !== state && state !== 'failed' && !next[now].includes(state))
      throw new Error(`internal error: node ${node} cannot change from ${now} to ${state}`);
    if (now === state) return;
    this.#states[node] = state;
    this.#onEvent({ type: 'state', package: this.#nodes[node]?.package ?? '', node, state });
  }

  /** Notes that nothing has to be done for a node. Where it runs for others all the same, that is what it does. */
  skip(node: number): void {
    if (this.of(node) === 'waiting') this.set(node, 'done');
  }

  /**
   * Notes that packages are being cut from a node's image, or that they are written. A node whose image was lost may run
   * again meanwhile, for others: that is then what it does.
   */
  packs(node: number | undefined, isPacking: boolean): void {
    if (node === undefined) return;
    const now = this.of(node);
    if (isPacking && now !== 'running' && now !== 'committing') this.set(node, 'packing');
    else if (!isPacking && now === 'packing') this.set(node, 'done');
  }
}
