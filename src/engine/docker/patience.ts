import { ApiError } from './connection.ts';

/** Whether an engine may only say so because another run just gives a name to another image, or takes the old one away. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.status === 404 ||
      /already ?exists|image not known|no such image|file does not exist/i.test(error.message))
  );
}

/** Asks again for a second, as long as the answer may be another in a moment. */
export async function patiently<T>(
  ask: () => Promise<T>,
  isOpen: (answer: T) => boolean = () => false,
): Promise<T> {
  for (let wait = 20; ; wait *= 2) {
    try {
      const answer = await ask();
      if (wait > 500 || !isOpen(answer)) return answer;
    } catch (error) {
      if (wait > 500 || !isPassing(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}
