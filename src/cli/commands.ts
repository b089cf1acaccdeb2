import type { Command } from '@oclif/core/command';
import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import type { CliConfig } from './config.ts';
import type { CliContext } from './context.ts';

/** A command that was chosen (see `LuetCommand`). */
export interface ChosenCommand {
  /** What was given; there after `init`. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly args: Readonly<Record<string, unknown>>;
  readonly context: CliContext;
  /**
   * Reads the command line. Answers where help or the version is asked for. Throws a UsageError where it is
   * wrong.
   */
  init(): Promise<'help' | 'version' | undefined>;
  /** Does the work. */
  run(): Promise<void>;
}

/** The class of a command: what help says about it, its arguments and flags, and how it runs. */
export interface CommandClass {
  new (argv: string[], config: CliConfig): ChosenCommand;
  id: string;
  readonly description: string | undefined;
  readonly args: ArgInput;
  readonly flags: FlagInput;
  readonly examples: Command.Example[];
  /** The flags that every command has. */
  readonly baseFlags: FlagInput;
}

/** A command as lists of commands show it; its file is loaded when it is chosen. */
export interface CommandEntry {
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly default: CommandClass }>;
}

/** Commands and topics by their words with `:` between. The word of a topic may be a command, too. */
export interface CommandTable {
  readonly commands: Readonly<Record<string, CommandEntry>>;
  /** What the commands of a topic are for. */
  readonly topics: Readonly<Record<string, string>>;
}

/** Every command. Each is imported by name: the bundle has no files that could be searched. */
export const commandTable: CommandTable = {
  topics: {
    tree: 'look at trees of packages, and change versions in them',
    engine: 'copy package images between container engines',
    image: 'handle container images',
    cache: 'look after package images that machines share in a registry',
    store: "look after the native engine's images",
    util: 'small tools',
  },
  commands: {
    build: {
      summary: 'build packages and what they need',
      load: () => import('./commands/build.ts'),
    },
    explain: {
      summary: 'say what a build would do, and why',
      load: () => import('./commands/explain.ts'),
    },
    'cache:ls': {
      summary: 'list package images in a registry',
      load: () => import('./commands/cache-ls.ts'),
    },
    'cache:rm': {
      summary: 'delete package images from a registry',
      load: () => import('./commands/cache-rm.ts'),
    },
    'cache:prune': {
      summary: 'delete old or unneeded package images from a registry',
      load: () => import('./commands/cache-prune.ts'),
    },
    'tree:validate': {
      summary: 'find mistakes without building',
      load: () => import('./commands/tree-validate.ts'),
    },
    'tree:render': {
      summary: 'print build specs after their templates are rendered',
      load: () => import('./commands/tree-render.ts'),
    },
    'tree:pkglist': {
      summary: 'list packages, what they need, or what needs them',
      load: () => import('./commands/tree-pkglist.ts'),
    },
    'tree:images': {
      summary: 'list the images that a build makes',
      load: () => import('./commands/tree-images.ts'),
    },
    'tree:bump': {
      summary: 'give packages their next version',
      load: () => import('./commands/tree-bump.ts'),
    },
    'tree:graph': {
      summary: 'draw what needs what',
      load: () => import('./commands/tree-graph.ts'),
    },
    'tree:why': {
      summary: 'show why one package needs another',
      load: () => import('./commands/tree-why.ts'),
    },
    'tree:explain': {
      summary: 'explain why packages can be used together, or why they cannot',
      load: () => import('./commands/tree-explain.ts'),
    },
    engine: {
      summary: 'show which container engine is used',
      load: () => import('./commands/engine.ts'),
    },
    'engine:copy': {
      summary: 'copy package images from one engine to another',
      load: () => import('./commands/engine-copy.ts'),
    },
    'image:pull': {
      summary: 'fetch images from registries',
      load: () => import('./commands/image-pull.ts'),
    },
    'image:push': {
      summary: 'send an image to a registry',
      load: () => import('./commands/image-push.ts'),
    },
    'image:copy': {
      summary: 'copy an image between any two places',
      load: () => import('./commands/image-copy.ts'),
    },
    'image:inspect': {
      summary: 'show what an image is',
      load: () => import('./commands/image-inspect.ts'),
    },
    'image:ls': {
      summary: 'list the images of the engine',
      load: () => import('./commands/image-ls.ts'),
    },
    'image:rm': {
      summary: 'remove images',
      load: () => import('./commands/image-rm.ts'),
    },
    'image:import': {
      summary: 'make an image from root file systems or packages',
      load: () => import('./commands/image-import.ts'),
    },
    'image:export': {
      summary: "write an image's root file system",
      load: () => import('./commands/image-export.ts'),
    },
    'store:du': {
      summary: 'show which images take how much space',
      load: () => import('./commands/store-du.ts'),
    },
    'store:gc': {
      summary: 'remove what is not used',
      load: () => import('./commands/store-gc.ts'),
    },
    'store:verify': {
      summary: 'find damaged layers',
      load: () => import('./commands/store-verify.ts'),
    },
    'util:template': {
      summary: 'render one template',
      load: () => import('./commands/util-template.ts'),
    },
    'util:unpack': {
      summary: 'unpack an image into a folder',
      load: () => import('./commands/util-unpack.ts'),
    },
    'util:image-exist': {
      summary: 'check whether a registry has an image',
      load: () => import('./commands/util-image-exist.ts'),
    },
    autocomplete: {
      summary: 'print a completion script for bash, zsh or fish',
      load: () => import('./commands/autocomplete.ts'),
    },
  },
};
