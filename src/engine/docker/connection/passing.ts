import { retry, Tries, type TryOptions } from '../../../async/index.ts';
import { ApiError } from './connection.ts';

/** Six tries, with five pauses that take 0.6 s together. */
const tries: TryOptions = { pause: 20, most: 6 };

/**
 * Whether an engine may answer otherwise in a moment. It gives such errors while another run moves a name to
 * another image, or removes the old one.
 */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.status === 404 ||
      /already ?exists|image not known|no such image|file does not exist/i.test(error.message))
  );
}

/** Asks an engine, and asks again a few times while it gives an error that may pass. */
export const retryPassing = <T>(ask: () => Promise<T>): Promise<T> => retry(ask, { ...tries, isPassing });

/** As `retryPassing`, and asks again also where the answer is undefined. */
export async function retryUntilThere<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  const left = new Tries(tries);
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined || !(await left.again())) return answer;
    } catch (error) {
      if (!isPassing(error) || !(await left.again())) throw error;
    }
  }
}
