import type { BuildEvent, EventSink } from '../../events/index.ts';
import { eventInFlags } from '../advice.ts';
import type { CliContext } from '../context.ts';
import { Interruption } from '../interrupt.ts';
import { JsonLog } from './json.ts';
import { createPlainLines } from './plain.ts';
import { BuildState } from './state.ts';
import { createTerminalView } from './terminal.ts';
import { painter } from './words.ts';

export type { BuildState } from './state.ts';

/** Shows what a build does, on standard error. */
export interface Progress {
  readonly onEvent: EventSink<BuildEvent>;
  /** What is known of the build so far. */
  readonly state: BuildState;
  /** Takes away what is drawn over. May be called again. */
  end(): void;
}

/** Milliseconds between two frames. */
const FRAME = 100;

interface Renderer {
  take(event: BuildEvent, took: number | undefined): void;
  stop(): void;
  end?(): void;
}

/** Progress for this terminal, or lines where there is none or they are asked for. */
export function createProgress(
  context: CliContext,
  clock: () => number,
  usual: (name: string) => number | undefined,
): Progress {
  const state = new BuildState(clock());
  const renderer = rendererFor(context, clock, usual, state);
  const { signal } = context;
  const stop = (): void => {
    // Nobody reads any more.
    if (signal.reason instanceof Interruption && signal.reason.exitCode === 141) return;
    renderer.stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  return {
    state,
    onEvent(told) {
      const event = eventInFlags(told);
      const now = clock();
      const since = 'package' in event ? state.running.get(event.package)?.since : undefined;
      state.take(event, now);
      renderer.take(event, since === undefined ? undefined : now - since);
    },
    end() {
      signal.removeEventListener('abort', stop);
      renderer.end?.();
    },
  };
}

function rendererFor(
  context: CliContext,
  clock: () => number,
  usual: (name: string) => number | undefined,
  state: BuildState,
): Renderer {
  const { stderr, display, isTerminal } = context;
  const { quiet, debug, liveOutput, logFormat } = display;
  if (logFormat === 'json') {
    const log = new JsonLog(stderr, context.now);
    return {
      take(event) {
        if (!quiet || ['failed', 'skipped', 'stopped'].includes(event.type)) log.write(event);
      },
      stop: () => log.write({ type: 'stopping', running: state.running.size }),
    };
  }
  const paint = painter(context.errorColor);
  if (!isTerminal || !display.spinner || logFormat === 'plain') {
    const showOutput = liveOutput || (!quiet && (!isTerminal || logFormat === 'plain'));
    return createPlainLines({ output: stderr, state, paint, quiet, debug, showOutput });
  }
  const view = createTerminalView({ output: stderr, state, clock, paint, usual, quiet, debug, liveOutput });
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer ??= setInterval(() => view.draw(), FRAME).unref();
  };
  const pause = (): void => {
    clearInterval(timer);
    timer = undefined;
    view.end();
  };
  begin();
  const forget = context.onSuspend(pause, begin);
  return {
    take: view.take,
    stop() {
      view.stop();
      view.draw();
    },
    end() {
      forget();
      pause();
    },
  };
}
