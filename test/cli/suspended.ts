import { whenSuspended } from '../../src/cli/interrupt.ts';

/** Says when a view would be taken away and drawn again, for tests that stop it. */
whenSuspended(
  process,
  () => process.stdout.write('hidden\n'),
  () => process.stdout.write('shown\n'),
);
setInterval(() => {}, 1000);
process.stdout.write('ready\n');
