import type { Engine, OpenedImages } from '../engine/index.ts';
import type { Image, PathLocation, Platform, Registry, WriteOptions } from '../image/index.ts';
import type { CliContext } from './context.ts';
import { type EngineFlags, openEngine } from './engine.ts';
import { within } from './interrupt.ts';
import type { Workplace } from './workplace.ts';

/** How images are reached. */
export interface PlaceFlags extends EngineFlags {
  /** `OS/ARCHITECTURE[/VARIANT]`. */
  readonly platform?: Platform;
  readonly plainHttp?: readonly string[];
}

/** Where an image is: with an engine, in a registry, or at a path. */
export type Where =
  | { readonly kind: 'engine' | 'registry'; readonly name: string }
  | { readonly kind: 'path'; readonly at: PathLocation };

/** An image that is open to be read. */
export interface Opened {
  readonly image: Image;
  readonly close: () => Promise<void>;
}

/** How long an interrupted command may take to leave an engine, in milliseconds. */
const PATIENCE = 800;

/** What a command reads and writes: names and places, as its words. */
export interface PlaceUse {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
}

/** Says which flags concern places that the words of a command do not name, and so change nothing. */
export function unusedPlaces({
  read = [],
  write = [],
}: PlaceUse): Readonly<Record<string, string | undefined>> {
  const all = [...read, ...write];
  const isEngine = (word: string): boolean => kindOf(word) === 'engine';
  const isRegistry = (word: string): boolean => kindOf(word) === 'registry';
  const noEngine = all.some(isEngine) ? undefined : 'no image of an engine is named';
  // What an engine does not hold is looked for in its registry.
  const asksRegistry = all.some(isRegistry) || read.some(isEngine);
  return {
    engine: noEngine,
    store: noEngine,
    'plain-http': asksRegistry ? undefined : 'no registry is asked',
    compression: write.some(isRegistry)
      ? undefined
      : 'it is only for layers that are sent to a registry: docker://NAME',
  };
}

/** What kind of place a word names. */
export const kindOf = (word: string): 'engine' | 'registry' | 'path' =>
  /^(?:oci|oci-archive|docker-archive|rootfs):/.test(word)
    ? 'path'
    : word.startsWith('docker://')
      ? 'registry'
      : 'engine';

/** The platform that a `--platform` flag names. */
export async function platformOf(text: string | undefined): Promise<Platform | undefined> {
  if (text === undefined) return undefined;
  const { parsePlatform } = await import('../image/index.ts');
  const platform = parsePlatform(text);
  return typeof platform === 'string' ? undefined : platform;
}

/** Places of images, opened when they are asked for and left together. */
export class Places {
  readonly #flags: PlaceFlags;
  readonly #context: CliContext;
  readonly #workplace: Workplace;
  #engine: Promise<Engine> | undefined;
  #registry: Promise<Registry> | undefined;

  constructor(flags: PlaceFlags, context: CliContext, workplace: Workplace) {
    this.#flags = flags;
    this.#context = context;
    this.#workplace = workplace;
  }

  /** The engine that is meant. Rejects with a DiagnosticError where none answers. */
  engine(): Promise<Engine> {
    this.#engine ??= openEngine(this.#flags, this.#context, this.#workplace).then(({ engine }) => engine);
    return this.#engine;
  }

  /** The engine, where it was asked for and answered. */
  opened = async (): Promise<Engine | undefined> => await this.#engine?.catch(() => undefined);

  /** All registries, with the credentials of the Docker command line. */
  registry(): Promise<Registry> {
    this.#registry ??= import('../library/index.ts').then(({ openRegistry }) =>
      openRegistry(this.#context, this.#flags.plainHttp),
    );
    return this.#registry;
  }

  /**
   * The place that a word means: a plain name is an engine's, one behind `docker://` a registry's. Throws a
   * DiagnosticError.
   */
  async parse(word: string): Promise<Where> {
    const [{ resolve }, { parseLocation }, { DiagnosticError }] = await Promise.all([
      import('node:path'),
      import('../image/index.ts'),
      import('../diagnostic/index.ts'),
    ]);
    const place = parseLocation(word);
    if (typeof place === 'string')
      throw new DiagnosticError([{ code: 'invalid-image', severity: 'error', message: place }]);
    if (place.kind !== 'name')
      return { kind: 'path', at: { ...place, path: resolve(this.#context.cwd, place.path) } };
    const name = word.replace(/^docker:\/\//, '');
    return { kind: name === word ? 'engine' : 'registry', name };
  }

  /**
   * Opens the image at a place; one that an engine does not have, or has only for another platform, is
   * searched in its registry, unless `isHeld`. Rejects with a DiagnosticError where there is none.
   */
  async open(word: string, onBytes: (count: number) => void, isHeld = false): Promise<Opened> {
    const where = await this.parse(word);
    const { signal } = this.#context;
    const { platform } = this.#flags;
    const options = { signal, onBytes, ...(platform === undefined ? {} : { platform }) };
    if (where.kind === 'path') {
      const { openPath } = await import('../image/index.ts');
      const opened = await openPath(where.at, options);
      const other = await otherPlatform(opened.image, platform);
      if (other === undefined) return { image: opened.image, close: () => opened.close() };
      await opened.close();
      throw await wrongPlatform(word, other);
    }
    if (where.kind === 'engine') {
      const opened: OpenedImages = await (await this.engine()).read([where.name], options);
      const image = await opened.image(where.name);
      const other = image && (await otherPlatform(image, platform));
      if (image !== undefined && other === undefined) return { image, close: () => opened.close() };
      await opened.close();
      if (other !== undefined && isHeld) throw await wrongPlatform(word, other);
    }
    const image = await (await this.registry()).image(where.name, options);
    if (image !== undefined) return { image, close: () => Promise.resolve() };
    throw await noSuchImage(word, where.kind);
  }

  /** Writes an image to a place. */
  async write(where: Where, image: Image, options: WriteOptions): Promise<void> {
    const { name, isOver } = this.#workplace;
    const given = { ...options, signal: this.#context.signal, run: { name, isOver } };
    if (where.kind === 'path') {
      const { writePath } = await import('../image/index.ts');
      await writePath(where.at, image, given);
    } else if (where.kind === 'engine') {
      await (await this.engine()).write([{ name: where.name, image }], given);
    } else {
      await (await this.registry()).write(where.name, image, given);
    }
  }

  /** Leaves what was opened. */
  async close(): Promise<void> {
    const { signal } = this.#context;
    const engine = await this.opened();
    if (engine === undefined) return;
    await within(engine.close(), signal, PATIENCE).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  }
}

/** What an image is for, and what is asked for, where these differ. */
interface OtherPlatform {
  readonly wanted: Platform;
  readonly own: Platform;
}

async function otherPlatform(image: Image, wanted: Platform | undefined): Promise<OtherPlatform | undefined> {
  if (wanted === undefined) return undefined;
  const { platformDistance } = await import('../image/index.ts');
  const own = await image.configuration();
  return platformDistance(wanted, own) === undefined ? { wanted, own } : undefined;
}

async function wrongPlatform(word: string, { wanted, own }: OtherPlatform): Promise<Error> {
  const [{ DiagnosticError }, { formatPlatform }] = await Promise.all([
    import('../diagnostic/index.ts'),
    import('../image/index.ts'),
  ]);
  const message = `image ${word} is for ${formatPlatform(own)}, not for ${formatPlatform(wanted)}`;
  return new DiagnosticError([{ code: 'no-such-image', severity: 'error', message }]);
}

/** Says that an image is nowhere. */
export async function noSuchImage(word: string, kind: 'engine' | 'registry' | 'held'): Promise<Error> {
  const { DiagnosticError } = await import('../diagnostic/index.ts');
  const wheres = { held: 'the engine', engine: 'the engine or in its registry', registry: 'its registry' };
  const message = `image ${word} not found in ${wheres[kind]}`;
  return new DiagnosticError([{ code: 'no-such-image', severity: 'error', message }]);
}
