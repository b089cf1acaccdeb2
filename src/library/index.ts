/**
 * What programs that use luet-ts as a library share with its command line: this process's surroundings become settings here,
 * and are passed as data to the rooms below, which know no variables, clock or home folder.
 */

export { BuildFailedError, type BuildTreeOptions, buildTree } from './build.ts';
export { type OpenEngineOptions, openEngine, ownFolders } from './engine.ts';
export { type Environment, engineSettings } from './environment.ts';
export { openRegistry, registryClock } from './registry.ts';
export { ownSurroundings, type Surroundings } from './surroundings.ts';
export { openWorkplace, type Workplace } from './workplace.ts';
