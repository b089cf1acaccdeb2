import type { Diagnostic } from '../../diagnostic/index.ts';
import type { BuildEvent, Fault, NodeState, Outcome } from '../../events/index.ts';

/** One package that is being worked on. Times are the clock's. */
export interface Running {
  readonly since: number;
  /** What is done, where that is no step: `starting`, `cutting`, or the state of its node. */
  doing: string;
  step: (BuildEvent & { readonly type: 'step' }) | undefined;
}

/** The events of some types. */
type EventOf<T extends BuildEvent['type']> = Extract<BuildEvent, { readonly type: T }>;

/** A step that has ended. */
export type EndedStep = BuildEvent & { readonly type: 'stepped' } & { readonly command: string };

/** Whether a node in a state is worked on; `running` is told by its steps. */
const isWork = (state: NodeState): boolean => !['waiting', 'done', 'failed'].includes(state);

/** Steps that are remembered as the slowest. */
const SLOWEST = 3;

/** What is known of a build from its events so far. */
export class BuildState {
  /** When it began. */
  readonly since: number;
  /** Packages to be written that are not written, and neither failed nor stopped. */
  readonly open = new Set<string>();
  total = 0;
  concurrency = 1;
  needs: ReadonlyMap<string, readonly string[]> = new Map();
  readonly running = new Map<string, Running>();
  /** What each node does that has begun, in the order of their beginnings; nodes of one package are several where it is built on several parents. */
  readonly nodes = new Map<number, { readonly package: string; readonly state: NodeState }>();
  /** Packages that wait only for a slot. */
  readonly queued = new Set<string>();
  /** Packages that can be built on, and those that are written. */
  readonly ready = new Set<string>();
  readonly reused = new Set<string>();
  readonly written = new Map<string, Outcome>();
  readonly failed: {
    readonly package: string;
    readonly diagnostics: readonly Diagnostic[];
    readonly fault?: Fault;
  }[] = [];
  /** Packages that need one that failed, and packages that were stopped by one that they do not need. */
  readonly skipped: { readonly package: string; readonly because: string }[] = [];
  readonly stopped: { readonly package: string; readonly because: string }[] = [];
  /** How long the packages that ran in this build took, in milliseconds. */
  readonly durations = new Map<string, number>();
  /** The slowest first. */
  slowest: readonly EndedStep[] = [];

  /** Since when the engine is waited for, and for how long at most. */
  engineGone: { readonly since: number; readonly milliseconds: number } | undefined;

  constructor(since: number) {
    this.since = since;
  }

  /** Takes an event that happens at that time. */
  take(event: BuildEvent, now: number): void {
    switch (event.type) {
      case 'planned':
        for (const name of event.packages) this.open.add(name);
        this.total = this.open.size;
        this.needs = new Map(Object.entries(event.needs));
        this.concurrency = event.concurrency;
        break;
      case 'state':
        this.#takeState(event, now);
        break;
      case 'queued':
        this.queued.add(event.package);
        break;
      case 'reused':
        if (this.running.get(event.package)?.doing === 'fetching') this.running.delete(event.package);
        this.reused.add(event.package);
        this.ready.add(event.package);
        break;
      case 'started': {
        this.queued.delete(event.package);
        const before = this.running.get(event.package);
        // The time in which its image was looked for elsewhere is not that of its commands.
        const since = before === undefined || before.doing === 'fetching' ? now : before.since;
        const doing = event.work === 'cut' ? 'cutting' : 'starting';
        this.running.set(event.package, { since, doing, step: undefined });
        break;
      }
      case 'step':
      case 'stepped':
        this.#takeStep(event);
        break;
      case 'ran': {
        this.ready.add(event.package);
        this.#ran(event.package, now);
        // One that is only built on is not written.
        if (!this.open.has(event.package)) this.running.delete(event.package);
        break;
      }
      case 'written':
      case 'failed':
      case 'skipped':
      case 'stopped':
        this.#takeEnd(event, now);
        break;
      case 'retrying':
        // What is lost does not count for how long a package takes.
        this.running.delete(event.package);
        break;
      case 'engine-gone':
        this.engineGone = { since: now, milliseconds: event.milliseconds };
        break;
      case 'engine-back':
        this.engineGone = undefined;
        break;
      case 'output':
      case 'notice':
      case 'not-isolated':
      case 'cache-note':
      case 'explained':
        break;
    }
  }

  #takeStep(event: EventOf<'step' | 'stepped'>): void {
    const running = this.running.get(event.package);
    if (event.type === 'step') {
      if (running !== undefined) running.step = event;
      return;
    }
    const ended: EndedStep = { ...event, command: running?.step?.command ?? '' };
    this.slowest = [...this.slowest, ended].sort((a, b) => b.milliseconds - a.milliseconds).slice(0, SLOWEST);
    if (running !== undefined && event.index === event.count - 1) {
      running.step = undefined;
      running.doing = event.phase === 'steps' ? 'packing' : 'prepared';
    }
  }

  /** Takes an event after which nothing more happens to its package. */
  #takeEnd(event: EventOf<'written' | 'failed' | 'skipped' | 'stopped'>, now: number): void {
    // Its image may be made later than its archive.
    if (event.type === 'written' && event.outcome === 'built') this.#ran(event.package, now);
    this.open.delete(event.package);
    this.queued.delete(event.package);
    this.running.delete(event.package);
    if (event.type === 'failed') this.failed.push(event);
    else if (event.type === 'skipped') this.skipped.push(event);
    else if (event.type === 'stopped') this.stopped.push(event);
    else {
      this.ready.add(event.package);
      this.written.set(event.package, event.outcome);
    }
  }

  #takeState({ package: name, node, state }: BuildEvent & { readonly type: 'state' }, now: number): void {
    this.nodes.delete(node);
    this.nodes.set(node, { package: name, state });
    const running = this.running.get(name);
    if (state === 'fetching' && running === undefined)
      this.running.set(name, { since: now, doing: state, step: undefined });
    else if (running !== undefined && running.step === undefined && isWork(state)) running.doing = state;
    else if (running?.doing === 'fetching' && !isWork(state)) this.running.delete(name);
  }

  /** Packages that are worked on, and what each does. */
  working(): readonly { readonly package: string; readonly state: NodeState }[] {
    return [...this.nodes.values()].filter(({ state }) => isWork(state));
  }

  #ran(name: string, now: number): void {
    const running = this.running.get(name);
    if (running !== undefined) this.durations.set(name, now - running.since);
  }

  /** How many packages had which outcome, in the order in which that is printed. */
  counts(): readonly { readonly word: string; readonly count: number }[] {
    const outcomes = [...this.written.values()];
    return [
      ...(['built', 'cut', 'empty', 'unchanged'] as const).map((word) => ({
        word,
        count: outcomes.filter((one) => one === word).length,
      })),
      { word: 'failed', count: this.failed.filter(({ fault }) => fault === undefined).length },
      { word: 'not finished', count: this.failed.filter(({ fault }) => fault !== undefined).length },
      { word: 'not built', count: this.skipped.length },
      { word: 'stopped', count: this.stopped.length },
    ].filter(({ count }) => count > 0);
  }

  /**
   * Packages that wait, by what each waits for first; those that only wait for a slot under ''. Most first.
   */
  waiting(): readonly (readonly [need: string, packages: readonly string[]])[] {
    const groups = new Map<string, string[]>();
    for (const name of this.open) {
      if (this.running.has(name) || this.ready.has(name)) continue;
      const missing = (this.needs.get(name) ?? []).filter((need) => !this.ready.has(need));
      const need = missing.find((one) => this.running.has(one)) ?? missing[0] ?? '';
      const group = groups.get(need);
      if (group === undefined) groups.set(need, [name]);
      else group.push(name);
    }
    const rank = (need: string): number => (need === '' ? 2 : this.running.has(need) ? 0 : 1);
    return [...groups].sort(([a, ofA], [b, ofB]) => rank(a) - rank(b) || ofB.length - ofA.length);
  }
}
