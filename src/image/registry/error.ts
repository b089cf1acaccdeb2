import { ImageError, type ImageErrorOptions } from '../types.ts';

/** An error of a registry request. */
export class RegistryError extends ImageError {
  override readonly name: string = 'RegistryError';
  /** HTTP status, if there was a response. */
  readonly status?: number;

  constructor(message: string, options: ImageErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    if (options.status !== undefined) this.status = options.status;
  }
}

/** A temporary error; the request can be repeated. */
export class TransientError extends RegistryError {
  /** Milliseconds that the registry asked to wait. */
  readonly after?: number;

  constructor(
    message: string,
    options: ErrorOptions & { readonly status?: number; readonly after?: number } = {},
  ) {
    super(message, options);
    if (options.after !== undefined) this.after = options.after;
  }
}

const LONGEST_TEXT = 300;

/** Makes text of a server safe to show: no control characters, limited length, without these secrets. */
export function safeText(text: string, secrets: Iterable<string>): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  clean = clean
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT)}…` : clean;
}

/**
 * The error message in a response's body (distribution specification, error codes); empty if there is none.
 */
export function bodyText(body: string, secrets: Iterable<string>): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: readonly { code?: unknown; message?: unknown }[] };
    const texts = (errors ?? []).map(({ code, message }) =>
      [code, message].filter((part) => typeof part === 'string' && part !== '').join(': '),
    );
    return safeText(texts.join('; '), secrets);
  } catch {
    return /^\s*</.test(body) ? '' : safeText(body, secrets);
  }
}

/** A short description of an error of fetch. */
export function networkText(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  const { code, message } = cause ?? (error as { code?: string; message?: string });
  if (code === undefined) return message ?? String(error);
  return message === undefined || message.includes(code) ? (message ?? code) : `${message} (${code})`;
}

/** Whether an error of fetch is about a certificate. Such an error is permanent. */
export function isCertificateError(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } };
  return /^(?:ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY))/.test(cause?.code ?? '');
}
