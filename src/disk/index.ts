/**
 * Files and folders that users name. A file is written under a temporary name and renamed, so that readers
 * find the old content or the new one; folders are created in a way that always ends. Where something fails,
 * the error says in a sentence which path it is, why, and what the user can do (`FileError`).
 */

export { type WritingRun, withTemporaryFolder } from './aside.ts';
export { FileError, isFull, isSystemError, systemError } from './file-error.ts';
export { checkFile, checkWritable, isFolderThere, makeFolder, removeMade } from './folder.ts';
export { removeTree, removeTreeSync } from './remove.ts';
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
