import type { Readable } from 'node:stream';
import { EngineError } from '../../errors.ts';
import { faultOf } from './connection.ts';

/** One message of a progress stream of the Docker API (pull, load, import). */
export interface ProgressMessage {
  readonly status?: string;
  readonly stream?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

/** The longest message in bytes that can be progress. */
const LONGEST = 1 << 20;

/**
 * Reads a progress stream to its end: JSON values, one after the other. Throws where one of them is an error,
 * whatever the status of the answer, and where the connection ends inside of a value.
 */
export async function readProgress(
  stream: Readable,
  onMessage: (message: ProgressMessage) => void = () => {},
): Promise<void> {
  let rest = '';
  const decoder = new TextDecoder();
  const take = (line: string): void => {
    if (line.trim() === '') return;
    let message: ProgressMessage & { error?: unknown; errorDetail?: { message?: unknown } };
    try {
      message = JSON.parse(line) as typeof message;
    } catch (cause) {
      throw new EngineError(`the engine's progress ended in the middle: ${line.slice(0, 200)}`, {
        cause,
        kind: 'gone',
      });
    }
    const error = message.errorDetail?.message ?? message.error;
    if (error !== undefined) throw new EngineError(String(error), { kind: faultOf(200, String(error)) });
    onMessage(message);
  };
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
    if (rest.length > LONGEST) throw new EngineError('the engine sends progress that is none');
  }
  if (!stream.readableEnded)
    throw new EngineError('the engine closed the connection before it was done', { kind: 'gone' });
  take(rest);
}
