import { escapeTerminal } from '../../diagnostic/index.ts';
import type { BuildState, Running } from './state.ts';
import { cutToWidth, displayWidth, fitToWidth } from './width.ts';
import { firstLine, type Paint, stoppingText } from './words.ts';

/** What a frame shows, beside the state. */
export interface FrameView {
  /** Columns and rows that may be used; neither is ever exceeded. */
  readonly columns: number;
  readonly rows: number;
  readonly now: number;
  /** The last line that each package's commands wrote. */
  readonly last: ReadonlyMap<string, string>;
  /** Milliseconds that it will still take, if that is known. */
  readonly remaining: number | undefined;
  readonly stopping: boolean;
  readonly paint: Paint;
}

/** Narrower than this, commands and their output are left out. */
const NARROW = 50;

/** Rows about what waits, at most. */
const WAITING_ROWS = 4;

/** Whole seconds, for what is shown while it runs: `7s`, `1m05s`, `2h03m`. */
export function running(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h${two(Math.floor(seconds / 60) % 60)}m`;
}

/** Time that is left, not more exactly than it is known. */
function about(milliseconds: number): string {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  const whole =
    seconds <= 10 ? seconds : seconds <= 60 ? Math.ceil(seconds / 5) * 5 : Math.ceil(seconds / 30) * 30;
  return `about ${running(whole * 1000)} left`;
}

/** The rows that are drawn below what has scrolled by. */
export function frameRows(state: BuildState, view: FrameView): string[] {
  const { rows, columns } = view;
  if (rows < 1 || columns < 1) return [];
  const status = statusRow(state, view);
  const waits = waitingRows(state, view, Math.min(WAITING_ROWS, Math.floor((rows - 1) / 4)));
  return [...runningRows(state, view, rows - 1 - waits.length), ...waits, status];
}

function runningRows(state: BuildState, view: FrameView, space: number): string[] {
  if (space <= 0) return [];
  const entries = [...state.running];
  const shown = entries.length <= space ? entries : entries.slice(0, space - 1);
  const nameWidth = Math.min(
    Math.max(0, ...shown.map(([name]) => displayWidth(escapeTerminal(name)))),
    Math.floor(view.columns * 0.4),
  );
  const rows = shown.map(([name, entry]) => runningRow(name, entry, nameWidth, view));
  const more = entries.length - shown.length;
  if (more > 0) rows.push(view.paint(2, cutToWidth(`  and ${more} more running`, view.columns)));
  return rows;
}

function runningRow(name: string, entry: Running, nameWidth: number, view: FrameView): string {
  const { columns, paint } = view;
  const label = escapeTerminal(name);
  const time = running(view.now - entry.since);
  const { step } = entry;
  if (columns < NARROW) {
    const tail = ` ${time}${step === undefined ? '' : ` ${step.index + 1}/${step.count}`}`;
    const room = columns - tail.length;
    return room < 1 ? cutToWidth(label, columns) : `${paint(1, cutToWidth(label, room))}${tail}`;
  }
  const where = step === undefined ? entry.doing : `${step.phase} ${step.index + 1}/${step.count}`;
  const head = `  ${time.padStart(6)}  ${where.padEnd(11)}`;
  const room = columns - nameWidth - head.length - 2;
  let rest = '';
  if (step !== undefined && room > 0) {
    const command = firstLine(step.command);
    const last = (view.last.get(name) ?? '').replaceAll('\t', ' ').trim();
    if (last === '' || room < 30) rest = cutToWidth(command, room);
    else {
      const left = cutToWidth(command, Math.floor(room / 2));
      rest = `${left} ${paint(2, `│ ${cutToWidth(last, room - displayWidth(left) - 3)}`)}`;
    }
  }
  return `${paint(1, fitToWidth(label, nameWidth))}${rest === '' ? head.trimEnd() : `${head}  ${rest}`}`;
}

/** What waits for what: a row for each package that holds up several, one for all other pairs. */
function waitingRows(state: BuildState, { columns, paint, stopping }: FrameView, space: number): string[] {
  if (stopping || space < 1) return [];
  const groups = state.waiting();
  const isOwnRow = ([need, packages]: (typeof groups)[number]): boolean => need === '' || packages.length > 1;
  const own = groups.filter(isOwnRow);
  const pairs = groups.filter((group) => !isOwnRow(group));
  const shown = own.slice(0, pairs.length > 0 || own.length > space ? space - 1 : space);
  const rows = shown.map(([need, packages]) => {
    const what = need === '' ? 'ready to run' : `${packages.length} wait for ${escapeTerminal(need)}`;
    return `${what}: ${packages.map(escapeTerminal).join(', ')}`;
  });
  const others = [...own.slice(shown.length), ...pairs].flatMap(([need, packages]) =>
    packages.map((name) =>
      need === '' ? `${escapeTerminal(name)} (ready)` : `${escapeTerminal(name)} for ${escapeTerminal(need)}`,
    ),
  );
  if (others.length > 0) rows.push(`${shown.length > 0 ? 'also ' : ''}waiting: ${others.join(', ')}`);
  return rows.map((row) => paint(2, cutToWidth(row, columns)));
}

/** Counts and times, as many as there is room for, the most wanted first. */
function statusRow(state: BuildState, view: FrameView): string {
  const { columns, paint, now, remaining } = view;
  if (view.stopping) return paint(33, cutToWidth(stoppingText(state.running.size), columns));
  const waiting = [...state.open].filter((name) => !state.running.has(name)).length;
  const done = state.total - state.open.size;
  const failed = state.failed.length;
  const parts: readonly { readonly text: string; readonly rank: number; readonly color?: number }[] = [
    { text: state.total === 0 ? 'looking at images' : `${done}/${state.total}`, rank: 0, color: 1 },
    ...(failed > 0 ? [{ text: `${failed} failed`, rank: 1, color: 31 }] : []),
    ...(state.engineGone === undefined
      ? []
      : [
          {
            text: `engine gone, waiting ${running(now - state.engineGone.since)} of ${running(state.engineGone.milliseconds)}`,
            rank: 2,
            color: 33,
          },
        ]),
    { text: `${state.running.size} running`, rank: 3 },
    ...(waiting > 0 ? [{ text: `${waiting} waiting`, rank: 5 }] : []),
    { text: running(now - state.since), rank: 2 },
    ...(remaining === undefined ? [] : [{ text: about(remaining), rank: 4 }]),
  ];
  const kept = new Set<(typeof parts)[number]>();
  let room = columns;
  for (const part of [...parts].sort((a, b) => a.rank - b.rank)) {
    const width = displayWidth(part.text) + (kept.size === 0 ? 0 : 3);
    if (width > room) continue;
    room -= width;
    kept.add(part);
  }
  return parts
    .filter((part) => kept.has(part))
    .map(({ text, color }) => (color === undefined ? text : paint(color, text)))
    .join(' · ');
}
