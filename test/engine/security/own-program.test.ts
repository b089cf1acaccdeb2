import assert from 'node:assert/strict';
import { OWN_IMAGE, ownImage } from './own-image.ts';
import { inEachWay } from './ways.ts';

/*
 * The program that makes a sandbox is the machine's own. An image whose shell is a script for
 * `/proc/self/exe` has this very program run, with the image's own loader, and finds the machine's file
 * behind that link.
 */

const isKnown = process.arch === 'x64';

if (isKnown)
  inEachWay(
    'no image changes the program that makes its sandbox',
    async (_, field, way) => {
      const { said } = await field.attack(['true'], { image: OWN_IMAGE });
      // The attack exits with its error: EROFS where the program is locked, EPERM where it is another user's.
      const error = /exit code (\d+)/.exec(said)?.[1];
      // Where there is no `/proc`, the shell cannot be begun.
      if (way.by === 'bare') assert.match(said, /\/bin\/sh: No such file or directory/);
      else assert.ok(error === '30' || error === '1', said);
    },
    ['./own-image.ts', ownImage.name],
  );
