import { escapeTerminal } from '../../diagnostic/index.ts';
import type { CliContext } from '../context.ts';
import { duration, size } from '../units.ts';
import { Drawing } from './drawing.ts';
import { running } from './frame.ts';
import { JsonLog } from './json.ts';
import { cutToWidth } from './width.ts';
import { painter } from './words.ts';

/** One image, or several in one go, on the way from one place to another. */
export interface Transfer {
  /** Counts bytes as they pass. */
  readonly onBytes: (count: number) => void;
  /** Says that it is there. `outcome` is what became of it, such as `copied`. */
  done(outcome: string): void;
  /** Says that the transfer failed; the reason is printed elsewhere. */
  fail(): void;
}

/** Shows what is transferred, on standard error: drawn over on a terminal, else a line when it is there. */
export interface Transfers {
  /** Begins one. `doing` is what happens to it now, such as `pulling`. */
  begin(name: string, doing: string): Transfer;
  /** Takes away what is drawn over. May be called again. */
  end(): void;
}

/** Milliseconds between two frames. */
const FRAME = 100;

interface Open {
  readonly name: string;
  readonly doing: string;
  readonly since: number;
  bytes: number;
}

/** Progress of images for this terminal, or lines where there is none or they are asked for. */
export function createTransfers(context: CliContext, clock: () => number): Transfers {
  const { stderr, display, isTerminal } = context;
  const { quiet, logFormat } = display;
  const json = logFormat === 'json' ? new JsonLog(stderr, context.now) : undefined;
  const paint = painter(context.errorColor);
  const isDrawn = json === undefined && isTerminal && display.spinner && logFormat !== 'plain' && !quiet;
  const drawing = isDrawn ? new Drawing(stderr) : undefined;
  const open = new Set<Open>();
  const rows = (): string[] => {
    const now = clock();
    return [...open]
      .slice(0, Math.max(1, (stderr.rows ?? 24) - 1))
      .map(({ name, doing, since, bytes }) =>
        cutToWidth(
          `${escapeTerminal(name)}  ${running(now - since).padStart(6)}  ${doing}  ${size(bytes)}`,
          (stderr.columns ?? 80) - 1,
        ),
      );
  };
  const timer = drawing === undefined ? undefined : setInterval(() => drawing.draw(rows()), FRAME);
  timer?.unref();
  return {
    begin(name, doing) {
      const one: Open = { name, doing, since: clock(), bytes: 0 };
      open.add(one);
      return {
        onBytes: (count) => {
          one.bytes += count;
        },
        done(outcome) {
          if (!open.delete(one) || quiet) return;
          const milliseconds = clock() - one.since;
          const text = `${escapeTerminal(outcome)}, ${size(one.bytes)} in ${duration(milliseconds)}`;
          const label = paint(1, escapeTerminal(name));
          if (json !== undefined)
            json.write({ type: 'transferred', image: name, outcome, bytes: one.bytes, milliseconds });
          else if (drawing !== undefined) drawing.say(`${paint(32, '✓')} ${label}  ${text}`);
          else stderr.write(`${label}: ${text}\n`);
        },
        fail: () => void open.delete(one),
      };
    },
    end() {
      clearInterval(timer);
      drawing?.end();
    },
  };
}
