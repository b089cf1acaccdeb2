import { describe } from 'node:test';
import { changesContract } from './changes.ts';
import { exchangeContract } from './exchange.ts';
import { imagesContract } from './images.ts';
import type { Subject } from './subject.ts';
import { uploadContract } from './upload.ts';
import { workspaceContract } from './workspaces.ts';

export type { Subject } from './subject.ts';

/** Tests what `src/engine/types.ts` promises of every engine. An engine that passes them can be built with. */
export function engineContract(name: string, subject: Subject): void {
  describe(`the contract of engines: ${name}`, () => {
    workspaceContract(subject);
    uploadContract(subject);
    for (const source of subject.sources) changesContract(subject, source);
    imagesContract(subject);
    exchangeContract(subject);
  });
}
