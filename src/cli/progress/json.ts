import { isUtf8 } from 'node:buffer';
import { type Diagnostic, jsonText, withoutPasswords } from '../../diagnostic/index.ts';
import type { BuildEvent } from '../../events/index.ts';
import type { Output } from '../context.ts';

/** What the program tells beside the events of a build. */
export type ProgramEvent =
  | { readonly type: 'stopping'; readonly running: number }
  | {
      readonly type: 'ended';
      readonly interrupted: boolean;
      /** Packages by how they came about. */
      readonly counts: Readonly<Record<string, number>>;
      readonly reused: number;
      readonly milliseconds: number;
      readonly destination: string;
      readonly logs: string;
    }
  /** An image, or several in one go, has come to its place. */
  | {
      readonly type: 'transferred';
      readonly image: string;
      readonly outcome: string;
      readonly bytes: number;
      readonly milliseconds: number;
    }
  | ({ readonly type: 'diagnostic' } & Diagnostic)
  /** Something of the command line that changes nothing. */
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'bug'; readonly stack: string };

/** Longest piece of output in one event, in bytes. */
const LONGEST = 64 * 1024;

const NEWLINE = 0x0a;

/** Fractions of a millisecond say nothing. */
const rounded = (key: string, value: unknown): unknown =>
  key === 'milliseconds' && typeof value === 'number' ? Math.round(value) : value;

/** A finding without passwords of addresses in its texts. */
const secretless = (finding: object): object =>
  JSON.parse(JSON.stringify(finding), (_, value: unknown) =>
    typeof value === 'string' ? withoutPasswords(value) : value,
  ) as object;

/** Writes events, one JSON object a line. */
export class JsonLog {
  readonly #output: Output;
  readonly #now: () => Date;
  /** Output behind the last newline, by package and stream. */
  readonly #unfinished = new Map<string, Map<'stdout' | 'stderr', Buffer>>();

  constructor(output: Output, now: () => Date) {
    this.#output = output;
    this.#now = now;
  }

  /** Writes one event. */
  write(event: BuildEvent | ProgramEvent): void {
    if (event.type === 'output') this.#take(event.package, event.stream, event.chunk);
    else {
      if ('package' in event && event.package !== undefined && !['notice', 'state'].includes(event.type))
        this.#finish(event.package);
      this.#line(event.type === 'diagnostic' ? secretless(event) : event);
    }
  }

  #line(fields: object): void {
    this.#output.write(`${jsonText({ time: this.#now().toISOString(), ...fields }, undefined, rounded)}\n`);
  }

  /** One event a line of output, with its newline, so that all of them together are what was written. */
  #take(name: string, stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
    const streams = this.#unfinished.get(name) ?? new Map<'stdout' | 'stderr', Buffer>();
    this.#unfinished.set(name, streams);
    let rest = Buffer.concat([streams.get(stream) ?? Buffer.alloc(0), chunk]);
    for (;;) {
      const newline = rest.indexOf(NEWLINE);
      const end = Math.min(newline === -1 ? rest.length : newline + 1, LONGEST);
      if (newline === -1 && rest.length < LONGEST) break;
      this.#piece(name, stream, rest.subarray(0, end));
      rest = rest.subarray(end);
    }
    streams.set(stream, rest);
  }

  #piece(name: string, stream: 'stdout' | 'stderr', bytes: Buffer): void {
    const content = isUtf8(bytes) ? { text: bytes.toString('utf8') } : { base64: bytes.toString('base64') };
    this.#line({ type: 'output', package: name, stream, ...content });
  }

  #finish(name: string): void {
    const streams = this.#unfinished.get(name);
    this.#unfinished.delete(name);
    for (const [stream, bytes] of streams ?? []) if (bytes.length > 0) this.#piece(name, stream, bytes);
  }
}
