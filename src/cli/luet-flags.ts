import { type Command, Option } from 'commander';

/**
 * Luet's flags that mean nothing to a builder: of its configuration, its database, its installer and its solver. Scripts
 * give them to every command, so that they are accepted, and named in one note.
 */
const flags: readonly string[] = [
  '--concurrency <n>',
  '--config <file>',
  '--enable-logfile',
  '--http-timeout <seconds>',
  '-l, --logfile <file>',
  '--plugin <name>',
  '--privileged',
  '--no-privileged',
  '--same-owner',
  '--no-same-owner',
  '--skip-config-protect',
  '--no-skip-config-protect',
  '--solver-attempts <n>',
  '--solver-concurrent',
  '--solver-discount <n>',
  '--solver-rate <n>',
  '--solver-type <name>',
  '--system-dbpath <path>',
  '--system-engine <name>',
  '--system-target <path>',
];

const ownOptions = new WeakSet<Option>();

/** Whether an option is one of Luet's that changes nothing here. */
export const isWithoutEffect = (option: Option): boolean => ownOptions.has(option);

/** Adds Luet's flags to the program, but for those that the chosen command has itself. */
export function addLuetFlags(program: Command, chosen?: Command): void {
  for (const one of flags) {
    const option = new Option(one).hideHelp();
    if (chosen?.options.some(({ long }) => long === option.long)) continue;
    ownOptions.add(option);
    program.addOption(option);
  }
}

/** The flags of Luet's that were given on the command line and change nothing, as they are written. */
export function givenWithoutEffect(program: Command): string[] {
  return program.options.flatMap((option) => {
    const given = isWithoutEffect(option) && program.getOptionValueSource(option.attributeName()) === 'cli';
    // Of a flag and its opposite, which are one setting, the flag is named.
    return given && option.long !== undefined && !option.negate ? [option.long] : [];
  });
}
