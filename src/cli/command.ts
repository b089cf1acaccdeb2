import { Command } from '@oclif/core/command';
import type { ArgInput, FlagInput, InferredArgs, InferredFlags } from '@oclif/core/interfaces';
import type { CliConfig } from './config.ts';
import { type CliContext, createContext } from './context.ts';
import { commonFlags, isWithoutEffect, luetFlags } from './flags/common.ts';
import { settleEngine } from './flags/engine.ts';
import { UsageError } from './usage-error.ts';
import { canonicalWords, type GivenWords, readWords } from './words/given.ts';
import { usageErrorOf } from './words/parse-errors.ts';
import { refuseEmptyPlaces } from './words/places.ts';

type Camel<S extends string> = S extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;

type OptionalOf<T> = { [K in keyof T]: undefined extends T[K] ? K : never }[keyof T];

/**
 * What a command was given, under the names that programs use: `imageRepository` for `--image-repository`.
 * What was not given is absent.
 */
export type Named<T> = {
  readonly [K in OptionalOf<T> as K extends string ? Camel<K> : never]?: Exclude<T[K], undefined>;
} & {
  readonly [K in Exclude<keyof T, OptionalOf<T>> as K extends string ? Camel<K> : never]: T[K];
};

/** The flags of a command, from its `static flags`. */
export type FlagsOf<F extends FlagInput> = Named<InferredFlags<F>>;

/** The class of a command, as far as the type of its flags and arguments goes. */
interface Definitions {
  readonly flags: FlagInput;
  readonly args: ArgInput;
}

/** The flags and arguments of a class of command, as `LuetCommand` takes them. */
export type GivenFlags<T extends Definitions> = Named<InferredFlags<T['flags']>>;
export type GivenArgs<T extends Definitions> = Named<InferredArgs<T['args']>>;

/**
 * The base of every command. A command is a class with its `description`, `args`, `flags` and `examples` as
 * static members; `check` refuses combinations of flags, and `run` does the work. Heavy imports belong inside
 * `run`: the file is loaded for help, too.
 */
export abstract class LuetCommand<T extends Definitions = Definitions> extends Command {
  static override flags: FlagInput = {};
  static override examples: Command.Example[] = [];
  static override baseFlags: FlagInput = { ...luetFlags, ...commonFlags };

  /** What was given; `readWords` and oclif's parser have read it. */
  flags!: GivenFlags<T>;
  args!: GivenArgs<T>;
  /** The surroundings of this run. */
  context!: CliContext;
  #words: GivenWords = { flags: new Map(), args: [] };

  /**
   * Reads the command line. Throws a UsageError where it is wrong. Where help or the version is asked for,
   * that is answered instead of an error about arguments.
   */
  override async init(): Promise<'help' | 'version' | undefined> {
    const { around, setExitCode } = this.config as CliConfig;
    const { ctor } = this;
    const definitions = definitionsOf(ctor);
    const words = this.#readWords(definitions);
    if (words === undefined) return 'help';
    this.#words = words;
    for (const asked of ['help', 'version'] as const) if (this.isGiven(asked)) return asked;
    const unused = await this.#applyVariables(definitions);
    const { flags, args } = await this.#parse(definitions);
    this.flags = named(flags) as GivenFlags<T>;
    this.args = named(args) as GivenArgs<T>;
    this.context = createContext(around, this.flags, setExitCode);
    refuseEmptyPlaces(definitions, flags, ctor.args, args);
    if (this.isGiven('debug') && this.isGiven('quiet'))
      throw new UsageError('--debug and --quiet exclude each other');
    if ('store' in definitions) this.flags = { ...this.flags, ...settleEngine(this, flags) };
    this.check();
    const names = [...this.#givenWithoutEffect(definitions), ...unused];
    if (names.length > 0) (await import('./notes.ts')).noteWithoutEffect(names, this.title, this.context);
    return undefined;
  }

  /** Refuses combinations of flags and arguments: throws a UsageError. */
  check(): void {}

  /** The command's words, as a user writes them. */
  get title(): string {
    return `${this.config.bin} ${(this.id ?? '').replaceAll(':', ' ')}`;
  }

  /** Whether a flag stands on the command line; its name without dashes. */
  isGiven(flag: string): boolean {
    const given = this.#words.flags.get(flag);
    return given !== undefined && given.variable === undefined;
  }

  /**
   * Refuses flags of the command line that would change nothing: nothing that was asked for is ignored.
   * `flags` has, by their names without dashes, why; those without a reason have an effect. What a variable
   * of the environment says is for many commands, and may be of no use to this one.
   */
  refuseUnused(flags: Readonly<Record<string, string | undefined>>): void {
    const problems = Object.entries(flags).flatMap(([flag, because]) =>
      because !== undefined && this.isGiven(flag) ? [`--${flag} has no effect: ${because}`] : [],
    );
    if (problems.length > 0) throw new UsageError(...problems);
  }

  /** Undefined where the words are wrong, and help is asked for among them. */
  #readWords(definitions: FlagInput): GivenWords | undefined {
    try {
      return readWords(this.argv, definitions);
    } catch (error) {
      const isHelp = this.argv.includes('--help') || this.argv.includes('-h');
      if (error instanceof UsageError && isHelp) return undefined;
      throw error;
    }
  }

  async #parse(
    definitions: FlagInput,
  ): Promise<{ flags: Record<string, unknown>; args: Record<string, unknown> }> {
    const { args } = this.ctor;
    try {
      return await this.parse({ flags: definitions, args }, canonicalWords(this.#words));
    } catch (error) {
      throw usageErrorOf(error, this.#words, args, this.title);
    }
  }

  /**
   * Adds what variables say; answers those that say nothing. Hardly ever is one set, and reading them takes
   * time.
   */
  async #applyVariables(definitions: FlagInput): Promise<readonly string[]> {
    const { env } = (this.config as CliConfig).around;
    if (!Object.keys(env).some((name) => /^LUET_(?!TS_)/.test(name))) return [];
    return (await import('./luet-variables.ts')).applyVariables(env, definitions, this.#words.flags);
  }

  /** The flags of Luet's that stand on the command line and change nothing, as they are written. */
  #givenWithoutEffect(definitions: FlagInput): string[] {
    return Object.entries(definitions).flatMap(([name, flag]) =>
      isWithoutEffect(flag) && this.isGiven(name) ? [`--${name}`] : [],
    );
  }
}

/** All flags of a class of command. Its own come first: help lists them in this order. */
export const definitionsOf = ({
  flags,
  baseFlags,
}: {
  readonly flags: FlagInput;
  readonly baseFlags: FlagInput;
}): FlagInput => ({ ...flags, ...baseFlags, ...flags });

/** What was given, by names as programs have them. */
function named(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name.replaceAll(/-(\w)/g, (_, char: string) => char.toUpperCase()),
      value,
    ]),
  );
}
