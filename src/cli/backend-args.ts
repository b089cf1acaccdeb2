import { UsageError } from './usage-error.ts';

/** What of the words for `docker build` has a meaning here. */
export interface BackendArgs {
  /** `linux/ARCHITECTURE`. */
  readonly platform?: string;
  readonly network?: string;
}

/**
 * Reads the words of `--backend-args`, which Luet hands to `docker build`: `--platform` and `--network` are understood, `--load` is what
 * happens in any case, and others are refused by name. Throws a UsageError.
 */
export function readBackendArgs(given: readonly string[] | undefined): BackendArgs {
  const words = (given ?? []).flatMap((word) => word.trim().split(/\s+/)).filter((word) => word !== '');
  let platform: string | undefined;
  let network: string | undefined;
  const wrong: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (name === '--load' && equals < 0) continue;
    if (name !== '--platform' && name !== '--network') {
      wrong.push(word);
      continue;
    }
    const value = equals < 0 ? words[++at] : word.slice(equals + 1);
    if (value === undefined || value === '') throw new UsageError(`--backend-args: ${name} has no value`);
    if (name === '--platform') platform = value;
    else network = value;
  }
  if (wrong.length > 0)
    throw new UsageError(
      `--backend-args: ${wrong.join(' ')} is not supported: --platform, --network and --load are`,
    );
  if (network !== undefined && !['bridge', 'default', 'host', 'none'].includes(network))
    throw new UsageError(`--backend-args: --network is bridge, host or none, not '${network}'`);
  return {
    ...(platform === undefined ? {} : { platform }),
    ...(network === undefined || network === 'default' ? {} : { network }),
  };
}
