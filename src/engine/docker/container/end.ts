import { EngineError } from '../../errors.ts';
import { ApiError, type Connection } from '../connection/connection.ts';

/** A container that may have ended. */
export interface Ended {
  readonly id: string;
  /** When it was created, in milliseconds since 1970 by the engine's clock. */
  readonly created: number;
  /** How long ago that was, in milliseconds. */
  readonly age: number;
  /** Whether something else shows already that it ended. */
  readonly known: boolean;
}

/** One event of a container, from Docker's `/events`. */
interface Happening {
  readonly Action?: string;
  readonly Actor?: { readonly Attributes?: Readonly<Record<string, string>> };
}

interface State {
  readonly State?: { readonly Running?: boolean; readonly OOMKilled?: boolean; readonly Error?: string };
}

/** How long an engine may take to list events, in milliseconds. */
const PATIENCE = 2000;

/**
 * Finds out why a container ended; undefined where it still runs. Containers remove themselves when they end,
 * so this is read from the engine's events.
 */
export async function whyEnded(connection: Connection, ended: Ended): Promise<EngineError | undefined> {
  let state: State['State'];
  try {
    state = (await connection.json<State>('GET', `/containers/${ended.id}/json`)).State;
  } catch (error) {
    if (!(error instanceof ApiError)) return error as EngineError;
    // Podman answers with an error while it removes the container.
    if (error.status !== 404 && !ended.known) return undefined;
  }
  if (state?.Running === true && !ended.known) return undefined;
  const happened = await happenings(connection, ended);
  if (state?.OOMKilled === true || happened.some(({ Action }) => Action === 'oom'))
    return new EngineError('the container was killed because memory ran out', { kind: 'out-of-memory' });
  // Docker forgets all events when it restarts, and podman can be configured to keep none.
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

/** The events of a container, oldest first; none where the engine cannot list them. */
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
    // The events that arrived are used.
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Happening];
    } catch {
      return [];
    }
  });
}
