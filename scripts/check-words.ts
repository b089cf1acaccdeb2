import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Finding } from './check-rooms.ts';
import type { ModuleFacts } from './module-facts.ts';

/** Something that a room below the command line may name all the same. */
interface Exception {
  /** A file or folder of src/. */
  readonly at: string;
  readonly words: readonly string[];
  /** Why the room has to. */
  readonly because: string;
}

/** Parts of `process` that rooms may use. */
const machine: readonly Exception[] = [
  {
    at: 'engine/',
    words: ['arch', 'platform', 'getuid', 'kill'],
    because: 'the native engine works on this machine: its processor, its user, its processes',
  },
  {
    at: 'engine/docker/connection/agent.ts',
    words: ['getBuiltinModule'],
    because: 'loads node:http when it is needed',
  },
  { at: 'store/', words: ['arch', 'getuid'], because: 'locks of this processor, and whose the store is' },
  { at: 'disk/', words: ['geteuid'], because: 'whether this user is kept from a file' },
  { at: 'image/', words: ['geteuid', 'arch'], because: 'who can own files, and what platform this is' },
];

/** Variables of the environment that rooms may name. */
const variables: readonly Exception[] = [
  {
    at: 'resolve/environment.ts',
    words: ['SOURCE_DATE_EPOCH'],
    because: 'commands of packages find it in their environment',
  },
  {
    at: 'resolve/environment.ts',
    words: ['HOME'],
    because: 'commands of packages run with one of their own',
  },
  {
    at: 'engine/docker/find/podman-service.ts',
    words: ['PATH'],
    because: 'programs are looked for in the environment that they are started in',
  },
  {
    at: 'image/registry/unreachable.ts',
    words: ['NODE_EXTRA_CA_CERTS'],
    because: 'Node itself reads it, and there is no other way',
  },
];

/** Flags of other programs that have the name of one of ours. */
const foreign: readonly Exception[] = [
  { at: 'engine/', words: ['--runtime'], because: 'a flag of podman' },
  { at: 'engine/native/', words: ['--all'], because: 'a flag of mount' },
  {
    at: 'engine/native/',
    words: ['--version'],
    because: 'what programs are asked, to see whether they are there',
  },
  { at: 'engine/', words: ['--user'], because: 'a flag of systemd-run' },
];

const isAllowed = (list: readonly Exception[], file: string, word: string): boolean =>
  list.some(
    ({ at, words }) => (at.endsWith('/') ? file.startsWith(at) : file === at) && words.includes(word),
  );

const VARIABLE =
  /\b(?:(?:LUET|XDG|DOCKER|CONTAINER|NODE)_[A-Z_]+|[A-Z]+_PROXY|SOURCE_DATE_EPOCH|TMPDIR|HOME)\b/g;

/** The flags of this program, as its documentation lists them. */
export function ownFlags(commandsPage: string): ReadonlySet<string> {
  return new Set(commandsPage.match(/(?<![\w-])--[a-z][a-z-]*[a-z]/g) ?? []);
}

/**
 * Finds what only the command line and the library's own face know: flags, commands, variables of the environment, and parts
 * of `process`. Rooms return codes and data, of which those make sentences.
 */
export function checkWords(file: string, { words }: ModuleFacts, flags: ReadonlySet<string>): Finding[] {
  if (!file.includes('/') || file.startsWith('cli/') || file.startsWith('library/')) return [];
  const findings: Finding[] = [];
  for (const { kind, text, line } of words) {
    const add = (message: string): void => {
      findings.push({ file: `src/${file}`, line, message });
    };
    if (kind === 'process') {
      if (!isAllowed(machine, file, text)) add(`process.${text} is used in cli/ alone`);
    } else if (kind === 'env') {
      if (/^[A-Z][A-Z_]+$/.test(text) && !isAllowed(variables, file, text))
        add(`the variable ${text} is read in cli/ and passed as data`);
    } else {
      for (const [name] of text.matchAll(VARIABLE))
        if (!isAllowed(variables, file, name)) add(`the variable ${name} is named in cli/ alone`);
      for (const [flag] of text.matchAll(/(?<![\w-])--[a-z][a-z-]*[a-z]/g))
        if (flags.has(flag) && !isAllowed(foreign, file, flag))
          add(`the flag ${flag} is named in cli/ alone`);
      if (/\bluet-ts (?:build|cleanup|engine|image|store|tree|util)\b/.test(text))
        add('commands are named in cli/ alone');
    }
  }
  return findings;
}

/** The flags of this program, from docs/commands.md of a checkout. */
export const readOwnFlags = (root: string): ReadonlySet<string> =>
  ownFlags(readFileSync(join(root, 'docs/commands.md'), 'utf8'));
