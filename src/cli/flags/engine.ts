import { InvalidValue, UsageError } from '../usage-error.ts';
import { type ReadValue, withValue } from './define.ts';

/** What `--engine` takes. */
const ADDRESS =
  'auto, native, docker, podman, or an address such as unix:///var/run/docker.sock or ssh://user@host';

const STORE = "folder of the native engine's images, which is then used (default: in the user's data folder)";

/** How the flags that name an engine are explained and read. */
interface EngineFlagTexts {
  readonly engine?: string;
  readonly store?: string;
  /** Reads the value of `--engine`. */
  readonly read?: ReadValue<string>;
}

/**
 * The flags that say which engine is used. `--store` without an engine means the native one, and with another
 * than that it is refused, as is any of the flags beside one that says something else (`settleEngine`).
 */
export function engineFlagsWith({
  engine = `container engine: ${ADDRESS}`,
  store = STORE,
  read = (text) => text,
}: EngineFlagTexts) {
  return {
    engine: withValue({ value: '<address>', summary: engine, read }),
    store: withValue({ value: '<folder>', summary: store }),
  };
}

/** The flags that say which engine is used, with Luet's name for it. */
export const engineFlags = engineFlagsWith({});

/** Luet's name for `--engine`. */
export const backendFlag = withValue({
  value: 'docker|podman',
  summary: "Luet's name for --engine",
  read: (value) => {
    if (value === 'docker' || value === 'podman') return value;
    if (value === 'img' || value === 'buildah')
      throw new InvalidValue(`${value} has no API to build through; use docker or podman.`);
    throw new InvalidValue('Expected docker or podman.');
  },
});

/** Whether an address is that of a native engine, and whether it names a store. */
const native = /^native(?:\+[a-z]+)?(:.+)?$/s;

/** What settles which engine is meant: a command with flags of its command line. */
interface Settling {
  isGiven(flag: string): boolean;
  refuseUnused(flags: Readonly<Record<string, string | undefined>>): void;
}

/**
 * The engine that `--store` means, where no other flag names one. Throws a UsageError where flags contradict
 * each other.
 */
export function settleEngine(
  command: Settling,
  { engine, backend, store }: Readonly<Record<string, unknown>>,
): { readonly engine?: 'native' } {
  if (engine !== undefined && backend !== undefined)
    command.refuseUnused({ backend: '--engine says which engine is used' });
  // A variable says where a store would be, and not that it is wanted.
  if (store === undefined || !command.isGiven('store')) return {};
  const named = engine ?? (command.isGiven('backend') ? backend : undefined);
  // Only the native engine has a store: who names one means that engine.
  if (named === undefined || named === 'auto') return { engine: 'native' };
  const [isNative, folder] = native.exec(String(named)) ?? [];
  if (isNative === undefined)
    throw new UsageError(
      `--store has no effect: it is where the native engine keeps images, and the engine is ${named}`,
    );
  if (folder !== undefined) throw new UsageError(`--store has no effect: ${named} names a store already`);
  return {};
}
