import { ImageError, type ImageErrorOptions } from '../types.ts';

/** Why a registry did not do what it was asked. */
export class RegistryError extends ImageError {
  override readonly name: string = 'RegistryError';
  /** The status of HTTP, where there was an answer. */
  readonly status?: number;

  constructor(message: string, options: ImageErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    if (options.status !== undefined) this.status = options.status;
  }
}

/** A failure that may pass: it is worth asking again. */
export class PassingError extends RegistryError {
  /** Milliseconds that the registry asked us to wait. */
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

/** A text of a server as it may be shown: no control characters, not endless, none of these secrets. */
export function shown(text: string, secrets: Iterable<string>): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, '***');
  clean = clean
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT)}…` : clean;
}

/** What a registry says in the body of an answer (distribution specification, error codes); empty where it says nothing. */
export function bodyText(body: string, secrets: Iterable<string>): string {
  try {
    const { errors } = JSON.parse(body) as { errors?: readonly { code?: unknown; message?: unknown }[] };
    const texts = (errors ?? []).map(({ code, message }) =>
      [code, message].filter((part) => typeof part === 'string' && part !== '').join(': '),
    );
    return shown(texts.join('; '), secrets);
  } catch {
    return /^\s*</.test(body) ? '' : shown(body, secrets);
  }
}

/** What a failure of fetch was, in a few words. */
export function networkText(error: unknown): string {
  const { cause } = error as { cause?: { code?: string; message?: string } };
  const { code, message } = cause ?? (error as { code?: string; message?: string });
  if (code === undefined) return message ?? String(error);
  return message === undefined || message.includes(code) ? (message ?? code) : `${message} (${code})`;
}

/** Whether a failure of fetch is about a certificate: that does not pass. */
export function isCertificateError(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } };
  return /^(?:ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY))/.test(cause?.code ?? '');
}
