/**
 * Files and folders that people name: written whole or not at all, made in a way that always ends, and where that cannot be, a sentence that
 * says which path it is, why, and what to do.
 */

export { type WritingRun, withTemporaryFolder } from './aside.ts';
export { FileError, isFull, isSystemError, systemError } from './file-error.ts';
export { checkFile, checkWritable, isFolderThere, makeFolder, removeMade } from './folder.ts';
export {
  type Chunks,
  replaceBy,
  replaceFileSync,
  type StageOptions,
  stageFile,
  syncFolder,
} from './replace.ts';
export { fileError, reading, refusal, writing } from './why.ts';
export {
  writeFile,
  writeFileAside,
  writeFileOrStream,
  writeTemporaryFile,
} from './write.ts';
