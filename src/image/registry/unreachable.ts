import { ImageError } from '../types.ts';
import { isCertificateError, networkText, PassingError, RegistryError, shown } from './error.ts';
import { isPassing } from './retry.ts';
import { ProxyError, type Transport } from './transport.ts';

/** The error of a request that got no answer from its host, worth another try where that may pass. `what` could not be done. */
export function unreachable(
  error: unknown,
  what: string,
  url: URL,
  transport: Transport,
  secrets: Iterable<string>,
): ImageError {
  if (error instanceof ImageError) return new RegistryError(`${what}: ${error.message}`, { cause: error });
  if (error instanceof ProxyError) {
    const { status, message } = error;
    const Kind = isPassing(status) ? PassingError : RegistryError;
    return new Kind(`${what}: ${url.host} cannot be reached: ${message}`, { cause: error, status });
  }
  const why = shown(networkText(error), secrets);
  const message = `${what}: ${url.host} cannot be reached${transport.via(url)}: ${why}`;
  if (isCertificateError(error))
    return new RegistryError(
      `${message}; where its certificate is your own authority's, name that in NODE_EXTRA_CA_CERTS`,
      { cause: error },
    );
  return new PassingError(message, { cause: error });
}
