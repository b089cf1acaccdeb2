import { logFormats } from '../context.ts';
import { choice, onOrOff, repeatable, toggle, withValue } from './define.ts';

const helpGroup = 'Display';

/** Flags that every command takes, before its name or behind it. */
export const commonFlags = {
  debug: toggle({ char: 'd', summary: 'show more details', helpGroup }),
  quiet: toggle({ char: 'q', summary: 'show only results and errors', helpGroup }),
  color: onOrOff({ summary: 'always use colours, or never (as NO_COLOR)', helpGroup }),
  'live-output': toggle({ summary: 'show the output of commands while they run', helpGroup }),
  spinner: onOrOff({ summary: 'draw progress over itself, or write plain lines', helpGroup, default: true }),
  'log-format': choice(logFormats, { summary: 'format of progress and findings', helpGroup }),
  fatal: toggle({ summary: 'exit with 1 where there is a warning', helpGroup }),
  help: toggle({ char: 'h', summary: 'show help for this command', helpGroup }),
  version: toggle({ summary: 'print the version (also -v as the first word)', hidden: true }),
  // Luet's; nothing here is drawn with emoji.
  emoji: onOrOff({ summary: 'no effect', hidden: true }),
};

const hidden = { summary: 'no effect', hidden: true } as const;

/**
 * Luet's flags that mean nothing to a builder: of its configuration, its database, its installer and its
 * solver. Scripts give them to every command, so that they are accepted, and named in one note.
 */
export const luetFlags = {
  concurrency: withValue({ ...hidden, value: '<n>' }),
  config: withValue({ ...hidden, value: '<name>' }),
  'enable-logfile': toggle(hidden),
  'http-timeout': withValue({ ...hidden, value: '<seconds>' }),
  logfile: withValue({ ...hidden, char: 'l', value: '<name>' }),
  plugin: repeatable({ ...hidden, value: '<name>' }),
  privileged: onOrOff(hidden),
  'same-owner': onOrOff(hidden),
  'skip-config-protect': onOrOff(hidden),
  'solver-attempts': withValue({ ...hidden, value: '<n>' }),
  'solver-concurrent': toggle(hidden),
  'solver-discount': withValue({ ...hidden, value: '<n>' }),
  'solver-rate': withValue({ ...hidden, value: '<n>' }),
  'solver-type': withValue({ ...hidden, value: '<name>' }),
  'system-dbpath': withValue({ ...hidden, value: '<name>' }),
  'system-engine': withValue({ ...hidden, value: '<name>' }),
  'system-target': withValue({ ...hidden, value: '<name>' }),
};

const withoutEffect: ReadonlySet<object> = new Set(Object.values(luetFlags));

/** Whether a flag is one of Luet's that changes nothing here. */
export const isWithoutEffect = (flag: object): boolean => withoutEffect.has(flag);
