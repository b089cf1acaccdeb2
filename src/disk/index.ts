/**
 * Files and folders that people name: written whole or not at all, made in a way that always ends, and where that cannot be, a sentence that
 * says which path it is, why, and what to do.
 */

export { type WritingRun, withTemporaryFolder } from './aside.ts';
export { FileError, isFull, isSystemError, systemError } from './file-error.ts';
export { checkFile, checkWritable, isFolderThere, makeFolder, removeMade } from './folder.ts';
export { fileError, reading, refusal, writing } from './why.ts';
export {
  type Chunks,
  writeFile,
  writeFileAside,
  writeFileOrStream,
  writeTemporaryFile,
} from './write.ts';
