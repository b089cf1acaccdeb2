import { luetFormat } from '../artifact/index.ts';
import type { ImageCache } from '../cache/index.ts';
import type { BuildEvent, EventSink } from '../events/index.ts';
import type { ResolvedPlan } from '../resolve/index.ts';
import type { Running } from './build-run.ts';

/** Says why packages are built: once, when the first one is. With `--fail-on-miss` before anything is, which then ends the build. */
export class Explaining {
  readonly #running: Running;
  readonly #cache: ImageCache | undefined;
  readonly #onEvent: EventSink<BuildEvent>;
  #plan: ResolvedPlan | undefined;
  isStopped = false;

  constructor(running: Running, cache: ImageCache | undefined, onEvent: EventSink<BuildEvent>) {
    this.#running = running;
    this.#cache = cache;
    this.#onEvent = onEvent;
  }

  /** Takes the plan; resolves to whether the build goes on. */
  async begin(plan: ResolvedPlan): Promise<boolean> {
    const { flags, context } = this.#running;
    // What cannot be built at all says so better when it is tried.
    const isBroken = plan.nodes.some(({ identity }) => identity.state === 'failed');
    if (flags.failOnMiss !== true || isBroken) {
      this.#plan = plan;
      return true;
    }
    const { reportLines } = await import('./explain-report.ts');
    const packages = await this.#explain(plan);
    if (!packages.some(({ state }) => state === 'build')) return true;
    this.isStopped = true;
    context.stderr.write(`${reportLines(packages, context.cwd).join('\n')}\n`);
    return false;
  }

  /** Takes an event of the build. */
  take(event: BuildEvent): void {
    const plan = this.#plan;
    if (plan === undefined || event.type !== 'started' || event.work !== 'run') return;
    this.#plan = undefined;
    // It is only told: what fails here fails the build by itself, or is nothing to it.
    this.#tell(plan).catch(() => {});
  }

  async #tell(plan: ResolvedPlan): Promise<void> {
    const { shortReport } = await import('./explain-report.ts');
    const message = shortReport(await this.#explain(plan), this.#running.context.cwd);
    if (message !== undefined) this.#onEvent({ type: 'explained', message });
  }

  async #explain(plan: ResolvedPlan) {
    const { explainResolved } = await import('./explain-plan.ts');
    const { flags, engine, destination, context } = this.#running;
    const format = luetFormat(flags.compression);
    return await explainResolved(plan, { flags, engine, cache: this.#cache, format, destination, context });
  }
}
