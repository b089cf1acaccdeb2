import { EngineError } from '../errors.ts';
import { ApiError, type Connection } from './connection.ts';

/** A container about whose end is asked. */
export interface Ended {
  readonly id: string;
  /** When it was created, by the engine's clock, in milliseconds since 1970. */
  readonly created: number;
  /** Milliseconds since then. */
  readonly age: number;
  /** Whether its end is known already, by another way. */
  readonly known: boolean;
}

/** One thing that happened to a container, as Docker's `/events` tells it. */
interface Happening {
  readonly Action?: string;
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

interface State {
  readonly State?: { readonly Running?: boolean; readonly OOMKilled?: boolean; readonly Error?: string };
}

/** How long an engine may take to tell what happened, in milliseconds. */
const PATIENCE = 2000;

/**
 * Why a container does not run any more; undefined where it does. Containers remove themselves at their end, so
 * this is read from what the engine remembers of events.
 */
export async function whyEnded(connection: Connection, ended: Ended): Promise<EngineError | undefined> {
  let state: State['State'];
  try {
    state = (await connection.json<State>('GET', `/containers/${ended.id}/json`)).State;
  } catch (error) {
    if (!(error instanceof ApiError)) return error as EngineError;
    // Podman fails to say while it removes one.
    if (error.status !== 404 && !ended.known) return undefined;
  }
  if (state?.Running === true && !ended.known) return undefined;
  const happened = await happenings(connection, ended);
  if (state?.OOMKilled === true || happened.some(({ Action }) => Action === 'oom'))
    return new EngineError('the container was killed for want of memory', { kind: 'out-of-memory' });
  // Docker forgets all events when it is started again; podman may be told to keep none.
  if (state === undefined && happened.length === 0)
    return new EngineError('the container is gone, and the engine does not know why', { kind: 'killed' });
  const last = (action: string, attribute: string): string | undefined =>
    happened.findLast(({ Action }) => Action === action)?.Actor?.Attributes?.[attribute];
  const signal = last('kill', 'signal');
  if (signal !== undefined)
    return new EngineError(`the container was killed on request, by signal ${signal}`, { kind: 'killed' });
  const code = last('die', 'exitCode');
  const how = state?.Error ? `: ${state.Error}` : code === undefined ? '' : ` with exit code ${code}`;
  return new EngineError(`the container was ended from outside${how}`, { kind: 'killed' });
}

/** What the engine remembers of a container, the oldest first; nothing where it cannot say. */
async function happenings(
  connection: Connection,
  { id, created, age }: Ended,
): Promise<readonly Happening[]> {
  const second = (milliseconds: number): string => String(Math.floor(milliseconds / 1000));
  const signal = AbortSignal.timeout(PATIENCE);
  let text = '';
  try {
    const stream = await connection.stream('GET', '/events', {
      query: {
        since: second(created),
        // The engine answers when that time has come.
        until: second(created + age + 1000),
        filters: JSON.stringify({ container: [id] }),
      },
      signal,
    });
    for await (const chunk of stream) {
      text += String(chunk);
      if (/"destroy"/.test(text)) break;
    }
  } catch {
    // What has come is what there is.
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Happening];
    } catch {
      return [];
    }
  });
}
