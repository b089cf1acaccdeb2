import { after, before, test } from 'node:test';
import { engineContract } from '../engine/contract/index.ts';
import { notHere, smallEngines } from '../support/small-base.ts';

if (notHere !== false) test('the small engine', { skip: notHere });
else {
  let engines: Awaited<ReturnType<typeof smallEngines>>;
  before(async () => {
    engines = await smallEngines();
  });
  after(() => engines.end());
  engineContract('the small engine', {
    engine: async () => engines.engine(),
    base: 'conformance/base:1',
    sources: ['listing'],
    hasDevices: true,
    readsAhead: false,
  });
}
