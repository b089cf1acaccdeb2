import { ImageError } from '../types.ts';
import { isCertificateError, networkText, RegistryError, safeText, TransientError } from './error.ts';
import { isTransientStatus } from './retry.ts';
import { ProxyError, type Transport } from './transport.ts';

/**
 * The error of a request that got no response from its host; temporary if a retry can help. `what` describes
 * the failed action.
 */
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
    const Kind = isTransientStatus(status) ? TransientError : RegistryError;
    return new Kind(`${what}: ${url.host} cannot be reached: ${message}`, { cause: error, status });
  }
  const why = safeText(networkText(error), secrets);
  const message = `${what}: ${url.host} cannot be reached${transport.via(url)}: ${why}`;
  if (isCertificateError(error))
    return new RegistryError(
      `${message}; if your own authority issued its certificate, set NODE_EXTRA_CA_CERTS to the authority's certificate file`,
      { cause: error },
    );
  return new TransientError(message, { cause: error });
}

/** Errors that mean that a host cannot be reached or nothing listens there. */
const NO_WAY = /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ENETDOWN|EADDRNOTAVAIL)$/;

/**
 * The error of the first request to a registry. Without a network, or with a wrong name, retries do not help,
 * so the error is permanent and reported at once. After a successful response, the same error may be
 * temporary.
 */
export function permanentIfUnreachable(failed: ImageError, error: unknown): ImageError {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const { code = '', message = '' } = cause ?? (error as { code?: string; message?: string });
  if (!(failed instanceof TransientError) || !(NO_WAY.test(code) || message === 'bad port')) return failed;
  const hint = 'Check the network, the name of the registry, and the proxy if you use one';
  return new RegistryError(failed.message, { cause: error, hint, advice: 'check-network' });
}
