import { type Command, InvalidArgumentError, Option } from 'commander';
import { isGiven, refuseUnused } from './unused.ts';

/** What `--engine` takes. */
const ADDRESS =
  'auto, native, docker, podman, or an address such as unix:///var/run/docker.sock or ssh://user@host';

const STORE = "images of the native engine (default: in the user's data folder)";

/** How the flags that name an engine are explained and read. */
export interface EngineFlagTexts {
  readonly engine?: string;
  readonly store?: string;
  /** Reads the value of `--engine`. */
  readonly parse?: (value: string) => string;
}

/**
 * Adds the flags that say which engine is used. `--store` without an engine means the native one, and with another than that it is refused,
 * as is any of the flags beside one that says something else.
 */
export function addEngineFlags(command: Command, texts: EngineFlagTexts = {}): Command {
  const { engine = ADDRESS, store = STORE, parse = (value) => value } = texts;
  return command
    .option('--engine <address>', engine, parse)
    .option('--store <folder>', store)
    .hook('preAction', (_, action) => settle(action));
}

/** Adds Luet's name for `--engine`. */
export function addBackendFlag(command: Command): Command {
  return command.addOption(
    new Option('--backend <name>', "Luet's name for --engine: docker or podman").argParser(backend),
  );
}

function backend(value: string): string {
  if (value === 'docker' || value === 'podman') return value;
  if (value === 'img' || value === 'buildah')
    throw new InvalidArgumentError(`${value} has no API to build through; use docker or podman.`);
  throw new InvalidArgumentError('Expected docker or podman.');
}

/** Whether an address is that of a native engine, and whether it names a store. */
const native = /^native(?:\+[a-z]+)?(:.+)?$/s;

function settle(command: Command): void {
  const {
    engine,
    backend: other,
    store,
  } = command.opts<{ engine?: string; backend?: string; store?: string }>();
  if (engine !== undefined && other !== undefined)
    refuseUnused(command, { backend: '--engine says which engine is used' });
  // A variable says where a store would be, and not that it is wanted.
  if (store === undefined || !isGiven(command, 'store')) return;
  const named = engine ?? (isGiven(command, 'backend') ? other : undefined);
  if (named === undefined || named === 'auto') {
    // Only the native engine has a store: who names one means that engine.
    command.setOptionValueWithSource('engine', 'native', 'implied');
    return;
  }
  const [isNative, folder] = native.exec(named) ?? [];
  if (isNative === undefined)
    refuseUnused(command, {
      store: `it is where the native engine keeps images, and the engine is ${named}`,
    });
  else if (folder !== undefined) refuseUnused(command, { store: `${named} names a store already` });
}
