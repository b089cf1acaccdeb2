import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** What the file of a command exports. Heavy imports belong inside the action, not at the top of the file. */
export interface CommandModule {
  /** Adds the command to its parent: its description, arguments, flags, examples and action. */
  readonly register: (parent: Command, context: CliContext) => void;
}

/** A command as the top of the help knows it; its file is loaded when it is chosen. */
export interface CommandEntry {
  readonly name: string;
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Commands under a common first word. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly CommandEntry[];
  /** The command that the word is by itself; absent where it is none. */
  readonly load?: () => Promise<CommandModule>;
}

/** Every command, in the order in which help lists them. */
export const commands: readonly (CommandEntry | CommandGroup)[] = [
  { name: 'build', summary: 'build packages and what they need', load: () => import('./commands/build.ts') },
  {
    name: 'tree',
    summary: 'look at trees of packages',
    commands: [
      {
        name: 'validate',
        summary: 'find mistakes without building',
        load: () => import('./commands/tree-validate.ts'),
      },
      {
        name: 'render',
        summary: 'print build specs as they are after templates',
        load: () => import('./commands/tree-render.ts'),
      },
      {
        name: 'pkglist',
        summary: 'list packages, what they need, or what needs them',
        load: () => import('./commands/tree-pkglist.ts'),
      },
      {
        name: 'images',
        summary: 'list the images that a build makes',
        load: () => import('./commands/tree-images.ts'),
      },
      {
        name: 'bump',
        summary: 'give packages their next version',
        load: () => import('./commands/tree-bump.ts'),
      },
      {
        name: 'graph',
        summary: 'draw what needs what',
        load: () => import('./commands/tree-graph.ts'),
      },
      {
        name: 'why',
        summary: 'show why one package needs another',
        load: () => import('./commands/tree-why.ts'),
      },
      {
        name: 'explain',
        summary: 'say why packages can be had, or cannot',
        load: () => import('./commands/tree-explain.ts'),
      },
    ],
  },
  {
    name: 'engine',
    summary: 'say which container engine is used',
    load: () => import('./commands/engine.ts'),
    commands: [
      {
        name: 'copy',
        summary: 'copy package images from one engine to another',
        load: () => import('./commands/engine-copy.ts'),
      },
    ],
  },
  {
    name: 'image',
    summary: 'handle container images',
    commands: [
      {
        name: 'pull',
        summary: 'fetch images from registries',
        load: () => import('./commands/image-pull.ts'),
      },
      {
        name: 'push',
        summary: 'send an image to a registry',
        load: () => import('./commands/image-push.ts'),
      },
      {
        name: 'copy',
        summary: 'copy an image between any two places',
        load: () => import('./commands/image-copy.ts'),
      },
      { name: 'inspect', summary: 'say what an image is', load: () => import('./commands/image-inspect.ts') },
      { name: 'ls', summary: 'list the images of the engine', load: () => import('./commands/image-ls.ts') },
      { name: 'rm', summary: 'remove images', load: () => import('./commands/image-rm.ts') },
      {
        name: 'import',
        summary: 'make an image out of a root file system',
        load: () => import('./commands/image-import.ts'),
      },
      {
        name: 'export',
        summary: "write an image's root file system",
        load: () => import('./commands/image-export.ts'),
      },
    ],
  },
  {
    name: 'store',
    summary: "look after the native engine's images",
    commands: [
      { name: 'du', summary: 'say what takes room', load: () => import('./commands/store-du.ts') },
      { name: 'gc', summary: 'make room', load: () => import('./commands/store-gc.ts') },
      {
        name: 'verify',
        summary: 'find damaged layers',
        load: () => import('./commands/store-verify.ts'),
      },
    ],
  },
  {
    name: 'util',
    summary: 'small tools',
    commands: [
      {
        name: 'template',
        summary: 'render one template',
        load: () => import('./commands/util-template.ts'),
      },
      {
        name: 'unpack',
        summary: 'unpack an image into a folder',
        load: () => import('./commands/util-unpack.ts'),
      },
      {
        name: 'image-exist',
        summary: 'say whether a registry has an image',
        load: () => import('./commands/util-image-exist.ts'),
      },
    ],
  },
];
