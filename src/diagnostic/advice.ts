/**
 * Names of fixes for problems. Rooms that find problems do not know the flags of a program, so a program has
 * its own words for each name, as the command line does. The hint of the diagnostic has the same meaning
 * without flags.
 */
export type Advice =
  /** Write packages to another folder. */
  | 'another-destination'
  /** Keep images in another store. */
  | 'another-store'
  /** Keep temporary files in another folder. */
  | 'another-temporary-folder'
  /** Build with an engine that builds Dockerfiles. */
  | 'engine-with-dockerfiles'
  /** Build fewer packages at once. */
  | 'fewer-at-once'
  /** Raise the limit on memory that each package has. */
  | 'more-memory'
  /** Let the program open more files, or do less at the same time. */
  | 'more-open-files'
  /** Give commands the network of the machine. */
  | 'host-network'
  /** Give commands the network of the machine, or none. */
  | 'host-network-or-none'
  /** Set the values that templates use. */
  | 'more-values'
  /** Check why registries cannot be reached: network, name, proxy. */
  | 'check-network'
  /** Copy an image to a place where it can be used by name. */
  | 'copy-image'
  /** Find out what the engine supports on this machine, and what is missing. */
  | 'ask-engine';
