/**
 * Names what a user can do about a problem in the program that asked for the work: a room that finds the problem knows no flags. A program gives its
 * own words for each name, as the command line does; the hint of a finding says the same without them.
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
  /** Give templates the values that they use. */
  | 'more-values'
  /** Look for what keeps registries from being reached: the network, a name, a proxy. */
  | 'check-network'
  /** Copy an image to where it can be used by name. */
  | 'copy-image'
  /** Look up what the engine can do on this machine, and what it lacks. */
  | 'ask-engine';
