import { idsHere } from '../../src/engine/native/find/namespace.ts';
import { BASE, ENGINE, isNative, NATIVE_SOURCE, testEngine } from '../support/engine.ts';
import { engineContract } from './contract/index.ts';

/** The engine that the tests are run on: native, Docker 20.10, Docker 29 or podman. */
engineContract(ENGINE ?? 'the engine that answers', {
  engine: testEngine,
  base: BASE,
  // The native engine has one source, whatever is asked for.
  sources: isNative ? [NATIVE_SOURCE] : ['upper', 'changes', 'export'],
  hasDevices: !isNative || !(idsHere().isNamespace || ENGINE?.startsWith('native+bare')),
  readsAhead: !isNative,
});
