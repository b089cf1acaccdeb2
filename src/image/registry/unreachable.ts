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

/** Failures that say that there is no way to a host, or nobody listening there. */
const NO_WAY = /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL)$/;

/**
 * The error of the first request to a registry. Without a network, or with a wrong name, trying again does not help, and the reason is told at once;
 * of a registry that has answered before, the same failure may pass.
 */
export function noWay(failed: ImageError, error: unknown): ImageError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const { code = '', message = '' } = cause ?? (error as { code?: string; message?: string });
  if (!(failed instanceof PassingError) || !(NO_WAY.test(code) || message === 'bad port')) return failed;
  const hint = 'Check the network, the name of the registry, and the proxy where there is one';
  return new RegistryError(failed.message, { cause: error, hint, advice: 'check-network' });
}
